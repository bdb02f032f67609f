import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenantry.ledger import STAGES
from tenantry.simulation import cluster as simulated
from tenantry.simulation.cluster import (
    DRIVER,
    IMPORTS,
    MACHINERY,
    MOST_STATUS,
    START,
    Cluster,
    Shard,
    Work,
    simulate,
)

OUTSIDE = 4


def shard(seconds, longest=None):
    return Shard(dict.fromkeys(STAGES, seconds), dict.fromkeys(STAGES, longest or seconds))


@pytest.mark.parametrize(
    ("shards", "stages", "parallel", "seconds"), [(3, 6, 4, 171.0), (10, 9, 16, 436.0)]
)
def test_it_agrees_with_runs_that_were_timed_on_a_real_backend(
    monkeypatch, shards, stages, parallel, seconds
):
    names = tuple(f"stage-{number}" for number in range(stages))
    monkeypatch.setattr(simulated, "STAGES", names)
    monkeypatch.setattr(simulated, "IMPORTS", dict.fromkeys((*IMPORTS, *names), 0.7))
    cluster = Cluster(cores=2, workers=1, parallel=parallel, requeue=0.5)
    empty = Work([Shard({}, {})] * shards)
    assert simulate([empty], cluster).wall == pytest.approx(seconds, rel=0.1)


def test_pods_are_a_driver_and_an_executor_a_stage_and_a_driver_a_shard():
    taken = simulate([Work([shard(0.0)] * 5)], Cluster())
    assert taken.pods == 5 * (2 * len(STAGES) + 1) + 2 * OUTSIDE


def test_status_grows_with_the_largest_runs_shards():
    few, many = (simulate([Work([shard(0.0)] * count)], Cluster()).status for count in (10, 46))
    assert many == pytest.approx(4.6 * few)
    nine_stages = many * 9 / len(STAGES)
    assert nine_stages == pytest.approx(MOST_STATUS, rel=0.03)  # where real runs broke


def test_a_small_run_is_short_where_the_controller_looks_often():
    run = [Work([shard(0.1)])]
    lazy, quick = (simulate(run, Cluster(requeue=seconds)).wall for seconds in (10.0, 0.5))
    assert lazy > 1.4 * quick


def test_one_dear_tenant_keeps_its_shard_from_gaining_by_a_second_core():
    one, two = (simulate([Work([shard(600.0, 600.0)])], Cluster(workers=n)).wall for n in (1, 2))
    assert two == pytest.approx(one)
    many_small = simulate([Work([shard(600.0, 1.0)])], Cluster(workers=2)).wall
    assert many_small < 0.6 * two


@given(
    st.lists(st.floats(0, 50), max_size=12),
    st.integers(1, 8),
    st.integers(1, 4),
    st.integers(1, 16),
    st.sampled_from([0.0, 0.5, 10.0]),
)
@settings(max_examples=25, deadline=None)
def test_no_work_is_lost_and_no_core_does_two_things_at_once(
    work, parallel, workers, cores, requeue
):
    cluster = Cluster(cores, workers, parallel, requeue)
    taken = simulate([Work([shard(seconds) for seconds in work])], cluster)
    pods = len(work) * (2 * len(STAGES) + 1) + 2 * OUTSIDE
    drivers = pods - len(work) * len(STAGES) - OUTSIDE
    imports = sum(IMPORTS[stage] for stage in STAGES) * len(work)
    imports += sum(IMPORTS[name] for name in ("plan", "train_pooled", "check_fleet", "report"))
    wanted = pods * MACHINERY + drivers * DRIVER + imports + len(STAGES) * sum(work)
    assert taken.pods == pods
    assert taken.cpu == pytest.approx(wanted)
    assert taken.wall * cores >= wanted / cluster.workers - 1e-6
    longest = max(work, default=0.0)
    assert taken.wall >= 2 * OUTSIDE * (START + MACHINERY) + len(STAGES) * longest / workers
    assert math.isfinite(taken.wall)


@given(st.integers(1, 6), st.floats(0, 30))
@settings(max_examples=20, deadline=None)
def test_more_cores_never_make_a_run_longer(shards, seconds):
    run = [Work([shard(seconds)] * shards)]
    few, many = (simulate(run, Cluster(cores=cores, requeue=0.0)).wall for cores in (2, 64))
    assert many <= few + 1e-6


def test_runs_share_the_cores():
    run = Work([shard(100.0)] * 4)
    alone, together = (
        simulate([run] * count, Cluster(cores=8, workers=2)).wall for count in (1, 4)
    )
    assert together > 2 * alone
