"""What stores that add something to another pass on to it as it is."""

from collections.abc import Iterator
from dataclasses import dataclass

from tenantry.store.contract import ObjectInfo, ObjectStore


@dataclass
class PassingStore:
    """Pass on all but contents to another store; reading, writing and purging are the heirs'.

    Attributes:
        inner: The store that does the work.
    """

    inner: ObjectStore

    @property
    def url(self) -> str:
        """The inner store's address."""
        return self.inner.url

    def identify(self) -> str:
        """Tell what answers."""
        return self.inner.identify()

    def find(self, key: str) -> ObjectInfo | None:
        """Return what is known of an object, or None when nothing has that key."""
        return self.inner.find(key)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield every object whose key starts with `prefix`, by key."""
        return self.inner.list(prefix)

    def list_folders(self, prefix: str) -> Iterator[str]:
        """Yield the names of the folders directly below `prefix`, by name."""
        return self.inner.list_folders(prefix)

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens when there is none."""
        self.inner.delete(key)
