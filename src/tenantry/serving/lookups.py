"""What one row looks up in the published past: itself, by its key, and rows of joined sources.

Nothing here imports pandas.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b

import numpy as np

from tenantry.errors import Fault, ServingError
from tenantry.scalars import Value
from tenantry.serving.fields import find_fault
from tenantry.serving.records import Join
from tenantry.serving.state import State, Table
from tenantry.specs.data import Column

_MICROSECOND = timedelta(microseconds=1)


def key_hash(values: Sequence[Value]) -> int:
    """Return a hash of a row's key, 64 bits; values as `tenantry.scalars` reads them."""
    text = "\x1f".join([repr(value) for value in values])
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


@dataclass(frozen=True)
class Rows:
    """The state's rows by the hash of their key.

    Attributes:
        hashes: Ascending.
        places: Where each is among the state's rows.
    """

    hashes: array[int] = field(default_factory=lambda: array("Q"))
    places: array[int] = field(default_factory=lambda: array("q"))

    @classmethod
    def of(cls, state: State | None) -> Rows:
        """Order the rows of a state; none of None."""
        if state is None:
            return cls()
        order = np.argsort(state.keys, kind="stable")
        return cls(array("Q", state.keys[order].tobytes()), array("q", order.tobytes()))

    def find(self, fields: Mapping[str, Value], key: tuple[str, ...]) -> int:
        """Return the place of the row that has the key of `fields`; -1 for none."""
        if not self.hashes:
            return -1
        wanted = key_hash([fields.get(name) for name in key])
        place = bisect_left(self.hashes, wanted)
        found = place < len(self.hashes) and self.hashes[place] == wanted
        return self.places[place] if found else -1


# --- joined sources -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lookup:
    """A joined source, ready to be looked up.

    Attributes:
        join: What is joined.
        spans: Key → where its rows begin and end.
        times: When each row was observed; empty where a key has one row.
        columns: Column → its values.
    """

    join: Join
    spans: Mapping[tuple[Value, ...], tuple[int, int]]
    times: array[int]
    columns: Mapping[str, tuple[Value, ...]]

    @classmethod
    def of(cls, join: Join, state: State) -> Lookup:
        """Make a state's table of a joined source ready.

        Raises:
            ServingError: The state lacks it, or a column of it.
        """
        table = state.tables.get(join.name)
        if table is None or not set(join.columns) <= table.columns.keys():
            msg = f"the published past lacks {join.name}; the next run publishes it anew"
            raise ServingError(msg)
        ends = table.ends.tolist()
        spans = zip([0, *ends], ends, strict=False)
        times = array("q", b"" if table.times is None else table.times.tobytes())
        columns = {name: _values(table, name) for name in join.columns}
        return cls(join, dict(zip(table.keys, spans, strict=True)), times, columns)

    def fill(
        self, fields: dict[str, Value], known: int, checks: Mapping[str, Column]
    ) -> list[Fault]:
        """Put what is looked up into the fields that a request left out; tell what is wrong."""
        absent = [name for name in self.join.columns if name not in fields]
        if not absent:
            return []
        place = self._find(fields, known)
        faults = []
        for name in absent:
            fields[name] = self.columns[name][place] if place >= 0 else None
            fault = find_fault(fields[name], checks[name])
            if fault:
                faults.append(Fault(name, fault))
        return faults

    def _find(self, fields: Mapping[str, Value], known: int) -> int:
        """Return the row that counts; -1 for none."""
        start, stop = self.spans.get(tuple([fields.get(name) for name in self.join.on]), (0, 0))
        if self.join.tolerance is None or start == stop:
            return stop - 1 if stop > start else -1
        # of several observations of one moment the last counts
        place = _last_until(self.times, known, start, stop)
        oldest = known - self.join.tolerance // _MICROSECOND
        return place if place >= start and self.times[place] >= oldest else -1


def _last_until(times: array[int], until: int, start: int, stop: int) -> int:
    return bisect_left(times, until + 1, start, stop) - 1


def _values(table: Table, name: str) -> tuple[Value, ...]:
    levels = table.columns[name]
    return tuple(None if code < 0 else levels.values[code] for code in levels.codes.tolist())
