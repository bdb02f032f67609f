import csv
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.bill import make_bill, write_bill
from tenantry.fleet import FleetState
from tenantry.ledger import STAGES, Cost, Due, Entry, Outcome
from tenantry.members import Member
from tenantry.plans import Planned, RunPlan

TRAIN = Due(action="train", reason="no model yet")


def member(tenant, shard, seconds, due=(TRAIN,)):
    outcomes = tuple(
        Outcome(
            stage=stage,
            status="done",
            cost=Cost(cpu_seconds=spent, bytes_read=1024, bytes_written=512),
        )
        for stage, spent in seconds.items()
    )
    entry = Entry(tenant=tenant, due=due, outcomes=outcomes)
    return Member(tenant, Planned(shard=shard, due=due), entry)


def state(members, processes=None, pooled=0.0):
    plan = RunPlan(
        run="run",
        product="late",
        title="Late",
        as_of=datetime(2013, 10, 1, tzinfo=UTC),
        shards=tuple(sorted({one.planned.shard for one in members if one.planned.shard})),
        tenants={one.tenant: one.planned for one in members},
        pooled={},
    )
    return FleetState(
        "run", "late", plan, tuple(members), pooled_process=pooled, processes=processes or {}
    )


def test_a_process_is_shared_by_those_whom_its_stage_worked_on():
    members = [
        member("a", "one", {"ingest": 1.0, "train": 4.0}),
        member("b", "one", {"ingest": 1.0}),
        member("c", "two", {"ingest": 1.0}),
    ]
    processes = {"one": {"ingest": 4.0, "train": 7.0}, "two": {"ingest": 2.0}}
    shared = [one.shared_cpu_seconds for one in make_bill(state(members, processes))]
    assert shared == [1.0 + 3.0, 1.0, 1.0]


def test_plan_report_and_pooled_model_are_shared_too():
    members = [member("a", "one", {}), member("b", "one", {}, due=())]
    processes = {"one": {"plan": 3.0}, "two": {"plan": 3.0}}
    trained, idle = make_bill(state(members, processes, pooled=10.0), reporting=1.0)
    assert trained.shared_cpu_seconds == 2.0 + 10.0  # the plan was made once
    assert idle.shared_cpu_seconds == 2.0


def test_what_the_check_took_is_shared_among_all():
    checked = replace(state([member("a", "one", {}), member("b", "one", {}, due=())]), checking=3.0)
    assert [one.shared_cpu_seconds for one in make_bill(checked)] == [1.5, 1.5]


def test_bytes_are_those_of_all_stages():
    (charge,) = make_bill(state([member("a", "one", {"ingest": 1.0, "train": 1.0})]))
    assert (charge.bytes_read, charge.bytes_written) == (2048, 1024)


SECONDS = st.floats(0, 1000)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["one", "two"]),
            st.dictionaries(st.sampled_from(STAGES), SECONDS),
            st.booleans(),
        ),
        min_size=1,
        max_size=6,
    ),
    st.floats(0, 100),
    st.floats(0, 100),
)
def test_charges_add_up_to_what_all_processes_took(tenants, extra, pooled):
    members = [
        member(f"t{number}", shard, seconds, (TRAIN,) if trains else ())
        for number, (shard, seconds, trains) in enumerate(tenants)
    ]
    processes = {
        shard: {
            stage: extra
            + sum(seconds.get(stage, 0.0) for name, seconds, _ in tenants if name == shard)
            for stage in STAGES
        }
        for shard in {shard for shard, _, _ in tenants}
    }
    whole = pooled + 2.5 + sum(sum(stages.values()) for stages in processes.values())
    charges = make_bill(state(members, processes, pooled), reporting=2.5)
    assert sum(one.cpu_seconds for one in charges) == pytest.approx(whole, abs=0.01)
    assert sum(one.share for one in charges) == pytest.approx(1.0, abs=1e-4)


def test_a_bill_is_a_line_a_tenant_and_readable():
    made = make_bill(state([member("a", "one", {"ingest": 1.5}), member("b", "one", {})]))
    first, second = csv.DictReader(write_bill(made).splitlines())
    assert first["tenant"] == "a"
    assert float(first["own_cpu_seconds"]) == 1.5
    assert float(first["share"]) == 1.0
    assert second["bytes_read"] == "0"


def test_a_run_that_did_nothing_costs_nobody_anything():
    (charge,) = make_bill(state([member("a", "", {}, due=())]))
    assert (charge.cpu_seconds, charge.share) == (0.0, 0.0)
