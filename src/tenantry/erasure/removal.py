"""Removing and rewriting objects, every version of them, and counting what that was."""

from dataclasses import dataclass, field

from tenantry.erasure.orders import Counts, summed
from tenantry.store.contract import ObjectStore


@dataclass
class Removal:
    """What was removed and rewritten so far, by kind.

    Attributes:
        store: The store.
        removed: Kind → objects and bytes of all their versions.
        rewritten: Kind → objects and bytes as they are now.
    """

    store: ObjectStore
    removed: Counts = field(default_factory=dict)
    rewritten: Counts = field(default_factory=dict)

    def remove(self, kind: str, place: str) -> None:
        """Remove an object, or all of a folder."""
        purged = self.store.purge(place)
        if purged.keys:
            self.removed = summed(self.removed, {kind: (len(purged.keys), purged.size)})

    def rewrite(self, kind: str, key: str, content: bytes) -> None:
        """Replace an object and let no older version of it be."""
        self.store.put(key, content)
        self.forget(key)
        self.rewritten = summed(self.rewritten, {kind: (1, len(content))})

    def forget(self, place: str) -> None:
        """Remove what is no longer read: old versions, and marks of what was deleted."""
        self.store.purge(place, keep_latest=True)
