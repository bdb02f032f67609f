"""A whole run in one process, task by task; it, or its store, can be struck down at any point."""

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import Lock
from multiprocessing.sharedctypes import RawArray, RawValue
from pathlib import Path
from typing import Any

from tenantry.ledger import STAGES
from tenantry.request import PlanRequest
from tenantry.tasks import check_run, plan_run, report_run, run_shard, train_pooled_run
from tenantry.times import parse_moment
from tests.crash.tiny import PRODUCT

TASKS = ("plan", "train_pooled", *STAGES, "check_fleet", "report")
"""What a run goes through; the parts of the loop once a shard."""


@dataclass(frozen=True)
class Order:
    """A run to be made.

    Attributes:
        run: Its id.
        as_of: Its logical time.
        home: A folder for what its tasks hand over.
        env: Its environment, the store's address included.
        strike_seconds: Strike so long after it began, or after the task below did.
        strike_task: Which task; empty for the run.
        strike_operation: Strike at its n-th operation on the store, a link, a rename, a removal
            or a part of a request, before that is done.
        victim: The process that is struck; 0 for the run itself, workers included.
        strike_signal: What it is struck with.
        max_shards: Shards at most.
    """

    run: str
    as_of: str
    home: str
    env: dict[str, str] = field(default_factory=dict)
    strike_seconds: float | None = None
    strike_task: str = ""
    strike_operation: int | None = None
    victim: int = 0
    strike_signal: int = signal.SIGKILL
    max_shards: int = 2

    def strike(self, group: int) -> None:
        """Strike the victim, or the run whose process group is told (0: one's own)."""
        if self.victim:
            with suppress(ProcessLookupError):
                os.kill(self.victim, self.strike_signal)
        else:
            os.killpg(group, self.strike_signal)


class Watch:
    """What the run and its workers tell whoever started it: shared memory, so that it outlives."""

    def __init__(self) -> None:
        self._task = RawValue("i", 0)
        self._struck = RawValue("i", -1)
        self._operations = RawValue("q", 0)
        self._entered = RawArray("d", len(TASKS))
        self._lock = Lock()

    @property
    def task(self) -> str:
        return TASKS[self._task.value]

    @property
    def struck(self) -> str:
        """The task that was under way at the strike; empty before."""
        return TASKS[self._struck.value] if self._struck.value >= 0 else ""

    @property
    def operations(self) -> int:
        return int(self._operations.value)

    @property
    def entered(self) -> dict[str, float]:
        """Task → when it first began, by the monotonic clock."""
        return {task: when for task, when in zip(TASKS, self._entered, strict=True) if when}

    def enter(self, task: str) -> None:
        number = self._task.value = TASKS.index(task)
        self._entered[number] = self._entered[number] or time.monotonic()

    def strike(self, order: Order, group: int = 0) -> None:
        """Strike, and remember at what."""
        self._struck.value = self._task.value
        order.strike(group)

    def count(self, order: Order) -> None:
        with self._lock:
            self._operations.value += 1
            if self._operations.value == order.strike_operation:
                self.strike(order)


def watch_operations(watch: Watch, order: Order, folder: str) -> None:
    """Count this process's and its workers' operations on the store by the interpreter's audit.

    Args:
        watch: Where to count.
        order: Says at which of them to strike.
        folder: The store's folder; requests are counted wherever they go.
    """

    def hear(event: str, args: tuple[Any, ...]) -> None:
        if event in ("tenantry.request", "http.client.send") or (
            event in ("os.link", "os.rename", "os.remove") and _is_in(folder, args)
        ):
            watch.count(order)

    sys.addaudithook(hear)


def _is_in(folder: str, args: tuple[Any, ...]) -> bool:
    return bool(folder) and str(args[0]).startswith(folder)


def make_run(order: Order, enter: Callable[[str], None]) -> int:
    """Make a run; return 0, or 1 when a task failed: the others of its shard are then not run.

    As in the pipeline, the other shards go on and the report comes whatever happened.
    """
    folder = Path(order.home) / order.run
    folder.mkdir(parents=True)
    try:
        failures = _make_tasks(order, folder, enter)
    except Exception as error:
        failures = [error]
    enter("report")
    status = "FAILED" if failures else "SUCCEEDED"
    for error in failures:
        print("task failed:", repr(error), flush=True)
    try:
        report_run(order.run, PRODUCT, status, f"{folder}/page.html", f"{folder}/report.md")
    except Exception as error:
        print("report failed:", repr(error), flush=True)
        return 1
    return 1 if failures else 0


def _make_tasks(order: Order, folder: Path, enter: Callable[[str], None]) -> list[Exception]:
    enter("plan")
    request = PlanRequest(order.run, parse_moment(order.as_of), max_shards=order.max_shards)
    shards = plan_run(PRODUCT, request, f"{folder}/plan", f"{folder}/plan.md")
    enter("train_pooled")
    train_pooled_run(f"{folder}/plan", f"{folder}/pooled", f"{folder}/pooled.md")
    failures = []
    for shard in shards:
        try:
            _make_shard(shard, folder, enter)
        except Exception as error:
            failures.append(error)
    if not failures:
        enter("check_fleet")
        check_run(order.run, 0.0, f"{folder}/verdict.md")
    return failures


def _make_shard(shard: str, folder: Path, enter: Callable[[str], None]) -> None:
    before, first = f"{folder}/plan", {"shard": shard, "pooled_path": f"{folder}/pooled"}
    for stage in STAGES:
        enter(stage)
        after = f"{folder}/{shard}.{stage}"
        run_shard(stage, before, after, f"{after}.md", **first)
        before, first = after, {}
