"""What a folder's name says of the rows in it: hive's `column=value`."""

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import unquote

_PARTITION = re.compile(r"([^/=]+)=([^/]*)")


def may_hold(name: str, equals: Mapping[str, str]) -> bool:
    """Say whether a folder may hold rows that are wanted: it is no partition of another value.

    Args:
        name: The folder's.
        equals: Column → the text that rows wanted have there.
    """
    column, value = _partition(name)
    wanted = equals.get(column)
    return wanted is None or wanted == value or _is_same_number(value, wanted)


@lru_cache(maxsize=1 << 14)  # tenants of a product look through the same folders
def _partition(name: str) -> tuple[str, str]:
    """Return column and value that a folder is named by; no column has an empty name."""
    match = _PARTITION.fullmatch(name)
    return (match[1], unquote(match[2])) if match else ("", "")


def _is_same_number(value: str, wanted: str) -> bool:
    return value.isdecimal() and wanted.isdecimal() and int(value) == int(wanted)
