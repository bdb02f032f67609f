from dataclasses import replace
from datetime import timedelta

import pytest

from tenantry.champions import Champion, Pin, Restored
from tenantry.events import Event, write_event
from tenantry.facts import Alarm, Failure
from tenantry.planner import plan_tenant
from tenantry.serving.entries import Entry as ServingEntry
from tenantry.specs.model import serving_digest
from tenantry.states import TenantState
from tenantry.truth import read_state
from tests.unit.planned import (
    NOVEMBER,
    OCTOBER,
    START,
    WEEK,
    due,
    reign,
    trained,
    version,
    weeks,
)
from tests.unit.tiny_fleet import make_spec as tiny_spec


def test_a_newborn_tenant_is_trained_and_its_known_windows_predicted():
    found = due(tiny_spec(), TenantState(), OCTOBER)
    assert found["train"].reason == "no model yet"
    assert found["predict"].windows == tuple(window.id for window in weeks(0, 4))
    assert "monitor" not in found


def test_a_second_run_at_the_same_time_finds_nothing_due():
    spec = tiny_spec()
    done = plan_tenant(spec, trained(spec, OCTOBER, predicted=weeks(0, 4)), OCTOBER)
    assert done.due == ()
    assert done.note == "up to date"


@pytest.mark.parametrize(
    ("days", "reason"),
    [(27, None), (28, "last trained as of 2013-10-01T00:00:00Z, train.every is 28d")],
)
def test_training_is_due_when_the_last_attempt_is_old(days, reason):
    spec = tiny_spec()
    found = due(spec, trained(spec, OCTOBER), OCTOBER + timedelta(days=days))
    assert (found["train"].reason if "train" in found else None) == reason


def test_another_training_spec_makes_training_due_and_a_gate_of_ones_own_does_not():
    spec = tiny_spec()
    state = trained(spec, OCTOBER)
    other_seed = spec.model_copy(update={"model": spec.model.model_copy(update={"seed": 8})})
    other_gate = spec.model_copy(update={"gate": spec.gate.model_copy(update={"min_rows": 9})})
    assert due(other_seed, state, OCTOBER)["train"].reason.startswith("its spec changed")
    assert "train" not in due(other_gate, state, OCTOBER)


def test_an_attempt_that_the_gate_never_decided_does_not_count():
    spec = tiny_spec()
    state = TenantState(champion=Champion(counter=1, reigns=(reign(OCTOBER),)), attempt=None)
    assert due(spec, state, OCTOBER)["train"].reason == "no model yet"


@pytest.mark.parametrize(
    ("action", "as_of", "expected"),
    [
        ("retrain", OCTOBER + WEEK, "decayed in window 20131001T000000Z-20131008T000000Z"),
        ("tell", OCTOBER + WEEK, None),
        ("retrain", OCTOBER, None),
    ],
)
def test_a_judgement_since_the_attempt_makes_training_due(action, as_of, expected):
    spec = tiny_spec()
    (week,) = weeks(4, 5)
    judgement = Alarm(as_of, week, "decayed", action)
    state = trained(spec, OCTOBER, judgements=(judgement,))
    found = due(spec, state, OCTOBER + 2 * WEEK)
    assert (found["train"].reason if "train" in found else None) == expected


def called_back(spec, *moments, decayed=(), **fields):
    """The state after trainings, the last model of which a judgement calls back."""
    (week,) = weeks(5, 6)
    bad = version(moments[-1])
    alarm = Alarm(NOVEMBER, week, "decayed", "rollback", bad)
    barred = frozenset({bad, *map(version, decayed)})
    return trained(spec, *moments, judgements=(alarm,), decayed=barred, **fields)


DECAYED = "decayed in window 20131008T000000Z-20131015T000000Z"


def test_a_judgement_makes_a_rollback_due_to_the_champion_before():
    spec = tiny_spec()
    found = due(spec, called_back(spec, OCTOBER, OCTOBER + WEEK), NOVEMBER)
    assert (found["rollback"].version, found["rollback"].windows) == (version(OCTOBER), (WINDOW,))
    assert found["rollback"].reason == f"{DECAYED}: back to {version(OCTOBER)}"
    assert "train" not in found


