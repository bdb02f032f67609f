"""Online features: what a tenant's history, congestion and joined features need of the past.

It is an excerpt of the rows and of the joined tables that a run read, as far back as the features
look, with the columns that they read. One object a tenant and run, named by its content: arrays
that NumPy maps, compressed, so that a server loads it in a millisecond and nothing in it can be
executed.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from tenantry import layout
from tenantry.arrays import ArrayWriter, open_arrays
from tenantry.digests import sha256
from tenantry.errors import StoreError
from tenantry.features.windows import Floats, Integers
from tenantry.scalars import Value, moment_of
from tenantry.store.contract import ObjectStore

_MAGIC = b"tenantry online features 1\n"
_MAX_BYTES = 1 << 30
"""Of an unpacked file."""

Codes = NDArray[np.int32]

TIMES = ("happens", "known", "learned")
PARTS = ("hour", "weekday")


@dataclass(frozen=True)
class Levels:
    """A column of n rows whose values repeat.

    Attributes:
        codes: Each row's place in `values`, shape (n,); -1 for a missing value.
        values: The different values, as `tenantry.scalars` reads them.
    """

    codes: Codes
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Table:
    """A joined source: what it says for some keys, of each key by time.

    Attributes:
        keys: The m keys, in the order of the join's fields.
        ends: Where the rows of each key end, shape (m,).
        times: When each row was observed, ascending within a key; None where a key has one row.
        columns: Column → its values.
    """

    keys: tuple[tuple[Value, ...], ...]
    ends: Integers
    times: Integers | None
    columns: Mapping[str, Levels]


@dataclass(frozen=True)
class State:
    """The past of a tenant, as a run knew it: n rows, in the order of the rows frame.

    Times are microseconds since 1970 UTC.

    Attributes:
        as_of: Nothing known later is in it.
        learned_after: Of labels known later than this none is left out.
        happens_after: Of rows that happen later than this none is left out.
        keys: A hash of each row's key, shape (n,), see `key_hash`.
        happens: When it happens, shape (n,).
        known: When it was known, shape (n,).
        learned: When its label was, shape (n,); the smallest integer where it is not.
        levels: Columns in which rows must be alike.
        numbers: Columns that histories are made of, NaN where missing, each of shape (n,).
        parts: ``hour`` and ``weekday`` → that of each row's event by the tenant's clock; those that
            a feature needs.
        tables: Joined source → what it says.
    """

    as_of: int
    learned_after: int
    happens_after: int
    keys: NDArray[np.uint64]
    happens: Integers
    known: Integers
    learned: Integers
    levels: Mapping[str, Levels] = field(default_factory=dict)
    numbers: Mapping[str, Floats] = field(default_factory=dict)
    parts: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)

    @property
    def moment(self) -> datetime:
        """The `as_of` as a moment."""
        return moment_of(self.as_of)

    def to_bytes(self) -> bytes:
        """Write the state; equal ones give equal bytes."""
        writer = ArrayWriter(_MAGIC)
        arrays = {name: writer.place(getattr(self, name)) for name in ("keys", *TIMES)}
        header = {
            "as_of": self.as_of,
            "learned_after": self.learned_after,
            "happens_after": self.happens_after,
            "rows": arrays,
            "levels": _write_levels(self.levels, writer),
            "numbers": {name: writer.place(values) for name, values in self.numbers.items()},
            "parts": {name: writer.place(values) for name, values in self.parts.items()},
            "tables": {name: _write_table(table, writer) for name, table in self.tables.items()},
        }
        return zlib.compress(writer.file(header), 6)

    @classmethod
    def from_bytes(cls, content: bytes) -> "State":
        """Read what `to_bytes` wrote.

        Raises:
            ValueError: It is no such file.
        """
        try:
            return _read(content)
        except (ValueError, TypeError, KeyError, IndexError, zlib.error) as error:
            msg = f"no online features ({type(error).__name__}); the next run publishes them anew"
            raise ValueError(msg) from None


def write_state(store: ObjectStore, product: str, tenant: str, state: State) -> str:
    """Write a tenant's online features; equal ones are one object.

    Returns:
        The SHA-256 of its bytes, part of its key.
    """
    content = state.to_bytes()
    sha = sha256(content)
    key = layout.online_features(product, tenant, sha)
    if store.find(key) is None:
        store.put(key, content)
    return sha


def read_state(store: ObjectStore, product: str, tenant: str, sha: str) -> State:
    """Read a tenant's online features.

    Raises:
        ObjectMissingError: There are none of that digest.
        StoreError: Their bytes have another digest.
        ValueError: They are no such file; a later release may have written them.
    """
    key = layout.online_features(product, tenant, sha)
    content = store.get(key).content
    if sha256(content) != sha:
        msg = f"{key}: the bytes have another digest; delete it, and the next run publishes anew"
        raise StoreError(msg)
    return State.from_bytes(content)


def _write_levels(columns: Mapping[str, Levels], writer: ArrayWriter) -> dict[str, Any]:
    return {
        name: {"codes": writer.place(column.codes), "values": list(column.values)}
        for name, column in columns.items()
    }


def _write_table(table: Table, writer: ArrayWriter) -> dict[str, Any]:
    return {
        "keys": [list(key) for key in table.keys],
        "ends": writer.place(table.ends),
        "times": None if table.times is None else writer.place(table.times),
        "columns": _write_levels(table.columns, writer),
    }


def _read(content: bytes) -> State:
    unpacker = zlib.decompressobj()
    unpacked = unpacker.decompress(content, _MAX_BYTES)
    if not unpacker.eof:
        msg = "cut short, or too long"
        raise ValueError(msg)
    header, arrays = open_arrays(unpacked, _MAGIC)
    rows = {name: arrays[place] for name, place in header["rows"].items()}
    state = State(
        as_of=int(header["as_of"]),
        learned_after=int(header["learned_after"]),
        happens_after=int(header["happens_after"]),
        **cast("dict[str, Any]", rows),
        levels=_read_levels(header["levels"], arrays),
        numbers={name: arrays[place] for name, place in header["numbers"].items()},
        parts={name: arrays[place] for name, place in header["parts"].items()},
        tables={name: _read_table(table, arrays) for name, table in header["tables"].items()},
    )
    _check(state)
    return state


def _read_levels(header: Mapping[str, Any], arrays: Sequence[NDArray[Any]]) -> dict[str, Levels]:
    found = {}
    for name, column in header.items():
        levels = Levels(arrays[column["codes"]], tuple(column["values"]))
        codes = levels.codes
        if codes.size and not (codes.min() >= -1 and codes.max() < len(levels.values)):
            msg = "a code without a value"
            raise ValueError(msg)
        found[name] = levels
    return found


def _read_table(header: Mapping[str, Any], arrays: Sequence[NDArray[Any]]) -> Table:
    return Table(
        keys=tuple(tuple(key) for key in header["keys"]),
        ends=arrays[header["ends"]],
        times=None if header["times"] is None else arrays[header["times"]],
        columns=_read_levels(header["columns"], arrays),
    )


def _check(state: State) -> None:
    """Raise where arrays are not of one length."""
    columns: list[NDArray[Any]] = [state.happens, state.known, state.learned]
    columns += [*state.numbers.values(), *state.parts.values()]
    columns += [levels.codes for levels in state.levels.values()]
    if any(len(column) != len(state.keys) for column in columns):
        msg = "columns of different lengths"
        raise ValueError(msg)
    for table in state.tables.values():
        rows = int(table.ends[-1]) if len(table.ends) else 0
        lengths = {len(levels.codes) for levels in table.columns.values()}
        lengths |= {rows} | (set() if table.times is None else {len(table.times)})
        if (
            len(lengths) != 1
            or len(table.ends) != len(table.keys)
            or (np.diff(table.ends) < 0).any()
        ):
            msg = "a table of different lengths"
            raise ValueError(msg)
