from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.costs import (
    ENOUGH,
    MEASURED,
    USUAL_ROWS,
    estimate_cost,
    estimate_pooled,
    learn_rates,
    usual_rows,
)
from tenantry.dispatch import find_tasks, find_training, make_run_plan
from tenantry.facts import Attempt
from tenantry.ledger import Due
from tenantry.pooling import split_zones
from tenantry.request import PlanRequest
from tenantry.states import TenantState
from tests.unit.tiny_fleet import make_fleet, make_spec

AS_OF = datetime(2013, 10, 1, tzinfo=UTC)
TRAIN = Due(action="train", reason="no model yet")


def windows(action, count):
    return Due(action=action, reason="r", windows=tuple(f"w{n}" for n in range(count)))


# --- costs ----------------------------------------------------------------------------------------


def test_a_stage_costs_what_it_did_when_it_was_last_measured():
    measured = {"ingest": 1.0, "build_features": 2.0, "train": 30.0, "promote": 4.0, "predict": 5.0}
    assert estimate_cost((TRAIN,), measured, 10) == 37.0
    assert estimate_cost((windows("predict", 4),), measured, 10) == 8.0
    assert estimate_cost((Due(action="retire", reason="r"),), measured, 10) == 4.0


def test_what_was_never_measured_is_estimated_by_rows():
    few, many = (estimate_cost((TRAIN,), {}, rows) for rows in (100, 100_000))
    assert 0.5 < few < 2 < many < 20


def test_a_fleets_own_rates_are_learnt_from_what_its_tenants_took():
    measured = [(rows, {"train": 2.0 + 0.001 * rows}) for rows in range(100, 100 + 50 * ENOUGH, 50)]
    rates = learn_rates(measured)
    assert rates["train"][:2] == pytest.approx((2.0, 0.001))
    assert rates["ingest"] == MEASURED["ingest"]  # nobody came through it
    stranger = estimate_cost((TRAIN,), {}, 10_000, rates)
    assert stranger - estimate_cost((TRAIN,), {}, 0, rates) == pytest.approx(10.0, rel=0.2)


def test_few_measured_tenants_teach_nothing():
    assert learn_rates([(10, {"train": 9.0})] * (ENOUGH - 1)) == MEASURED


@given(st.lists(st.tuples(st.integers(0, 10**6), st.floats(0, 1e4)), min_size=ENOUGH, max_size=30))
def test_learnt_rates_are_never_negative_and_keep_the_mean(points):
    rates = learn_rates([(rows, {"train": seconds}) for rows, seconds in points])
    start, rise, _ = rates["train"]
    assert start >= 0
    assert rise >= 0
    mean = sum(seconds for _, seconds in points) / len(points)
    usual = sum(rows for rows, _ in points) / len(points)
    assert start + rise * usual == pytest.approx(mean, rel=1e-6, abs=1e-6)


def test_windows_of_a_backfill_come_on_top_of_what_was_measured():
    usual = (windows("predict", 4),)
    more = (*usual, windows("backfill", 100))
    costs = {"ingest": 1.0, "build_features": 1.0, "predict": 1.0}
    assert estimate_cost(more, costs, 10) - estimate_cost(usual, costs, 10) == pytest.approx(1.0)


def test_nothing_due_costs_nothing():
    assert estimate_cost((), {"ingest": 9.0}, 10) == 0


def test_unknown_tenants_are_as_large_as_the_fleets_median():
    assert usual_rows([None, 10, 30, 500]) == 30
    assert usual_rows([None]) == USUAL_ROWS
    assert estimate_pooled(100_000) > estimate_pooled(0) > 0


# --- the plan of a run ----------------------------------------------------------------------------


def plan(states, *, pooled=None, **asked):
    specs = {name: make_spec(name) for name in states}
    request = PlanRequest("run", AS_OF, **asked)
    fleet = make_fleet(specs)
    tasks = find_tasks(request, specs.values(), states.__getitem__)
    zones = split_zones(specs.values(), AS_OF)
    return tasks, make_run_plan(request, fleet, tasks, pooled=pooled or {}, zones=zones)


def test_a_plan_tells_what_each_tenant_is_to_cost_and_was_promised():
    costs = {"ingest": 1.0, "build_features": 1.0, "train": 1.0, "promote": 1.0, "predict": 1.0}
    tasks, made = plan({"aa": TenantState(costs=costs), "ua": TenantState(retired=True, rows=70)})
    assert made.tenants["aa"].cpu_seconds == 5.0
    assert made.tenants["aa"].promised == datetime(2013, 9, 4, tzinfo=UTC)
    assert made.tenants["ua"].rows == 70
    assert {spec.tenant for spec in find_training(tasks)} == {"aa", "ua"}


def test_who_does_not_fit_stays_due_and_the_plan_says_so():
    _, made = plan({"aa": TenantState(), "ua": TenantState()}, cpu_budget=0.1)
    assert made.tenants["aa"].due
    waits = made.tenants["ua"]
    assert (waits.due, waits.shard) == ((), None)
    assert [due.action for due in waits.waiting] == ["train", "predict"]
    assert waits.note == "stays due: those promised earlier use up cpu_budget"
    assert made.cpu_seconds == made.tenants["aa"].cpu_seconds


def test_the_pooled_model_takes_its_part_of_the_budget():
    states = {"aa": TenantState(), "ua": TenantState()}
    _, alone = plan(states, cpu_budget=3.0)
    _, beside = plan(states, cpu_budget=3.0, pooled={"default": "there was none"})
    assert not any(one.waiting for one in alone.tenants.values())
    assert beside.pooled_cpu_seconds > 1
    assert [name for name, one in beside.tenants.items() if one.waiting] == ["ua"]
    assert beside.cpu_seconds == beside.pooled_cpu_seconds + beside.tenants["aa"].cpu_seconds


def test_a_pooled_model_can_be_all_that_is_due():
    attempt = Attempt(AS_OF, "v", make_spec("aa").training_digest)
    _, made = plan({"aa": TenantState(attempt=attempt, erased=True)}, pooled={"default": "tainted"})
    assert made.shards == ()
    assert made.needs_pooled
    assert not made.is_due("train")


def test_dedicated_tenants_are_dispatched_by_promise_where_shards_are_few():
    days = {"aa": 3, "b6": 1, "dl": 2}
    specs = {
        name: make_spec(
            name,
            resources={"dedicated": True},
            predict={"window": "7d", "start": AS_OF - timedelta(days=7 + n)},
        )
        for name, n in days.items()
    }
    request = PlanRequest("run", AS_OF, max_shards=1)
    fleet = make_fleet(specs)
    tasks = find_tasks(request, specs.values(), lambda tenant: TenantState())
    made = make_run_plan(request, fleet, tasks, pooled={}, zones=())
    assert made.shards == ("aa",)
