"""A process that has imported all that a run needs, and forks runs that begin at once.

Each run is a process group of its own, so that it can be killed whole, workers included.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

from tests.crash.driver import Order, Watch, make_run, watch_operations

_PR_SET_CHILD_SUBREAPER = 36
_STAGES = ("build_features", "ingest", "monitor", "plan", "predict", "promote", "train")


@dataclass(frozen=True)
class End:
    """How a run ended.

    Attributes:
        run: Its id.
        code: Its exit code; negative: the signal that killed it.
        task: What it was at last.
        struck: What it was at when it, or its store, was struck; empty when nothing was.
        operations: Its operations on the store.
        entered: Task → seconds before it first began.
        seconds: How long it took.
        cpu_seconds: Its CPU time, workers included; of a killed one without those.
        log: What it said.
    """

    run: str
    code: int
    task: str
    struck: str
    operations: int
    entered: dict[str, float]
    seconds: float
    cpu_seconds: float
    log: str

    def span(self, task: str) -> float:
        """Return how many seconds passed from a task's beginning to the next one's, or the end."""
        begins = (when for when in self.entered.values() if when > self.entered[task])
        return min(begins, default=self.seconds) - self.entered[task]

    @property
    def is_killed(self) -> bool:
        return self.code == -signal.SIGKILL


class Zygote:
    """The process, seen from the tests."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.zygote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=60)

    def run(self, *orders: Order) -> list[End]:
        """Make runs, all at once, and wait until each has ended."""
        return self.finish(self.start(*orders))

    def start(self, *orders: Order) -> int:
        """Begin with runs; meanwhile the store may be stopped."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps([asdict(order) for order in orders]) + "\n")
        self._process.stdin.flush()
        return len(orders)

    def finish(self, started: int) -> list[End]:
        """Wait until the runs begun have ended."""
        assert self._process.stdout
        ends = json.loads(self._process.stdout.readline())
        assert len(ends) == started
        return [End(**end) for end in ends]


# --- inside ---------------------------------------------------------------------------------------


@dataclass
class _Run:
    order: Order
    watch: Watch
    pid: int
    began: float


def main() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)  # workers whose run was killed come to us
    said = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for stage in _STAGES:
        module = import_module(f"tenantry.stages.{stage}")
        if preload := getattr(module, "preload", None):
            with suppress(AttributeError):  # of no spec
                preload([])
    import_module("tenantry.stages.train_pooled")
    learnt: set[str] = set()
    for line in sys.stdin:
        runs = [_fork(Order(**order)) for order in json.loads(line)]
        ends = [_await(run) for run in runs]
        said.write(json.dumps([asdict(end) for end in ends]) + "\n")
        said.flush()
        for run in runs:
            learnt |= _learn(run.order, learnt)


def _fork(order: Order) -> _Run:
    watch = Watch()
    sys.stdout.flush()
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        code = 2
        try:
            code = _be_run(order, watch)
        finally:
            os._exit(code)
    with suppress(OSError):
        os.setpgid(pid, pid)  # both sides, or a kill could come too early
    return _Run(order, watch, pid, began)


def _be_run(order: Order, watch: Watch) -> int:
    with suppress(OSError):
        os.setpgid(0, 0)
    os.environ.update(order.env)
    Path(order.home).mkdir(parents=True, exist_ok=True)
    log = os.open(_log(order), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(log, stream)
    store = urlsplit(order.env["TENANTRY_STORE"])
    folder = unquote(store.path) if store.scheme == "file" else ""
    watch_operations(watch, order, folder)
    before = set(sys.modules)
    code = make_run(order, watch.enter)
    Path(_log(order) + ".modules").write_text("\n".join(sorted(set(sys.modules) - before)))
    return code


def _await(run: _Run) -> End:
    is_struck = False
    while True:
        pid, status, usage = os.wait4(run.pid, os.WNOHANG)
        if pid:
            break
        if not is_struck and _is_due(run):
            run.watch.strike(run.order, run.pid)
            is_struck = True
        else:
            time.sleep(0.001)
    seconds = time.monotonic() - run.began
    _bury(run.pid)
    return End(
        run=run.order.run,
        code=os.waitstatus_to_exitcode(status),
        task=run.watch.task,
        struck=run.watch.struck,
        operations=run.watch.operations,
        entered={task: when - run.began for task, when in run.watch.entered.items()},
        seconds=seconds,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        log=_log(run.order),
    )


def _is_due(run: _Run) -> bool:
    """Say whether the moment has come to strike."""
    order = run.order
    if order.strike_seconds is None:
        return False
    began = run.watch.entered.get(order.strike_task) if order.strike_task else run.began
    return began is not None and time.monotonic() >= began + order.strike_seconds


def _bury(group: int) -> None:
    """Wait until no process of the group is left: orphaned workers end by themselves, or die."""
    deadline = time.monotonic() + 30
    with suppress(ChildProcessError):
        while True:
            if os.waitpid(-group, os.WNOHANG)[0] == 0:
                time.sleep(0.001)
            if time.monotonic() > deadline:
                os.killpg(group, signal.SIGKILL)


def _log(order: Order) -> str:
    return f"{order.home}/{order.run}.log"


def _learn(order: Order, known: set[str]) -> set[str]:
    """Import what a run had to import itself."""
    path = Path(_log(order) + ".modules")
    names = set(path.read_text().split()) - known if path.exists() else set()
    for name in sorted(names):
        with suppress(Exception):
            import_module(name)
    return names


if __name__ == "__main__":
    main()
