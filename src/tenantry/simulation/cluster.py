"""A simulated cluster: pods that wait for the controller, for cores, and for the pods before them.

The constants were measured on a real Kubeflow Pipelines 2.17 backend (Argo 4.0.8) and, imports, on
two cores; `tests/unit/simulation/test_cluster.py` holds the simulation against two runs that were
timed there.
"""

import heapq
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tenantry.ledger import STAGES

MACHINERY = 3.3
"""CPU-seconds of a pod besides what runs in it: container start, Argo, the control plane."""

DRIVER = 0.7
"""CPU-seconds inside a driver's pod."""

START = 3.3
"""Seconds between a pod's being made and its using a core."""

IMPORTS = {
    "plan": 0.9,
    "train_pooled": 3.4,
    "ingest": 1.3,
    "build_features": 1.2,
    "train": 3.4,
    "promote": 3.4,
    "predict": 3.7,
    "monitor": 5.7,
    "check_fleet": 0.9,
    "report": 0.9,
}
"""Stage → CPU-seconds of a cold start."""

STATUS_BYTES = 2_500
"""Of Argo's compressed status for a shard's stage: 224 KB for 10 shards of 9 stages."""

MOST_STATUS = 1 << 20
"""Bytes past which Argo cannot store a run."""


@dataclass(frozen=True)
class Cluster:
    """What a run has at its disposal.

    Attributes:
        cores: CPU cores of all nodes.
        workers: Of them, those that a shard uses (its `cpu_limit`).
        parallel: Shards that a run works on at once.
        requeue: Argo's `DEFAULT_REQUEUE_TIME`, seconds.
    """

    cores: int = 32
    workers: int = 2
    parallel: int = 8
    requeue: float = 10.0


@dataclass(frozen=True)
class Shard:
    """The work of a shard's tenants.

    Attributes:
        stages: Stage → CPU-seconds of all its tenants.
        longest: Stage → those of the dearest tenant, which one worker does alone.
    """

    stages: Mapping[str, float]
    longest: Mapping[str, float]


@dataclass(frozen=True)
class Work:
    """The work of a run.

    Attributes:
        shards: Its shards.
        before: CPU-seconds of `plan` and `train_pooled`.
        after: Of `check_fleet` and `report`.
    """

    shards: Sequence[Shard]
    before: tuple[float, float] = (0.0, 0.0)
    after: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Taken:
    """What a run, or several, took.

    Attributes:
        wall: Seconds until the last one had ended.
        pods: How many.
        cpu: CPU-seconds of all pods.
        machinery: Of them, Kubernetes' and Argo's.
        imports: Of them, cold starts of stages.
        status: Compressed bytes of the largest run's status.
    """

    wall: float
    pods: int
    cpu: float
    machinery: float
    imports: float
    status: int


@dataclass(frozen=True)
class _Pod:
    """A pod and where it stands: in which run, in which shard (-1: in none), how far along."""

    run: int
    shard: int
    step: int


@dataclass
class _Clock:
    """The state of the simulation: events by time, cores in use, pods that wait for some."""

    cluster: Cluster
    now: float = 0.0
    events: list[tuple[float, int, _Pod]] = field(default_factory=list)
    waiting: list[tuple[int, _Pod, float, float]] = field(default_factory=list)
    free: float = 0.0
    count: int = 0

    def after(self, seconds: float, pod: _Pod) -> None:
        self.count += 1
        heapq.heappush(self.events, (self.now + seconds, self.count, pod))

    def tick(self) -> float:
        """Return the seconds until the controller looks again."""
        step = self.cluster.requeue
        return step - self.now % step if step else 0.0


def simulate(runs: Sequence[Work], cluster: Cluster) -> Taken:
    """Simulate runs that start together and share a cluster.

    A stage is a driver's pod, then an executor's; a pod starts when the controller next looks after
    the one before has ended, and when enough cores are free. Of each run at most `parallel` shards
    are under way.

    Args:
        runs: The runs.
        cluster: Where they run.
    """
    clock = _Clock(cluster, free=float(cluster.cores))
    playing = [_Run(number, work, cluster) for number, work in enumerate(runs)]
    for run in playing:
        clock.after(START, _Pod(run.number, -1, 0))
    held: dict[_Pod, float] = {}
    while clock.events:
        clock.now, _, pod = heapq.heappop(clock.events)
        run = playing[pod.run]
        if pod in held:  # it has ended
            clock.free += held.pop(pod)
            for following in run.after(pod):
                clock.after(clock.tick() + START, following)
        else:  # it has been made, and wants cores
            clock.waiting.append((len(clock.waiting), pod, run.cores(pod), run.seconds(pod)))
        clock.waiting = _start_waiting(clock, held)
    pods = sum(run.pods for run in playing)
    imports = sum(run.imports for run in playing)
    work = sum(run.work_seconds for run in playing)
    machinery = MACHINERY * pods
    stages = max((len(run.work.shards) for run in playing), default=0) * len(STAGES)
    return Taken(
        clock.now, pods, machinery + imports + work, machinery, imports, STATUS_BYTES * stages
    )


