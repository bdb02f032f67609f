"""Writers that race for a key, as threads of this process or as processes of their own."""

import multiprocessing
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from tenantry.errors import PreconditionError
from tenantry.store.contract import ObjectStore

Act = Callable[[ObjectStore, str, int], bool]
"""What a racer does to a key of a store, and whether it won."""


def create(store: ObjectStore, key: str, racer: int) -> bool:
    """Try to create the object; tell whether this racer won."""
    try:
        store.put_if_absent(key, b"by %d" % racer)
    except PreconditionError:
        return False
    return True


def count_up(store: ObjectStore, key: str, racer: int) -> bool:
    """Add this racer's line to the object, however often others come first."""
    while True:
        found = store.get(key)
        try:
            store.put_if_match(key, found.content + b"%d\n" % racer, found.tag)
        except PreconditionError:
            continue
        return True


def race_threads(act: Act, store: ObjectStore, key: str, racers: int) -> list[bool]:
    """Let threads act at once; return what each said."""
    start = threading.Barrier(racers)

    def run(racer: int) -> bool:
        start.wait()
        return act(store, key, racer)

    with ThreadPoolExecutor(racers) as pool:
        return list(pool.map(run, range(racers)))


def race_processes(
    store: ObjectStore, tasks: Sequence[tuple[Act, str]], racers: int
) -> list[list[bool]]:
    """Let processes do one task after the other, each at once; return what they said, by task."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tenantry.store.minio", "tenantry.store.folder"])
    start, said = context.Barrier(racers), context.SimpleQueue()
    workers = [
        context.Process(target=_run, args=(store, tasks, racer, start, said))
        for racer in range(racers)
    ]
    for worker in workers:
        worker.start()
    answers = [said.get() for _ in workers]
    for worker in workers:
        worker.join()
    return [list(of_task) for of_task in zip(*answers, strict=True)]


def _run(store, tasks, racer, start, said) -> None:
    answers = []
    for act, key in tasks:
        start.wait(120)
        answers.append(act(store, key, racer))
    said.put(answers)
