"""A whole run in one process, task by task, that can be killed at a moment or at an operation."""

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import Lock
from multiprocessing.sharedctypes import RawValue
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
        kill_seconds: Kill it so long after it began.
        kill_operation: Kill it at its n-th operation on the store, a link, a rename, a removal
            or a part of a request, before that is done.
        max_shards: Shards at most.
    """

    run: str
    as_of: str
    home: str
    env: dict[str, str] = field(default_factory=dict)
    kill_seconds: float | None = None
    kill_operation: int | None = None
    max_shards: int = 2


class Watch:
    """What the run and its workers tell whoever started it: shared memory, so that it outlives."""

    def __init__(self) -> None:
        self._task = RawValue("i", 0)
        self._operations = RawValue("q", 0)
        self._lock = Lock()

    @property
    def task(self) -> str:
        return TASKS[self._task.value]

    @property
    def operations(self) -> int:
        return int(self._operations.value)

    def enter(self, task: str) -> None:
        self._task.value = TASKS.index(task)

    def count(self, kill_at: int | None) -> None:
        with self._lock:
            self._operations.value += 1
            if self._operations.value == kill_at:
                os.killpg(0, signal.SIGKILL)


def watch_operations(watch: Watch, kill_at: int | None, folder: str) -> None:
    """Count this process's and its workers' operations on the store by the interpreter's audit.

    Args:
        watch: Where to count.
        kill_at: Kill the process group at this one.
        folder: The store's folder; requests are counted wherever they go.
    """

    def hear(event: str, args: tuple[Any, ...]) -> None:
        if event == "http.client.send" or (
            event in ("os.link", "os.rename", "os.remove") and _is_in(folder, args)
        ):
            watch.count(kill_at)

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
