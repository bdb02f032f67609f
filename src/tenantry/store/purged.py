"""What a purge removed, and how it goes on until nothing is left."""

from collections.abc import Callable
from dataclasses import dataclass

from tenantry.errors import StoreUnavailableError

_PASSES = 20
"""Each but the first means that another writer was at work in the folder."""


@dataclass(frozen=True)
class Purged:
    """What a purge removed.

    Attributes:
        keys: The names, sorted; those with nothing but old versions or delete markers, too.
        versions: Versions and delete markers; one a key where the store keeps no versions.
        size: Bytes of all versions.
    """

    keys: tuple[str, ...] = ()
    versions: int = 0
    size: int = 0

    def __or__(self, other: "Purged") -> "Purged":
        """Return what both removed."""
        keys = tuple(sorted({*self.keys, *other.keys}))
        return Purged(keys, self.versions + other.versions, self.size + other.size)


def purge_all(remove_found: Callable[[], Purged], place: str) -> Purged:
    """Look for what is to go and remove it, until nothing is found any more.

    Args:
        remove_found: Removes what it finds and tells what that was.
        place: Where, for the error.

    Raises:
        StoreUnavailableError: Something new was there each time.
    """
    purged = Purged()
    for _ in range(_PASSES):
        found = remove_found()
        if not found.versions:
            return purged
        purged |= found
    msg = f"{place}: others keep writing there while it is removed; stop them, then try again"
    raise StoreUnavailableError(msg)
