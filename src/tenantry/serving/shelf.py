"""Where a server gets objects from: its disk, then the store; by digest, and never in a hurry.

A store that did not answer is left alone for a moment, so that threads wait for it one at a time
and not all at once.
"""

import math
import time
from collections.abc import Callable

from tenantry.digests import sha256
from tenantry.errors import ModelFileError, StoreUnavailableError
from tenantry.serving.disk import Disk
from tenantry.store.contract import ObjectStore

REST_SECONDS = 2.0
"""How long a store that did not answer is left alone."""


class Shelf:
    """Reads objects whose digests are known."""

    def __init__(
        self, store: ObjectStore, disk: Disk, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.store = store
        self.disk = disk
        self._clock = clock
        self._down_until = 0.0

    def rest(self) -> None:
        """Leave the store alone until `wake`: it does not answer."""
        self._down_until = math.inf

    def wake(self) -> None:
        """Ask the store again: it has answered somebody else."""
        self._down_until = 0.0

    def get(self, key: str, digest: str) -> bytes:
        """Return an object.

        Args:
            key: Its key in the store.
            digest: The SHA-256 that its bytes must have.

        Raises:
            ModelFileError: The store holds something else there.
            ObjectMissingError: It holds nothing there.
            StoreUnavailableError: It does not answer, or did not a moment ago.
        """
        if (kept := self.disk.read(key, digest)) is not None:
            return kept
        content = self.ask(key)
        if sha256(content) != digest:
            msg = f"{key}: the bytes have another digest than their pointer says; nothing is loaded"
            raise ModelFileError(msg)
        self.disk.write(key, content)
        return content

    def ask(self, key: str) -> bytes:
        """Return an object as the store has it now.

        Raises:
            ObjectMissingError: It holds nothing there.
            StoreUnavailableError: It does not answer, or did not a moment ago.
        """
        if self._clock() < self._down_until:
            msg = "the store did not answer a moment ago"
            raise StoreUnavailableError(msg)
        try:
            return self.store.get(key).content
        except StoreUnavailableError:
            self._down_until = max(self._down_until, self._clock() + REST_SECONDS)
            raise
