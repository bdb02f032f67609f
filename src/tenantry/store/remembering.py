"""A store that is asked once for what cannot change: for one tenant's work in one stage."""

from dataclasses import dataclass, field

from tenantry import layout
from tenantry.store.contract import StoredObject
from tenantry.store.passing import PassingStore
from tenantry.store.purged import Purged

_LARGEST, _MOST = 1 << 20, 8 << 20
"""Bytes of an object that is remembered, and of all of them."""


@dataclass
class RememberingStore(PassingStore):
    """Pass everything on to another store, but answer from memory what was read or written before.

    Keeps the contract of `ObjectStore`, for one that works alone on what it writes and soon ends:
    that another removes an object is not seen. Only immutable objects are remembered
    (`layout.is_immutable`), and only small ones. Not to be shared between threads.
    """

    _known: dict[str, StoredObject] = field(default_factory=dict, init=False)
    _size: int = field(default=0, init=False)

    def get(self, key: str) -> StoredObject:
        """Read an object, or remember it."""
        return self._known.get(key) or self._keep(key, self.inner.get(key))

    def put(self, key: str, content: bytes) -> str:
        """Write an object whatever was there, and remember it; return its tag."""
        return self._keep(key, StoredObject(content, self.inner.put(key, content))).tag

    def put_if_absent(self, key: str, content: bytes) -> str:
        """Write an object that must not exist yet, and remember it; return its tag."""
        return self._keep(key, StoredObject(content, self.inner.put_if_absent(key, content))).tag

    def put_if_match(self, key: str, content: bytes, tag: str) -> str:
        """Replace an object that must still have `tag`; return the new tag."""
        tag = self.inner.put_if_match(key, content, tag)
        return self._keep(key, StoredObject(content, tag)).tag

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens when there is none."""
        self._forget()
        self.inner.delete(key)

    def purge(self, place: str, *, keep_latest: bool = False) -> Purged:
        """Remove an object or a folder with every version."""
        self._forget()
        return self.inner.purge(place, keep_latest=keep_latest)

    def _keep(self, key: str, found: StoredObject) -> StoredObject:
        before = self._known.pop(key, None)
        self._size -= len(before.content) if before else 0
        size = len(found.content)
        if layout.is_immutable(key) and size <= _LARGEST and self._size + size <= _MOST:
            self._known[key] = found
            self._size += size
        return found

    def _forget(self) -> None:
        self._known.clear()
        self._size = 0
