"""Logged predictions as tables: the batch's columns, window by window.

Imports pyarrow; pandas only where rows of the tenant were erased.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pyarrow as pa

from tenantry.columns import EVENT_TIME
from tenantry.parquet import table_to_parquet
from tenantry.predictions import DECISION, HIGH, LOW, PROBABILITIES, PROBABILITY
from tenantry.scalars import Kind, Value, moment_of, read_value
from tenantry.served import ANSWERED_AT
from tenantry.serving.answers import make_outputs
from tenantry.serving.log_batch import Answer, Batch, names_of
from tenantry.serving.records import Logging, ServingRecord
from tenantry.times import Window, window_at

MOST_WINDOWS = 50
"""Windows of which a tenant's rows are written at a time."""

MOST_AHEAD = timedelta(days=366)
"""How long after it was asked for a row's event may lie: retention counts from the windows' ends,
so that what lies in a far future would never go.
"""

_TIME = pa.timestamp("us", "UTC")
_TYPES: dict[Kind, pa.DataType] = {
    "number": pa.float64(),
    "integer": pa.float64(),
    "boolean": pa.float64(),
    "category": pa.large_string(),
    "text": pa.large_string(),
    "time": _TIME,
}
"""As `tenantry.values` types the batch's columns."""


class Piece(NamedTuple):
    """The logged predictions of one window.

    Attributes:
        window: The window in which the rows' events lie.
        content: The rows as Parquet.
        rows: How many.
        first: When the first of them was answered.
        last: When the last was.
    """

    window: Window
    content: bytes
    rows: int
    first: datetime
    last: datetime


@dataclass(frozen=True)
class Pieces:
    """A batch's rows by window.

    Attributes:
        pieces: Of each window with rows.
        erased: Rows that were left out since they are erased.
    """

    pieces: tuple[Piece, ...]
    erased: int

    @property
    def rows(self) -> int:
        """Rows in all of them."""
        return sum(piece.rows for piece in self.pieces)


class _Placed(NamedTuple):
    """A row that can be told from others: its typed key and event time, and its answer."""

    named: tuple[Value, ...]
    answer: Answer


def cut(batch: Batch, notes: Mapping[str, str], suppressed: bytes) -> Pieces:
    """Cut a batch into the tables of its windows.

    Rows without their whole key are left out, since no label could be told of them; so are those
    that the batch never predicts, before its first window, those that lie further than `MOST_AHEAD`
    in the future, and, where events lie in more than `MOST_WINDOWS`, those of the windows with the
    fewest rows: no client fills a store with files.

    Args:
        batch: The rows.
        notes: Kept in each file's metadata.
        suppressed: The record of erased rows, as it is stored; empty without one.
    """
    placed: dict[Window, list[_Placed]] = defaultdict(list)
    names = names_of(batch.record)
    event = names.index(batch.record.times.event_time)
    for answer in batch.answers:
        named = _typed(batch.record, names, answer.named)
        window = _window_of(named[event], batch.record.log) if None not in named else None
        if window is not None and window.start <= answer.at + MOST_AHEAD:
            placed[window].append(_Placed(named, answer))
    fullest = sorted(placed, key=lambda window: len(placed[window]), reverse=True)
    pieces, erased = [], 0
    for window in sorted(fullest[:MOST_WINDOWS]):
        rows = placed[window]
        table = _table(batch.record, names, rows)
        kept = _without(table, batch.record, suppressed) if suppressed else table
        erased += len(table) - len(kept)
        if len(kept):
            pieces.append(_piece(window, kept, notes))
    return Pieces(tuple(pieces), erased)


def _piece(window: Window, table: pa.Table, notes: Mapping[str, str]) -> Piece:
    answered = table[ANSWERED_AT].to_pylist()
    content = table_to_parquet(table.replace_schema_metadata(notes))
    return Piece(window, content, len(table), min(answered), max(answered))


def _typed(record: ServingRecord, names: Sequence[str], raw: Sequence[object]) -> tuple[Value, ...]:
    """Read what names a row, and may have been left out where the row filter sets it.

    A value that cannot be read is missing.
    """
    typed: list[Value] = []
    for name, value in zip(names, raw, strict=True):
        try:
            typed.append(read_value(record.bound.get(name, value), record.columns[name].type))
        except ValueError:
            typed.append(None)
    return tuple(typed)


def _window_of(event: Value, rules: Logging | None) -> Window | None:
    if not isinstance(event, int) or rules is None:
        return None
    try:
        window = window_at(rules.start, rules.window, moment_of(event))
    except OverflowError:
        return None
    return window if window.start >= rules.start else None


def _table(record: ServingRecord, names: Sequence[str], rows: Sequence[_Placed]) -> pa.Table:
    """Make the table of some rows, in the order of the batch's columns."""
    columns = dict(zip(names, zip(*(row.named for row in rows), strict=True), strict=True))
    arrays = {
        name: pa.array(columns[name], _TYPES[record.columns[name].type]) for name in record.key
    }
    events = columns[record.times.event_time]
    arrays[EVENT_TIME] = pa.array(events, _TIME)
    arrays |= _told(record, [row.answer.told for row in rows])
    arrays[ANSWERED_AT] = pa.array([row.answer.at for row in rows], _TIME)
    return pa.table(arrays)


def _told(record: ServingRecord, told: Sequence[Any]) -> dict[str, pa.Array]:
    """Return what was answered, as the batch names and types it."""
    answered = {one.name: one.values for one in make_outputs(record, told)}
    if record.task == "regression":
        ends = {name: pa.array(answered[name]) for name in (LOW, HIGH) if name in answered}
        value = pa.array(answered["value"], pa.float64())
        return {PROBABILITY: value, DECISION: pa.array([False] * len(told)), **ends}
    columns = {PROBABILITY: pa.array(answered[PROBABILITY], pa.float64())}
    if record.task != "multiclass":
        return {**columns, DECISION: pa.array(answered[DECISION], pa.bool_())}
    parts = [pa.array(part, pa.float64()) for part in zip(*told, strict=True)]
    struct = pa.StructArray.from_arrays(parts, names=list(record.classes))
    decision = pa.array(answered[DECISION], pa.large_string())
    return {**columns, DECISION: decision, PROBABILITIES: struct}


def _without(table: pa.Table, record: ServingRecord, suppressed: bytes) -> pa.Table:
    """Return the rows that are not erased."""
    from tenantry.erasure.suppression import Suppressed, find_suppressed

    hashes = Suppressed.from_json(suppressed, "suppressed.json")
    mask = find_suppressed(hashes, table.to_pandas(), record.columns)
    return table.filter(pa.array(~mask))
