"""Runs actors over one store in any interleaving of their single store operations.

Each actor is a thread; before every operation on the store it waits for its turn. Who is next, and
who dies there, is a list of numbers, so that hypothesis can look for the interleaving that breaks
something and make it small.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from tests.unit.memory_store import MemoryStore


class DeadlineStore(MemoryStore):
    """A store in memory with a clock of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime.now(UTC)
        self.written: dict[str, datetime] = {}

    def _write(self, key, content):
        self.written[key] = self.now
        return super()._write(key, content)

    def _info(self, key):
        info = super()._info(key)
        return type(info)(info.key, info.size, info.tag, self.written[key])


class Killed(BaseException):
    """The actor's process was killed."""


class Actor:
    """A thread that does its work one store operation at a time.

    Attributes:
        action: Its work.
        store: Its view of the store.
        error: What went wrong, but for being killed.
    """

    def __init__(self, store: MemoryStore, action: "Callable[[Actor], None]") -> None:
        self.action = action
        self.store = TurnTaking(store, self)
        self.error: BaseException | None = None
        self.is_done = self.is_killed = False
        self._go, self._arrived = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._arrived.acquire()

    def step(self, *, kill: bool = False) -> None:
        """Let it do one operation, up to its next, or die before it."""
        self.is_killed |= kill
        self._go.release()
        self._arrived.acquire()

    def wait_for_turn(self) -> None:
        self._arrived.release()
        self._go.acquire()
        if self.is_killed:
            raise Killed

    def _run(self) -> None:
        try:
            self.action(self)
        except Killed:
            pass
        except BaseException as error:
            self.error = error
        self.is_done = True
        self._arrived.release()


class TurnTaking:
    """A store whose every operation waits for the actor's turn; a listing is one operation."""

    url = "memory://"

    def __init__(self, store: MemoryStore, actor: Actor) -> None:
        self._store, self._actor = store, actor

    def __getattr__(self, name: str) -> Callable[..., object]:
        def operation(*arguments):
            self._actor.wait_for_turn()
            return getattr(self._store, name)(*arguments)

        return operation

    def list(self, prefix: str) -> Iterator[object]:
        self._actor.wait_for_turn()
        return self._store.list(prefix)

    def list_folders(self, prefix: str) -> Iterator[str]:
        self._actor.wait_for_turn()
        return self._store.list_folders(prefix)


def run_interleaved(actors: Sequence[Actor], turns: Sequence[int], killed: Sequence[int]) -> None:
    """Run actors to their ends.

    Args:
        actors: The actors.
        turns: Whose turn it is, operation by operation; counted among those that still work. When
            the list has ended they take turns in order.
        killed: At which of those operations the actor whose turn it is dies.
    """
    for actor in actors:
        actor.start()
    number = 0
    while working := [actor for actor in actors if not actor.is_done]:
        turn = turns[number] if number < len(turns) else number
        working[turn % len(working)].step(kill=number in killed)
        number += 1
    errors = [actor.error for actor in actors if actor.error]
    if errors:
        raise ExceptionGroup("actors failed", errors)


def later(store: DeadlineStore, by: timedelta) -> None:
    """Let the store's clock have stood still: what is in it was written that much earlier."""
    store.written = {key: at - by for key, at in store.written.items()}
