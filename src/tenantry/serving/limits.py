"""Limits: what one tenant and all together may ask for, so that no flood slows the others."""

from dataclasses import dataclass

from tenantry.serving.refusals import (
    OVER_CONCURRENCY,
    OVER_RATE,
    RefusedError,
)


@dataclass(frozen=True)
class Limits:
    """What is taken.

    Attributes:
        rate: Rows a second of one tenant, in the long run.
        burst: Rows that it may have saved up.
        concurrency: Requests of one tenant at a time.
        queue: Requests of all at a time.
        body: Bytes of a request's body.
        rows: Rows of a request.
        timeout: Seconds that a body, or the load of a model, may take.
    """

    rate: float = 200.0
    burst: float = 400.0
    concurrency: int = 32
    queue: int = 512
    body: int = 1 << 20
    rows: int = 1000
    timeout: float = 5.0


class Allowance:
    """What one tenant has left: rows, as a bucket that fills up, and requests at a time."""

    __slots__ = ("_filled", "_rows", "active")

    def __init__(self, limits: Limits) -> None:
        self._rows = limits.burst
        self._filled = 0.0
        self.active = 0

    def enter(self, limits: Limits, now: float) -> None:
        """Take in a request, of one row until more are known.

        Args:
            limits: The limits.
            now: Seconds of a clock that never goes back.

        Raises:
            RefusedError: The tenant has used up its share.
        """
        rows = min(limits.burst, self._rows + (now - self._filled) * limits.rate)
        self._filled = now
        if rows < 1.0:
            self._rows = rows
            raise self._over_rate(limits)
        if self.active >= limits.concurrency:
            self._rows = rows
            raise OVER_CONCURRENCY()
        self._rows = rows - 1.0
        self.active += 1

    def charge(self, limits: Limits, rows: int) -> None:
        """Count the other rows of a request; those that were not left are owed.

        Raises:
            RefusedError: Rows are owed already, by a request that came in beside this one.
        """
        if rows > 1 and self._rows < 0.0:
            raise self._over_rate(limits)
        self._rows -= rows - 1

    def leave(self) -> None:
        """Count a request as answered."""
        self.active -= 1

    def _over_rate(self, limits: Limits) -> RefusedError:
        refused = OVER_RATE()
        refused.wait = (1.0 - self._rows) / limits.rate
        return refused
