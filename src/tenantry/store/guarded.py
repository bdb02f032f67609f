"""A store of which only what a grant allows can be touched."""

from collections.abc import Iterator
from dataclasses import dataclass

from tenantry.errors import StoreDeniedError
from tenantry.isolation.errands import Errands
from tenantry.isolation.grants import Grant
from tenantry.store.contract import (
    ObjectInfo,
    ObjectStore,
    StoredObject,
    check_folder,
    check_key,
    check_place,
    check_prefix,
)
from tenantry.store.purged import Purged


@dataclass(frozen=True)
class GuardedStore:
    """Pass on what a grant allows, and refuse the rest before it reaches the store.

    Keeps the contract of `ObjectStore`; every method may raise `StoreDeniedError` besides. For a
    folder this is the only wall: code that opens files by itself is past it.

    Attributes:
        inner: The store that does the work.
        grant: What may be done.
        errands: Adds what the grant keeps, and lists; when None the inner store does.
    """

    inner: ObjectStore
    grant: Grant
    errands: Errands | None = None

    @property
    def url(self) -> str:
        """The inner store's address."""
        return self.inner.url

    def identify(self) -> str:
        """Tell what answers."""
        return self.inner.identify()

    def get(self, key: str) -> StoredObject:
        """Read an object."""
        return self.inner.get(self._readable(check_key(key)))

    def find(self, key: str) -> ObjectInfo | None:
        """Return what is known of an object, or None when nothing has that key."""
        return self.inner.find(self._readable(check_key(key)))

    def put(self, key: str, content: bytes) -> str:
        """Write an object whatever was there; return its tag."""
        return self.inner.put(self._changeable(check_key(key)), content)

    def put_if_absent(self, key: str, content: bytes) -> str:
        """Write an object that must not exist yet; return its tag."""
        if not self.grant.allows_add(check_key(key)):
            raise self._denied(key, "written")
        if self.errands and not self.grant.allows_change(key):
            return self.errands.add(key, content)
        return self.inner.put_if_absent(key, content)

    def put_if_match(self, key: str, content: bytes, tag: str) -> str:
        """Replace an object that must still have `tag`; return the new tag."""
        return self.inner.put_if_match(self._changeable(check_key(key)), content, tag)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield every object whose key starts with `prefix`, by key."""
        return (self.errands or self.inner).list(self._readable(check_prefix(prefix)))

    def list_folders(self, prefix: str) -> Iterator[str]:
        """Yield the names of the folders directly below `prefix`, by name."""
        lister = self.errands or self.inner
        return lister.list_folders(self._readable(check_folder(prefix)))

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens when there is none."""
        self.inner.delete(self._changeable(check_key(key)))

    def purge(self, place: str, *, keep_latest: bool = False) -> Purged:
        """Remove an object or a folder with every version."""
        return self.inner.purge(self._changeable(check_place(place)), keep_latest=keep_latest)

    def _readable(self, place: str) -> str:
        if not self.grant.allows_read(place):
            raise self._denied(place, "read")
        return place

    def _changeable(self, place: str) -> str:
        if not self.grant.allows_change(place):
            raise self._denied(place, "changed")
        return place

    def _denied(self, place: str, done: str) -> StoreDeniedError:
        return StoreDeniedError(f"{self.url}/{place}: may not be {done} by who works here")
