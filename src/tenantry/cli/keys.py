"""The keys of a data subject, as the command line gives them: in options or in a file."""

import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from tenantry.errors import ErasureError, Fault


def read_keys(keys: Sequence[str], place: str) -> tuple[list[str], list[list[str]]]:
    """Return the columns that keys are values of, and the values.

    Raises:
        ErasureError: A key has another form, or other columns than the first; or no file is there.
    """
    if place:
        if keys:
            raise ErasureError([Fault("--key", "is given together with --keys-file", "choose one")])
        return _read_file(place)
    pairs = [[part.partition("=") for part in key.split(",")] for key in keys]
    faults = [
        Fault(f"--key {number}", "has another form", "write column=value[,column=value]")
        for number, parts in enumerate(pairs, start=1)
        if not all(name and equals and value for name, equals, value in parts)
    ]
    columns = [name.strip() for name, _, _ in pairs[0]]
    faults += [
        Fault(f"--key {number}", "names other columns than the first", "order them one by one")
        for number, parts in enumerate(pairs, start=1)
        if [name.strip() for name, _, _ in parts] != columns
    ]
    if faults:
        raise ErasureError(faults)
    return columns, [[value for _, _, value in parts] for parts in pairs]


def _read_file(place: str) -> tuple[list[str], list[list[str]]]:
    try:
        text = sys.stdin.read() if place == "-" else Path(place).read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        fault = Fault("--keys-file", f"{place}: cannot be read: {type(error).__name__}")
        raise ErasureError([fault]) from None
    rows = [row for row in csv.reader(text.splitlines()) if row]
    columns, values = (rows[0], rows[1:]) if rows else ([], [])
    uneven = [number for number, row in enumerate(values, start=2) if len(row) != len(columns)]
    if uneven or not values:
        what = f"line {uneven[0]} has other columns than the head" if uneven else "has no key"
        raise ErasureError([Fault(f"--keys-file: {place}", what, "a head, then a key a line")])
    return [name.strip() for name in columns], values
