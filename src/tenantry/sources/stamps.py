"""Whether files and folders are as they were when they were looked at."""

import os
from collections.abc import Mapping

SETTLED_NS = 2_000_000_000
"""How old a change must be: a later one may have the same time, clocks of files being coarse."""

Stamp = tuple[int, int]
"""When a file or folder was changed last, nanoseconds, and its number in the file system."""

NEVER: Stamp = (0, 0)
Stamps = Mapping[str, Stamp]
"""File or folder → its stamp."""


def stamp(path: str) -> Stamp:
    """Return when a file or folder was changed last; `NEVER` where nobody can say."""
    try:
        status = os.stat(path)  # noqa: PTH116 - of many
    except OSError:
        return NEVER
    return status.st_ctime_ns, status.st_ino


def settled(stamps: Stamps, now: int) -> Stamps:
    """Return stamps that tell of every change after now; none where one may be too young for that.

    Args:
        stamps: Taken now or later.
        now: Nanoseconds since 1970.
    """
    return stamps if all(0 < changed < now - SETTLED_NS for changed, _ in stamps.values()) else {}


def hold(stamps: Stamps) -> bool:
    """Say whether files and folders surely are as they were; of none nobody can say so."""
    return bool(stamps) and all(stamp(path) == before for path, before in stamps.items())
