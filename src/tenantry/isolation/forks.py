"""Worker processes as the shard sees them, wherever they were forked."""

from multiprocessing.connection import Connection
from typing import Protocol


class Forked(Protocol):
    """A worker's process."""

    @property
    def exitcode(self) -> int | None:
        """How it ended, negative for a signal; None while it is not known to have."""
        ...

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended, `timeout` seconds at most."""
        ...

    def is_alive(self) -> bool:
        """Say whether it has not ended."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...


class Forks(Protocol):
    """Where workers come from that know nothing of the shard: `tenantry.isolation.nursery`."""

    @property
    def alone(self) -> bool:
        """Whether each worker is for one tenant only."""
        ...

    def fork(self) -> tuple[Forked, Connection]:
        """Return a new worker and the shard's end of its pipe."""
        ...
