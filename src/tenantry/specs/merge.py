"""Merge a tenant's file over the product's: maps merge, lists replace, null removes."""

from typing import Any


def merge(base: Any, patch: Any) -> Any:  # noqa: ANN401 - plain data
    """Return `base` with `patch` over it (JSON Merge Patch, RFC 7386).

    Neither argument is changed. What `patch` leaves alone is shared with `base`, not copied.

    Args:
        base: Plain data: maps, lists, scalars.
        patch: Plain data; in a map, null removes the key.

    Returns:
        Plain data; no map that `patch` touches holds null.
    """
    if not isinstance(patch, dict):
        return patch
    merged = dict(base) if isinstance(base, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged
