"""Count what goes to and comes from a store, so that each tenant can be told its cost."""

from dataclasses import dataclass

from tenantry.store.contract import StoredObject
from tenantry.store.passing import PassingStore
from tenantry.store.purged import Purged


@dataclass
class MeteredStore(PassingStore):
    """Pass everything on to another store and count the bytes of contents.

    Keeps the contract of `ObjectStore`. Not to be shared between threads.

    Attributes:
        bytes_read: Read so far.
        bytes_written: Written so far; a write that was refused does not count.
        bytes_purged: Removed by purges so far, old versions included.
    """

    bytes_read: int = 0
    bytes_written: int = 0
    bytes_purged: int = 0

    def get(self, key: str) -> StoredObject:
        """Read an object and count it."""
        found = self.inner.get(key)
        self.bytes_read += len(found.content)
        return found

    def put(self, key: str, content: bytes) -> str:
        """Write an object whatever was there, and count it; return its tag."""
        return self._count(content, self.inner.put(key, content))

    def put_if_absent(self, key: str, content: bytes) -> str:
        """Write an object that must not exist yet, and count it; return its tag."""
        return self._count(content, self.inner.put_if_absent(key, content))

    def put_if_match(self, key: str, content: bytes, tag: str) -> str:
        """Replace an object that must still have `tag`, and count it; return the new tag."""
        return self._count(content, self.inner.put_if_match(key, content, tag))

    def purge(self, place: str, *, keep_latest: bool = False) -> Purged:
        """Remove an object or a folder with every version, and count the bytes removed."""
        purged = self.inner.purge(place, keep_latest=keep_latest)
        self.bytes_purged += purged.size
        return purged

    def _count(self, content: bytes, tag: str) -> str:
        self.bytes_written += len(content)
        return tag
