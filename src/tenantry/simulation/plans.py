"""What a run that was planned would take on a cluster."""

from collections import defaultdict

from tenantry.costs import USUAL_ROWS, estimate_stages
from tenantry.plans import Planned, RunPlan
from tenantry.simulation.cluster import Cluster, Taken, Work, simulate
from tenantry.simulation.fleets import make_shard
from tenantry.times import say_seconds


def simulate_plan(made: RunPlan, cluster: Cluster) -> Taken:
    """Simulate the run of a plan.

    Args:
        made: The plan; a tenant's estimate is split over its stages as its rows would have it.
        cluster: Where it runs.
    """
    shards: defaultdict[str, list[dict[str, float]]] = defaultdict(list)
    for planned in made.tenants.values():
        if planned.shard is not None:
            shards[planned.shard].append(_stages(planned))
    work = Work([make_shard(costs) for costs in shards.values()], (0.0, made.pooled_cpu_seconds))
    return simulate([work], cluster)


def say_run(made: RunPlan, cluster: Cluster) -> str:
    """Say in a sentence how long a planned run would take on a cluster; empty without shards."""
    if not made.shards:
        return ""
    taken = simulate_plan(made, cluster)
    return (
        f"On a cluster some {say_seconds(taken.wall)} and {taken.pods:,} pods "
        f"({cluster.parallel} shards at once, {cluster.workers} cores each)."
    )


def _stages(planned: Planned) -> dict[str, float]:
    stages = estimate_stages(planned.due, {}, planned.rows or USUAL_ROWS)
    whole = sum(stages.values()) or 1.0
    return {stage: planned.cpu_seconds * seconds / whole for stage, seconds in stages.items()}
