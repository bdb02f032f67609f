"""Worker processes: each runs one tenant at a time under a memory and a time limit.

Workers are forked after the stage is imported, so a shard pays for its imports once. A worker that
dies or overruns is replaced, and only the tenant it was working for fails. What a worker says is
read as JSON, never unpickled, and never waited for: code that works for a tenant has no say over
the shard.
"""

import gc
import multiprocessing
import resource
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector

from threadpoolctl import threadpool_limits

from tenantry.errors import WorkerDiedError
from tenantry.isolation.channel import Channel
from tenantry.isolation.errands import ERRAND
from tenantry.isolation.forks import Forked, Forks
from tenantry.jobs import Assignment
from tenantry.ledger import Outcome

_FORK = multiprocessing.get_context("fork")
_MAX_MESSAGE = 64 << 20
_GRACE_SECONDS = 5.0
_FOREVER = float("inf")
_HELD = 0.5
"""Share of the next tenant's memory that a worker may have held: freed, some of it still counts."""
_MEMORY_REMEDY = "raise resources.memory_mib"


@dataclass(frozen=True)
class Task:
    """One tenant's work in one stage.

    Attributes:
        tenant: Whose.
        run: What to do; called in the worker, must not raise an Exception.
        memory_mib: Memory that the worker may hold while it does it, MiB.
        timeout_seconds: Time it may take.
        assign: Makes what a worker of a nursery is given instead of `run`, which it cannot see.
        answer: Does what the worker asks for besides; see `tenantry.isolation.errands`.
    """

    tenant: str
    run: Callable[[], Outcome]
    memory_mib: int
    timeout_seconds: float
    assign: Callable[[], Assignment] | None = None
    answer: Callable[[bytes], bytes] | None = None


@dataclass
class _Worker:
    process: Forked
    channel: Channel
    task: Task | None = None
    deadline: float = field(default=_FOREVER)
    held_mib: float = 0.0


def run_tasks(
    tasks: Sequence[Task],
    workers: int,
    *,
    on_start: Callable[[str], None],
    nursery: Forks | None = None,
) -> Iterator[tuple[str, Outcome | WorkerDiedError]]:
    """Run `tasks` in at most `workers` processes.

    Args:
        tasks: What to run, one a tenant.
        workers: Processes at most.
        on_start: Called with the tenant's name before a worker begins with it.
        nursery: Forks the workers, which are given the tasks' `assign`; where it says so each is
            for one tenant, and after a failure it always gives a new one. When None they are
            forked from this process.

    Yields:
        As they finish: the tenant, and its outcome or how its worker died.
    """
    pending = deque(range(len(tasks)))
    pool: list[_Worker] = []
    gc.freeze()  # workers share what is imported by now, instead of copying it page by page
    try:
        while pending or any(worker.task for worker in pool):
            while pending and (idle := _idle_worker(pool, tasks, pending[0], workers, nursery)):
                number = pending.popleft()
                on_start(tasks[number].tenant)
                assign = tasks[number].assign
                if not _assign(idle, tasks[number], assign() if nursery and assign else number):
                    pool.remove(idle)
                    pending.appendleft(number)
            for worker, outcome in _collect(pool):
                task, worker.task = worker.task, None
                if nursery and worker in pool and (nursery.alone or _has_failed(outcome)):
                    pool.remove(worker)
                    _dismiss(worker)
                if task:
                    yield task.tenant, outcome
    finally:
        gc.unfreeze()
        for worker in pool:
            _dismiss(worker)


def _has_failed(outcome: Outcome | WorkerDiedError) -> bool:
    return isinstance(outcome, WorkerDiedError) or outcome.status == "failed"


def _assign(worker: _Worker, task: Task, work: object) -> bool:
    """Hand a task to an idle worker; say whether it was alive to take it."""
    try:
        worker.channel.send(bytes(ForkingPickler.dumps(work)))
    except OSError:
        _end(worker, _GRACE_SECONDS)
        return False
    worker.task, worker.deadline = task, time.monotonic() + task.timeout_seconds
    return True


def _idle_worker(
    pool: list[_Worker], tasks: Sequence[Task], number: int, workers: int, nursery: Forks | None
) -> _Worker | None:
    """Return an idle worker for a task, a new one where there is none with the memory for it."""
    for worker in [worker for worker in pool if worker.task is None]:
        if worker.held_mib <= _HELD * tasks[number].memory_mib:
            return worker
        pool.remove(worker)
        _dismiss(worker)
    if len(pool) >= workers:
        return None
    process, connection = nursery.fork() if nursery else _fork(pool, tasks)
    pool.append(_Worker(process, Channel(connection, _MAX_MESSAGE)))
    return pool[-1]


