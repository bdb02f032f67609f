from datetime import UTC, datetime

import pytest

from tenantry.ledger import STAGES, Due
from tenantry.plans import Planned, RunPlan
from tenantry.simulation.cluster import Cluster
from tenantry.simulation.plans import say_run, simulate_plan

TRAIN = Due(action="train", reason="no model yet")


def planned(count, seconds=0.0):
    names = [f"t{number}" for number in range(count)]
    return RunPlan(
        run="run",
        product="late",
        title="Late",
        as_of=datetime(2013, 10, 1, tzinfo=UTC),
        shards=tuple(names),
        tenants={
            name: Planned(shard=name, due=(TRAIN,), rows=500, cpu_seconds=seconds) for name in names
        },
        pooled={},
    )


def test_a_plan_takes_what_its_tenants_are_estimated_to_take():
    idle, busy = (simulate_plan(planned(5, seconds), Cluster()) for seconds in (0.0, 100.0))
    assert busy.pods == idle.pods == 5 * (2 * len(STAGES) + 1) + 8
    assert busy.cpu - idle.cpu == pytest.approx(500.0)
    assert busy.wall > idle.wall


def test_it_is_said_in_a_sentence_where_there_is_work():
    said = say_run(planned(5, 1.0), Cluster())
    assert said.startswith("On a cluster some ")
    assert "73 pods (8 shards at once, 2 cores each)" in said
    assert say_run(planned(0), Cluster()) == ""