WINDOW = "20131008T000000Z-20131015T000000Z"


def test_a_model_that_decayed_itself_is_passed_over():
    spec = tiny_spec()
    moments = (OCTOBER - WEEK, OCTOBER, OCTOBER + WEEK)
    found = due(spec, called_back(spec, *moments, decayed=[OCTOBER]), NOVEMBER)
    assert found["rollback"].version == version(OCTOBER - WEEK)


@pytest.mark.parametrize(
    ("moments", "fields"),
    [
        ((OCTOBER + WEEK,), {}),
        ((OCTOBER, OCTOBER + WEEK), {"decayed": [OCTOBER]}),
        (
            (OCTOBER, OCTOBER + WEEK),
            {"failures": (Failure(NOVEMBER, "r", "promote", "RegistryError"),)},
        ),
    ],
    ids=["the first model", "all decayed", "files that are gone"],
)
def test_where_nothing_is_left_to_go_back_to_it_is_trained(moments, fields):
    spec = tiny_spec()
    found = due(spec, called_back(spec, *moments, **fields), NOVEMBER)
    assert found["train"].reason == f"{DECAYED}, and no model is left to go back to"
    assert "rollback" not in found


def test_it_is_rolled_back_once():
    spec = tiny_spec()
    state = called_back(spec, OCTOBER, OCTOBER + WEEK)
    restored = Restored(since=OCTOBER, version=version(OCTOBER), who="m", why="w", when=NOVEMBER)
    back = reign(OCTOBER).model_copy(update={"since": NOVEMBER, "restores": restored})
    after = replace(state, champion=state.champion.with_reign(back))
    assert after.champion.current.version == version(OCTOBER)
    assert {"rollback", "train"}.isdisjoint(due(spec, after, NOVEMBER))


def test_it_is_not_rolled_back_where_it_is_trained_anyway_or_pinned():
    spec = tiny_spec()
    state = called_back(spec, OCTOBER, OCTOBER + WEEK)
    later = plan_tenant(spec, state, OCTOBER + 6 * WEEK)
    assert "rollback" not in {one.action for one in later.due}
    assert f"not rolled back ({DECAYED}): it is trained anyway" in later.note
    pin = Pin(version=version(OCTOBER), who="ann", why="audit", when=OCTOBER, as_of=OCTOBER)
    pinned = replace(state, champion=state.champion.model_copy(update={"pin": pin}))
    assert f"not rolled back ({DECAYED}): pinned" in plan_tenant(spec, pinned, NOVEMBER).note


def test_a_run_can_force_training():
    spec = tiny_spec()
    found = due(spec, trained(spec, OCTOBER), OCTOBER, force=True)
    assert found["train"].reason == "forced by the run"


@pytest.mark.parametrize(
    ("state", "retired", "action", "note"),
    [
        ("paused", False, [], "paused by its spec"),
        ("retired", False, ["retire"], ""),
        ("retired", True, [], "retired"),
    ],
)
def test_the_declared_state_rules(state, retired, action, note):
    spec = tiny_spec().model_copy(update={"state": state})
    work = plan_tenant(spec, TenantState(retired=retired), OCTOBER)
    assert [one.action for one in work.due] == action
    assert work.note == note


def test_a_pinned_champion_is_not_trained_and_the_note_says_by_whom_and_why():
    spec = tiny_spec()
    state = trained(spec, OCTOBER)
    pin = Pin(version=version(OCTOBER), who="ann", why="audit", when=OCTOBER, as_of=OCTOBER)
    pinned = replace(state, champion=state.champion.model_copy(update={"pin": pin}))
    work = plan_tenant(spec, pinned, OCTOBER, force=True)
    assert [one.action for one in work.due] == ["predict"]
    assert work.note == (
        f"not trained (forced by the run): pinned to {version(OCTOBER)} by ann: audit"
    )


def failures(*days, stage="train"):
    return tuple(
        Failure(OCTOBER + timedelta(days=n), f"r{n}", stage, "TrainingError") for n in days
    )


