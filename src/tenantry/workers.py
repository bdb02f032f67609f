"""Worker processes: each runs one tenant at a time under a memory and a time limit.

Workers are forked after the stage is imported, so a shard pays for its imports once. A worker that
dies or overruns is replaced, and only the tenant it was working for fails.
"""

import gc
import multiprocessing
import resource
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from threadpoolctl import threadpool_limits

from tenantry.errors import WorkerDiedError
from tenantry.ledger import Outcome

_FORK = multiprocessing.get_context("fork")
_GRACE_SECONDS = 5.0
_MEMORY_REMEDY = "raise resources.memory_mib"


@dataclass(frozen=True)
class Task:
    """One tenant's work in one stage.

    Attributes:
        tenant: Whose.
        run: What to do; called in the worker, must not raise an Exception.
        memory_mib: Memory that the worker may hold while it does it, MiB.
        timeout_seconds: Time it may take.
    """

    tenant: str
    run: Callable[[], Outcome]
    memory_mib: int
    timeout_seconds: float


@dataclass
class _Worker:
    process: BaseProcess
    connection: Connection
    task: Task | None = None
    deadline: float = field(default=float("inf"))


def run_tasks(
    tasks: Sequence[Task], workers: int, *, on_start: Callable[[str], None]
) -> Iterator[tuple[str, Outcome | WorkerDiedError]]:
    """Run `tasks` in at most `workers` processes.

    Args:
        tasks: What to run, one a tenant.
        workers: Processes at most.
        on_start: Called with the tenant's name before a worker begins with it.

    Yields:
        As they finish: the tenant, and its outcome or how its worker died.
    """
    pending = deque(range(len(tasks)))
    pool: list[_Worker] = []
    gc.freeze()  # workers share what is imported by now, instead of copying it page by page
    try:
        while pending or any(worker.task for worker in pool):
            while pending and (idle := _idle_worker(pool, tasks, workers)):
                number = pending.popleft()
                on_start(tasks[number].tenant)
                if not _assign(idle, tasks[number], number):
                    pool.remove(idle)
                    pending.appendleft(number)
            yield from _collect(pool)
    finally:
        gc.unfreeze()
        for worker in pool:
            _dismiss(worker)


def _assign(worker: _Worker, task: Task, number: int) -> bool:
    """Hand a task to an idle worker; say whether it was alive to take it."""
    try:
        worker.connection.send(number)
    except OSError:
        worker.process.join()
        worker.connection.close()
        return False
    worker.task, worker.deadline = task, time.monotonic() + task.timeout_seconds
    return True


def _idle_worker(pool: list[_Worker], tasks: Sequence[Task], workers: int) -> _Worker | None:
    for worker in pool:
        if worker.task is None:
            return worker
    if len(pool) >= workers:
        return None
    ours, theirs = _FORK.Pipe()
    inherited = [worker.connection for worker in pool]
    process = _FORK.Process(target=_serve, args=(tasks, theirs, [ours, *inherited]))
    process.start()
    theirs.close()
    pool.append(_Worker(process, ours))
    return pool[-1]


def _serve(tasks: Sequence[Task], connection: Connection, inherited: list[Connection]) -> None:
    """Do what comes down the pipe, until it closes; the body of a worker."""
    for other in inherited:  # so that a shard's death closes every worker's pipe
        other.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with threadpool_limits(1):
        while True:
            try:
                task = tasks[connection.recv()]
                _limit_memory(task.memory_mib)
                connection.send(task.run())
            except (EOFError, BrokenPipeError):
                return


def _limit_memory(mib: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (mib << 20, hard))


def _collect(pool: list[_Worker]) -> Iterator[tuple[str, Outcome | WorkerDiedError]]:
    """Wait until a worker answers, dies or overruns; yield what came of its task."""
    busy = [worker for worker in pool if worker.task]
    patience = max(0.0, min(worker.deadline for worker in busy) - time.monotonic())
    ready = wait(
        [worker.connection for worker in busy], None if patience == float("inf") else patience
    )
    for worker in busy:
        if worker.connection in ready:
            outcome = _receive(worker)
        elif worker.deadline <= time.monotonic():
            outcome = _overrun(worker)
        else:
            continue
        task, worker.task = worker.task, None
        if isinstance(outcome, WorkerDiedError):
            pool.remove(worker)
        if task:
            yield task.tenant, outcome


def _receive(worker: _Worker) -> Outcome | WorkerDiedError:
    try:
        outcome: Outcome = worker.connection.recv()
    except (EOFError, OSError):
        worker.process.join()
        worker.connection.close()
        return WorkerDiedError(_cause_of_death(worker.process.exitcode))
    return outcome


def _cause_of_death(exitcode: int | None) -> str:
    if exitcode == -signal.SIGKILL:
        return f"the worker was killed, probably for its memory; {_MEMORY_REMEDY}"
    if exitcode is not None and exitcode < 0:
        name = signal.Signals(-exitcode).name
        return f"the worker died of {name}; if it is out of memory, {_MEMORY_REMEDY}"
    return f"the worker ended by itself with code {exitcode}; see the log of the stage"


def _overrun(worker: _Worker) -> WorkerDiedError:
    seconds = worker.task.timeout_seconds if worker.task else 0
    worker.process.kill()
    worker.process.join()
    worker.connection.close()
    return WorkerDiedError(f"took longer than {seconds:.0f} s; raise resources.timeout")


def _dismiss(worker: _Worker) -> None:
    worker.connection.close()
    worker.process.join(0 if worker.task else _GRACE_SECONDS)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()
