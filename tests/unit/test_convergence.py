"""Whatever is interrupted wherever, plans converge to empty; nothing is done twice or skipped."""

from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tenantry.times import parse_moment
from tests.unit.simulated_fleet import DAY, START, WEEK, simulate, twin

DAYS = st.lists(st.integers(0, 100), min_size=1, max_size=5)
KILLS = st.lists(st.integers(0, 40), max_size=4)
ARRIVALS = st.dictionaries(
    st.sampled_from(["t0", "t1"]), st.lists(st.integers(0, 9), max_size=3), max_size=2
)
CAP = st.none() | st.integers(1, 3)
BUDGET = st.sampled_from([0.0, 0.1, 3.0, 7.0])


def facts(simulation):
    return {tenant: folder.facts() for tenant, folder in simulation.folders.items()}


def check_once(simulation):
    """No model predicted a window twice, but for rows that had arrived since."""
    for folder in simulation.folders.values():
        again = Counter((one.window, one.model) for one in folder.receipts if not one.late)
        assert set(again.values()) <= {1}


def check_none_skipped(simulation, as_of):
    known = {START + n * WEEK for n in range((as_of - START) // WEEK)}
    for folder in simulation.folders.values():
        assert {one.window.start for one in folder.receipts} >= known


@settings(max_examples=60)
@given(DAYS, KILLS, ARRIVALS, CAP, BUDGET, st.integers(1, 3))
@example([7, 0, 9, 8], [], {}, None, 0.0, 1)
def test_interrupted_anywhere_plans_converge_and_nothing_is_done_twice_or_skipped(
    days, kills, arrivals, cap, budget, shards
):
    fleet = simulate(arrivals=arrivals, late_rows="3d", max_windows_per_run=cap)
    for day in days:
        as_of = START + day * DAY
        for kill in kills:
            fleet.run(as_of, kill_after=kill, cpu_budget=budget, max_shards=shards)
        fleet.run_until_done(as_of, cpu_budget=budget, max_shards=shards)
        check_none_skipped(fleet, as_of)
        assert all(one.note == "up to date" for one in fleet.plan(as_of).tenants.values())
    check_once(fleet)


@settings(max_examples=60)
@given(DAYS, KILLS, ARRIVALS)
def test_an_interrupted_run_that_is_completed_leaves_what_an_undisturbed_one_leaves(
    days, kills, arrivals
):
    broken = simulate(arrivals=arrivals, late_rows="3d")
    whole = twin(broken)
    for day in days:
        as_of = START + day * DAY
        for kill in kills:
            broken.run(as_of, kill_after=kill)
        broken.run_until_done(as_of)
        whole.run_until_done(as_of)
        assert facts(broken) == facts(whole)


@settings(max_examples=40)
@given(DAYS, ARRIVALS, CAP, BUDGET, st.integers(1, 4), st.randoms())
def test_order_shards_caps_and_budgets_change_nothing_but_when(
    days, arrivals, cap, budget, shards, random
):
    plain = simulate(arrivals=arrivals, late_rows="3d", resources={"t1": {"dedicated": True}})
    other = simulate(
        arrivals=arrivals,
        late_rows="3d",
        max_windows_per_run=cap,
        resources={"t1": {"dedicated": True}},
    )

    def shuffled(names):
        return random.sample(sorted(names), len(names))

    for day in days:
        as_of = START + day * DAY
        plain.run_until_done(as_of)
        other.run_until_done(as_of, cpu_budget=budget, max_shards=shards, order=shuffled)
        assert facts(plain) == facts(other)


@settings(max_examples=40)
@given(DAYS, st.sampled_from(["ingest", "train", "promote", "predict", "monitor"]), KILLS)
def test_what_keeps_failing_backs_off_and_the_others_are_served(days, stage, kills):
    fleet = simulate(broken={"t1": stage})
    for day in days:
        as_of = START + day * DAY
        for kill in kills:
            fleet.run(as_of, kill_after=kill)
        assert fleet.run_until_done(as_of) <= 4
    check_once(fleet)
    healthy = [fleet.folders[name] for name in ("t0", "t2")]
    assert all(folder.attempts and not folder.failures for folder in healthy)


def test_a_budget_starves_nobody_when_one_tenant_always_fails():
    fleet = simulate(4, broken={"t0": "predict"})
    for day in range(60):
        fleet.run(START + day * DAY, cpu_budget=0.1)
    for name in ("t1", "t2", "t3"):
        assert fleet.folders[name].attempts
        assert fleet.folders[name].receipts


UNTIL = parse_moment("2013-12-01")
BACKFILL = {"backfill_from": "2013-06-01", "backfill_to": "2013-12-01"}


@settings(max_examples=60)
@given(DAYS.map(sorted), KILLS, st.sampled_from(["then", "current"]), CAP)
def test_a_backfill_is_resumed_where_it_was_interrupted(days, kills, model, cap):
    broken, asked = simulate(max_windows_per_run=cap), BACKFILL | {"backfill_model": model}
    for day in days[:-1]:
        broken.run_until_done(START + day * DAY)
    whole = twin(broken)
    for day in days[:-1]:
        whole.run_until_done(START + day * DAY)
    as_of = START + days[-1] * DAY
    for kill in kills:
        broken.run(as_of, kill_after=kill, **asked)
    broken.run_until_done(as_of, **asked)
    whole.run_until_done(as_of, **asked)
    assert facts(broken) == facts(whole)
    check_once(broken)
    for folder in broken.folders.values():
        assert len({one.window for one in folder.receipts}) >= (as_of - START) // WEEK + 13
        if model == "current":
            current = folder.champion(as_of).current.version
            asked_for = {one for one in folder.receipts if one.window.start < UNTIL}
            by_current = {one.window for one in asked_for if one.model == current}
            assert by_current == {one.window for one in asked_for}


@pytest.mark.parametrize("cap", [1, 2])
def test_the_oldest_windows_come_first(cap):
    fleet = simulate(1, max_windows_per_run=cap)
    seen = []
    for _ in range(3):
        made = fleet.run(START + 4 * WEEK)
        seen += [
            text
            for due in made.tenants["t0"].due
            if due.action == "predict"
            for text in due.windows
        ]
        assert seen == sorted(seen)