def test_what_failed_once_is_due_again_at_once_and_after_that_it_waits():
    spec = tiny_spec()
    later = OCTOBER + timedelta(days=40)
    once = trained(spec, OCTOBER, failures=failures(40))
    assert "train" in due(spec, once, later)
    twice = trained(spec, OCTOBER, failures=failures(39, 40))
    work = plan_tenant(spec, twice, later)
    assert [one.action for one in work.due] == ["predict", "monitor"]
    assert work.note == (
        "train waits until 2013-11-11T00:00:00Z: train failed in 2 runs in a row (TrainingError)"
    )
    assert "train" in due(spec, twice, later + timedelta(days=1))
    assert "train" in due(spec, twice, later, force=True)


def test_without_a_model_windows_wait_while_training_does():
    spec = tiny_spec()
    held = plan_tenant(spec, TenantState(failures=failures(-1, 0)), OCTOBER)
    assert held.due == ()
    assert held.held == ("train",)
    assert held.note.startswith("train waits until")


def test_who_fails_stands_in_line_again_from_its_next_try_on():
    spec = tiny_spec()
    first = plan_tenant(spec, TenantState(), OCTOBER)
    again = plan_tenant(spec, TenantState(failures=failures(-1, stage="ingest")), OCTOBER)
    assert first.promised == START + timedelta(days=1)
    assert again.promised == OCTOBER


def test_an_erased_tenant_is_never_due():
    assert plan_tenant(tiny_spec(), TenantState(erased=True), OCTOBER).note == "erased"


def test_a_retirement_counts_from_its_time_on(folder_store):
    spec = tiny_spec().model_copy(update={"state": "retired"})

    def retire(as_of):
        event = Event(
            kind="retired",
            as_of=as_of,
            product=spec.product,
            tenant=spec.tenant,
            run="r",
            sentence="retired",
        )
        write_event(folder_store, event)

    def is_retired(as_of):
        return read_state(folder_store, spec.product, spec.tenant).as_of(as_of).retired

    retire(OCTOBER)
    assert not is_retired(OCTOBER - WEEK)
    assert is_retired(OCTOBER)


def test_a_tainted_champion_makes_training_due_whatever_its_age():
    spec = tiny_spec()
    state = trained(spec, OCTOBER)
    marked = state.champion.taint([version(OCTOBER)], "rows were erased")
    (training,) = [
        due
        for due in plan_tenant(spec, replace(state, champion=marked), OCTOBER).due
        if due.action == "train"
    ]
    assert training.reason == "its champion is to be replaced: rows were erased"


# --- serving --------------------------------------------------------------------------------------


def served(spec, as_of=OCTOBER, **fields):
    """What servers are told of a tenant that was trained as of October."""
    known = {"version": version(OCTOBER), "record": "r", "online": "o", "counter": 1}
    known |= {"spec": serving_digest(spec), "published": as_of, "as_of": as_of}
    return ServingEntry.model_validate(known | fields)


@pytest.mark.parametrize(
    ("fields", "is_due"),
    [
        ({}, False),
        ({"counter": 7}, False),
        ({"version": "v"}, True),
        ({"online": ""}, True),
        ({"as_of": NOVEMBER}, False),
    ],
)
def test_publishing_is_due_where_servers_were_told_something_else(fields, is_due):
    spec = tiny_spec(serving={"enabled": True})
    state = trained(spec, OCTOBER, predicted=weeks(0, 4))
    found = plan_tenant(spec, state, OCTOBER, served=served(spec, **fields))
    assert [one.action for one in found.due] == (["publish"] if is_due else [])


def test_what_is_predicted_is_published_anyway_and_what_is_not_served_never():
    spec = tiny_spec(serving={"enabled": True})
    state = trained(spec, OCTOBER, predicted=weeks(0, 3))
    assert list(due(spec, state, OCTOBER)) == ["predict"]
    all_done = trained(spec, OCTOBER, predicted=weeks(0, 4))
    assert list(due(spec, all_done, OCTOBER)) == ["publish"]
    assert list(due(tiny_spec(), all_done, OCTOBER)) == []
    assert list(due(spec, all_done, OCTOBER, force=True)) == ["train", "publish"]