def _start_waiting(clock: _Clock, held: dict[_Pod, float]) -> list[tuple[int, _Pod, float, float]]:
    """Start the pods for which there are cores, first come first served; return the others."""
    left: list[tuple[int, _Pod, float, float]] = []
    for place, pod, cores, seconds in clock.waiting:
        if not left and cores <= clock.free + 1e-9:
            clock.free -= cores
            held[pod] = cores
            clock.after(seconds, pod)
        else:
            left.append((place, pod, cores, seconds))
    return left


_BEFORE, _AFTER = ("plan", "train_pooled"), ("check_fleet", "report")
_OUTSIDE = len(_BEFORE) + len(_AFTER)


@dataclass
class _Run:
    """One run: which pods there are, what each takes, and which follow."""

    number: int
    work: Work
    cluster: Cluster
    started: int = 0
    ended: int = 0
    pods: int = 0
    imports: float = 0.0
    work_seconds: float = 0.0

    def after(self, pod: _Pod) -> list[_Pod]:
        """Return the pods that follow on one that has ended."""
        if pod.shard < 0:
            if pod.step == 2 * len(_BEFORE) - 1:
                return self._next_shards() or [self._outside(pod.step + 1)]
            return [self._outside(pod.step + 1)] if pod.step < 2 * _OUTSIDE - 1 else []
        if pod.step < 2 * len(STAGES):
            return [_Pod(self.number, pod.shard, pod.step + 1)]
        self.ended += 1
        if self.ended == len(self.work.shards):
            return [self._outside(2 * len(_BEFORE))]
        return self._next_shards()

    def _next_shards(self) -> list[_Pod]:
        """Return the first pods (the iteration's driver) of shards that there is room for."""
        room = self.cluster.parallel - (self.started - self.ended)
        first = self.started
        self.started = min(len(self.work.shards), first + room)
        return [_Pod(self.number, shard, 0) for shard in range(first, self.started)]

    def _outside(self, step: int) -> _Pod:
        return _Pod(self.number, -1, step)

    def cores(self, pod: _Pod) -> float:
        """Return the cores that a pod holds: an executor's of a shard as many as it has workers."""
        is_shards_executor = pod.shard >= 0 and pod.step > 0 and pod.step % 2 == 0
        wanted = self.cluster.workers if is_shards_executor else 1
        return float(min(wanted, self.cluster.cores))

    def seconds(self, pod: _Pod) -> float:
        """Return how long a pod runs, and count what it takes."""
        self.pods += 1
        if pod.shard >= 0:
            return self._shard_seconds(pod)
        if pod.step % 2 == 0:
            return MACHINERY + self._drive()
        place = pod.step // 2
        stage = (*_BEFORE, *_AFTER)[place]
        work = (*self.work.before, *self.work.after)[place]
        self.imports += IMPORTS[stage]
        self.work_seconds += work
        return MACHINERY + IMPORTS[stage] + work

    def _drive(self) -> float:
        self.work_seconds += DRIVER
        return DRIVER

    def _shard_seconds(self, pod: _Pod) -> float:
        if pod.step == 0 or pod.step % 2:
            return MACHINERY + self._drive()
        stage, shard = STAGES[pod.step // 2 - 1], self.work.shards[pod.shard]
        work, longest = shard.stages.get(stage, 0.0), shard.longest.get(stage, 0.0)
        self.imports += IMPORTS[stage]
        self.work_seconds += work
        return MACHINERY + IMPORTS[stage] + max(longest, work / self.cores(pod))


def count_runs(tenants: int, most: int) -> int:
    """Return into how many runs (partitions) a fleet is divided.

    Args:
        tenants: Of the fleet.
        most: Of a run.
    """
    return max(1, math.ceil(tenants / most))
