from datetime import UTC, datetime, timedelta

import pytest

from tenantry.backoff import find_holds, holding, outcome_events, wait_after
from tenantry.facts import Failure
from tenantry.ledger import Entry, Header, Outcome
from tenantry.specs.operation import Retry

T = datetime(2013, 10, 1, tzinfo=UTC)
DAY = timedelta(days=1)
RETRY = Retry(after="1d", at_most="7d")


def failed(*days, stage="train", kind="TrainingError"):
    return [Failure(T + n * DAY, f"run-{n}", stage, kind) for n in days]


@pytest.mark.parametrize(
    ("times", "days"), [(0, 0), (1, 0), (2, 1), (3, 2), (4, 4), (5, 7), (6, 7), (10**6, 7)]
)
def test_the_first_failure_is_tried_at_once_and_each_further_one_after_twice_the_time(times, days):
    assert wait_after(times, RETRY) == days * DAY


def test_a_long_rule_does_not_overflow():
    rule = Retry(after="999999w", at_most="999999w")
    assert find_holds(failed(0, 1), rule)["train"].until.year == 9999


def test_a_stage_is_held_from_its_last_failure_on():
    hold = find_holds(failed(0, 1, 3), RETRY)["train"]
    assert (hold.times, hold.until) == (3, T + 5 * DAY)
    assert hold.in_words() == (
        "waits until 2013-10-06T00:00:00Z: train failed in 3 runs in a row (TrainingError)"
    )


def test_a_store_that_was_away_makes_nobody_wait():
    away = failed(0, 1, 2, kind="StoreUnavailableError")
    assert find_holds(away, RETRY) == {}
    assert find_holds([*failed(0), *away[1:]], RETRY)["train"].times == 1


def test_failures_of_one_run_count_once():
    twice = [*failed(0), Failure(T, "run-0", "train", "MemoryError")]
    assert find_holds(twice, RETRY)["train"].times == 1


@pytest.mark.parametrize(
    ("stage", "actions"),
    [
        ("ingest", {"train", "predict", "backfill", "monitor"}),
        ("build_features", {"train", "predict", "backfill", "monitor"}),
        ("train", {"train"}),
        ("promote", {"train", "retire"}),
        ("predict", {"predict", "backfill"}),
        ("monitor", {"monitor"}),
    ],
)
def test_a_stage_holds_only_the_work_that_needs_it(stage, actions):
    holds = find_holds(failed(0, 1, stage=stage), RETRY)
    every = ("train", "predict", "backfill", "monitor", "retire")
    assert {action for action in every if holding(action, holds)} == actions


def test_work_waits_for_the_longest_of_its_holds():
    holds = find_holds([*failed(0, 1, stage="ingest"), *failed(0, 1, 2)], RETRY)
    assert holding("train", holds).stage == "train"
    assert holding("predict", holds).stage == "ingest"


HEADER = Header(run="r", product="p", as_of=T, shard="s")


def outcome(stage, status="done", kind=""):
    return Outcome(stage=stage, status=status, kind=kind, message="needs more memory")


def test_a_closing_tells_what_failed_and_what_recovered():
    entry = Entry(
        tenant="ua",
        outcomes=(outcome("ingest"), outcome("train", "failed", "MemoryError"), outcome("predict")),
    )
    known = [*failed(-1), *failed(-2, stage="ingest"), *failed(-2, stage="monitor")]
    first, second = outcome_events(entry, HEADER, known)
    assert (first.kind, first.stage, first.evidence) == ("failed", "train", {"kind": "MemoryError"})
    assert first.sentence == "needs more memory"
    assert (second.kind, second.stage) == ("recovered", "ingest")
    assert first.name.startswith("20131001T000000Z-failed-train-")


def test_what_goes_well_as_ever_leaves_no_event():
    assert outcome_events(Entry(tenant="ua", outcomes=(outcome("ingest"),)), HEADER) == ()
