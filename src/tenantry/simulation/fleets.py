"""A fleet to simulate: tenants of many sizes, packed and estimated as the planner does."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from tenantry.costs import estimate_pooled, estimate_stages
from tenantry.ledger import Due
from tenantry.packing import Parcel, divide, pack
from tenantry.simulation.cluster import Cluster, Shard, Taken, Work, count_runs, simulate

PLANNING = 0.0012
"""CPU-seconds of `plan` a tenant."""

REPORTING = 0.002
"""CPU-seconds of `report` a tenant."""

MOST_ARGUMENT = 100_000
"""Bytes that a component's argument may have; its limit is 128 KiB."""


@dataclass(frozen=True)
class Sizes:
    """How many labelled rows tenants have: log-normal.

    Attributes:
        median: Rows of the median tenant.
        spread: Standard deviation of the logarithm; 0: all are alike.
    """

    median: int = 1_000
    spread: float = 1.5

    def rows(self, tenants: int) -> list[int]:
        """Return the rows of each: evenly spaced quantiles, so that equal fleets are equal."""
        if not self.spread:
            return [self.median] * tenants
        normal = NormalDist(math.log(self.median), self.spread)
        quantiles = ((place + 0.5) / tenants for place in range(tenants))
        return [round(math.exp(normal.inv_cdf(quantile))) for quantile in quantiles]


@dataclass(frozen=True)
class Question:
    """What is simulated.

    Attributes:
        tenants: Of the fleet, all of one product and region.
        sizes: Their rows.
        windows: Windows to predict, and to judge, for each.
        trains: Whether each is trained.
        max_shards: Iterations of a run at most.
        run_tenants: Tenants of a run at most; more are divided into runs by `partition`.
        pooled_rows: The pooled model's sample at most.
    """

    tenants: int
    sizes: Sizes = Sizes()
    windows: int = 4
    trains: bool = True
    max_shards: int = 32
    run_tenants: int = 10_000
    pooled_rows: int = 100_000


@dataclass(frozen=True)
class Answer:
    """What came of it.

    Attributes:
        question: What was asked.
        runs: Runs that the fleet was divided into.
        shards: Of all runs.
        taken: What they took.
        tenant_seconds: CPU-seconds of the tenants' own work.
        argument: Bytes of the largest argument of a component: the names of a run's shards.
    """

    question: Question
    runs: int
    shards: int
    taken: Taken
    tenant_seconds: float
    argument: int

    @property
    def per_tenant(self) -> float:
        """CPU-seconds of everything, a tenant."""
        return self.taken.cpu / self.question.tenants


def ask(question: Question, cluster: Cluster) -> Answer:
    """Pack a fleet as the planner does and simulate its runs.

    Raises:
        PlanError: Its shards are too few.
    """
    rows = question.sizes.rows(question.tenants)
    sized = {f"t{number:06d}": size for number, size in enumerate(rows)}
    runs = count_runs(question.tenants, question.run_tenants)
    works: list[Work] = []
    shards, argument, own = 0, 2, 0.0
    for part, chosen in enumerate(divide(sized, runs)):
        work, names = _work(question, {name: sized[name] for name in chosen}, is_first=not part)
        works.append(work)
        shards += len(names)
        argument = max(argument, len(repr(names)))
        own += sum(sum(shard.stages.values()) for shard in work.shards)
    return Answer(question, runs, shards, simulate(works, cluster), round(own, 1), argument)


def _work(
    question: Question, sized: dict[str, int], *, is_first: bool
) -> tuple[Work, tuple[str, ...]]:
    """Return the work of one run, and the names of its shards."""
    due = _due(question)
    stages = {name: estimate_stages(due, {}, size) for name, size in sized.items()}
    parcels = [Parcel(name, "region", cost=sum(costs.values())) for name, costs in stages.items()]
    packed = pack(parcels, question.max_shards)
    sample = min(question.pooled_rows, sum(sized.values()))
    pooled = estimate_pooled(sample) if question.trains and is_first else 0.0
    count = len(sized)
    return (
        Work(
            [make_shard([stages[name] for name in names]) for names in packed.values()],
            before=(PLANNING * count, pooled),
            after=(0.0, REPORTING * count),
        ),
        tuple(packed),
    )


def _due(question: Question) -> Sequence[Due]:
    windows = tuple(str(number) for number in range(question.windows))
    due = [Due(action="train", reason="simulated")] if question.trains else []
    if windows:
        due += [
            Due(action="predict", reason="simulated", windows=windows),
            Due(action="monitor", reason="simulated", windows=windows),
        ]
    return due


def make_shard(costs: Sequence[dict[str, float]]) -> Shard:
    """Return the work of a shard from that of its tenants, each stage → CPU-seconds."""
    total: defaultdict[str, float] = defaultdict(float)
    longest: defaultdict[str, float] = defaultdict(float)
    for stages in costs:
        for stage, seconds in stages.items():
            total[stage] += seconds
            longest[stage] = max(longest[stage], seconds)
    return Shard(total, longest)