def _fork(pool: list[_Worker], tasks: Sequence[Task]) -> tuple[Forked, Connection]:
    ours, theirs = _FORK.Pipe()
    inherited = [worker.channel for worker in pool]
    process = _FORK.Process(target=_serve, args=(tasks, theirs, [ours, *inherited]))
    process.start()
    theirs.close()
    return process, ours


def _serve(
    tasks: Sequence[Task], connection: Connection, inherited: Sequence[Connection | Channel]
) -> None:
    """Do what comes down the pipe, until it closes; the body of a worker."""
    for other in inherited:  # so that a shard's death closes every worker's pipe
        other.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with threadpool_limits(1):
        while True:
            try:
                task = tasks[connection.recv()]
                _limit_memory(task.memory_mib)
                connection.send_bytes(task.run().to_json())
            except (EOFError, BrokenPipeError):
                return


def serve_assignments(
    connection: Connection, run: Callable[[Assignment, Connection], Outcome]
) -> None:
    """Do what comes down the pipe, until it closes; the body of a nursery's worker.

    After each tenant nothing is left of it: neither its job, nor what still knows its credentials.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, BrokenPipeError):
        while True:
            before = _promotions()
            _serve_assignment(connection, run)
            # errors know the frames that they passed, and so the tenant's store
            gc.collect(1 if _promotions() == before else 2)


def _promotions() -> int:
    """Return how often the collector has put what it left among the oldest."""
    return sum(generation["collections"] for generation in gc.get_stats()[1:])


def _serve_assignment(
    connection: Connection, run: Callable[[Assignment, Connection], Outcome]
) -> None:
    assignment: Assignment = connection.recv()
    _limit_memory(assignment.memory_mib)
    connection.send_bytes(run(assignment, connection).to_json())


def _limit_memory(mib: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (mib << 20, hard))


def _collect(pool: list[_Worker]) -> Iterator[tuple[_Worker, Outcome | WorkerDiedError]]:
    """Wait until a worker answers, dies or overruns; yield what came of its task."""
    busy = [worker for worker in pool if worker.task]
    ready = _wait(busy)
    for worker in busy:
        outcome = _hear(worker) if worker.channel.fileno() in ready else None
        if not outcome and worker.deadline <= time.monotonic():
            outcome = _overrun(worker)
        if isinstance(outcome, WorkerDiedError):
            pool.remove(worker)
        if outcome:
            yield worker, outcome


def _wait(busy: Sequence[_Worker]) -> set[int]:
    """Return whose pipes can be gone on with, at the latest when the first deadline is over."""
    patience = max(0.0, min(worker.deadline for worker in busy) - time.monotonic())
    with DefaultSelector() as selector:
        for worker in busy:
            selector.register(
                worker.channel.fileno(), EVENT_WRITE if worker.channel.is_sending else EVENT_READ
            )
        return {key.fd for key, _ in selector.select(None if patience == _FOREVER else patience)}


def _hear(worker: _Worker) -> Outcome | WorkerDiedError | None:
    """Go on with what a worker says, or is told; None when it goes on working."""
    try:
        if worker.channel.is_sending:
            worker.channel.go_on_sending()
            return None
        message = worker.channel.receive()
        answer = worker.task.answer if worker.task else None
        if message is None:
            return None
        if answer and message.startswith(ERRAND):
            worker.channel.send(answer(message))
            return None
    except (EOFError, OSError):
        return _bury(worker, "")
    try:
        outcome = Outcome.from_json(message, "what the worker said")
    except ValueError as error:
        return _bury(worker, str(error))
    worker.held_mib = outcome.cost.peak_mib
    return outcome


def _bury(worker: _Worker, fault: str) -> WorkerDiedError:
    if fault:
        worker.process.kill()
    _end(worker, _GRACE_SECONDS)
    return WorkerDiedError(fault or _cause_of_death(worker.process.exitcode))


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
    _end(worker, _GRACE_SECONDS)
    return WorkerDiedError(f"took longer than {seconds:.0f} s; raise resources.timeout")


def _dismiss(worker: _Worker) -> None:
    _end(worker, 0 if worker.task else _GRACE_SECONDS)


def _end(worker: _Worker, grace: float) -> None:
    """Close a worker's pipe, and see to it that the worker has ended."""
    worker.channel.close()
    worker.process.join(grace)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()
