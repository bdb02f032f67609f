"""One row's features, from raw fields and the published past: what the batch would compute.

**As of the feature cut.** A row's features are those that `features.recipe.build_features` gives
when the row is added to the rows that the publishing run had read. Nothing that came in after that
run's `as_of` is in them. A row that the run had read already, known by its key, is replaced by the
request's. It becomes known when the spec says, or when it is asked for, if that is earlier.

Nothing here imports pandas: a row takes microseconds, a server starts fast.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache, partial
from hashlib import blake2b
from types import MappingProxyType
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from tenantry.errors import Fault, ServingError
from tenantry.packed.columns import Row
from tenantry.scalars import Value, microseconds, moment_of
from tenantry.serving.fields import FieldReader, Fields, find_fault, refuse
from tenantry.serving.past import Asked, Congestion, History
from tenantry.serving.records import Join, ServingRecord
from tenantry.serving.state import State, Table
from tenantry.specs.data import Column, KnownAt
from tenantry.specs.features import (
    CalendarFeature,
    CategoricalFeature,
    CongestionFeature,
    Feature,
    HistoryFeature,
    MissingFeature,
    NumericFeature,
    TextFeature,
)

TENANT = "tenant"
"""What the pooled model calls the tenant; as in `features.recipe`."""

Pair = tuple[Row, Row]
"""What the tenant's own model reads, and what the pooled model reads."""

_MICROSECOND = timedelta(microseconds=1)

_NOTHING: Row = MappingProxyType({})


def needs_state(record: ServingRecord) -> bool:
    """Whether a record's features look at the past or at joined sources."""
    past = HistoryFeature | CongestionFeature
    read = _read_by_model(record)
    looked = (isinstance(one, past) for name, one in record.features.items() if name in read)
    return bool(record.joins) or any(looked)


def features_of(record: ServingRecord, state: State | None, raw: Fields, at: datetime) -> Pair:
    """Compute one row's features; whoever asks more than once keeps an `Online`.

    Args:
        record: How the tenant's model answers.
        state: Its online features; None where the record needs none.
        raw: The request's fields.
        at: When it is asked.

    Returns:
        What the tenant's own model reads, and what the pooled model reads.

    Raises:
        FieldsError: Fields are not what the contract says; all faults at once.
        ServingError: The state lacks what the features read.
    """
    return Online(record, state).features_of(raw, at)


def prepare(record: ServingRecord, content: bytes | None) -> Callable[[Fields, datetime], Pair]:
    """Return what computes a tenant's features, see `Online.features_of`.

    Args:
        record: How the tenant's model answers.
        content: The bytes of its online features; None where it has none.

    Raises:
        ServingError: They are missing, or lack what the record's features read.
        ValueError: They are something else.
    """
    state = None if content is None else State.from_bytes(content)
    return Online(record, state).features_of


class _Clock(NamedTuple):
    """The local time of an event, looked up once a row."""

    hour: int
    weekday: int
    minute: int

    def part(self, name: str | None) -> int:
        if name == "minute_of_day":
            return self.hour * 60 + self.minute
        return self.weekday if name == "weekday" else self.hour


_Compute = Callable[[Asked, _Clock], float | str | None]
_Named = tuple[str, _Compute | None]
_Plain = CalendarFeature | MissingFeature | CategoricalFeature | TextFeature | NumericFeature


class Online:
    """Computes the features of single rows of one tenant; made once, when a tenant is loaded.

    Safe for threads: nothing in it changes.

    Args:
        record: How the tenant's model answers.
        state: Its online features; None where the record needs none.

    Raises:
        ServingError: The state is missing, or lacks what the record's features read.
    """

    def __init__(self, record: ServingRecord, state: State | None) -> None:
        if state is None and needs_state(record):
            msg = "no past is published of this tenant yet; the next run does"
            raise ServingError(msg)
        known = record.times.known_at
        self.record = record
        self.as_of = state.moment if state else None
        self._reader = FieldReader.of(record)
        self._zone = ZoneInfo(record.timezone)
        self._own = record.own if record.parts != "pooled" else ()
        self._shared = tuple(record.shared.items()) if record.parts != "own" else ()
        self._columns = record.columns
        self._event, self._known = record.times.event_time, known
        self._shift = 0 if known.column else _shift(known)
        self._back = record.back // _MICROSECOND
        self._cut = state.as_of if state else None
        self._rows = _Rows.of(state)
        self._joins = tuple(_Lookup.of(join, state) for join in record.joins) if state else ()
        early = max(-self._shift, 0)
        compute = partial(_feature_of, state=state, back=self._back, early=early)
        names = tuple(record.features)
        self._is_own = self._own == names
        read = _read_by_model(record)
        self._features = tuple(
            compute(name, feature) for name, feature in record.features.items() if name in read
        )

    def features_of(self, raw: Fields, at: datetime) -> Pair:
        """Compute one row's features.

        Args:
            raw: The request's fields.
            at: When it is asked.

        Returns:
            What the tenant's own model reads, and what the pooled model reads.

        Raises:
            FieldsError: Fields are not what the contract says; all faults at once.
        """
        return self.rows_of(self.table(raw, at))

    def rows_of(self, table: Row) -> Pair:
        """Return what own and pooled model read of a row of the feature table."""
        own = table if self._is_own else {name: table[name] for name in self._own}
        if not self._shared:
            return own, _NOTHING
        shared = {name: table[column] for name, column in self._shared}
        return own, {**shared, TENANT: self.record.known_as}

    def table(self, raw: Fields, at: datetime) -> dict[str, float | str | None]:
        """Compute one row of the feature table: column → value.

        Raises:
            FieldsError: Fields are not what the contract says; all faults at once.
        """
        asked = self._read(raw, at)
        local = moment_of(asked.happens).astimezone(self._zone)
        clock = _Clock(local.hour, local.weekday(), local.minute)
        fields = asked.fields
        return {
            name: fields[name] if compute is None else compute(asked, clock)
            for name, compute in self._features
        }

    def _read(self, raw: Fields, at: datetime) -> Asked:
        fields, faults = self._reader.read(raw)
        happens = fields.get(self._event)
        known = fields.get(self._known.column) if self._known.column else happens
        if not isinstance(happens, int) or not isinstance(known, int):
            refuse(faults or [Fault(self._event, "missing")])
            raise AssertionError
        known = min(known + self._shift, microseconds(at))
        faults += self._check_age(happens, known)
        for join in self._joins:
            faults += join.fill(fields, known, self._columns)
        refuse(faults)
        return Asked(fields, happens, known, self._rows.find(fields, self.record.key))

    def _check_age(self, happens: int, known: int) -> list[Fault]:
        if self._cut is None:
            return []
        oldest = self._cut - self._back
        if happens < oldest or known < oldest - max(-self._shift, 0):
            return [Fault(self._event, "too long ago for the features that are served")]
        return []


def _read_by_model(record: ServingRecord) -> frozenset[str]:
    """Return the columns of the feature table that the parts of the model read."""
    own = record.own if record.parts != "pooled" else ()
    shared = record.shared.values() if record.parts != "own" else ()
    return frozenset((*own, *shared))


def _shift(known: KnownAt) -> int:
    shift = known.delay if known.delay is not None else -(known.lead or timedelta(0))
    return shift // _MICROSECOND


# --- which row it is ------------------------------------------------------------------------------


def key_hash(values: Sequence[Value]) -> int:
    """Return a hash of a row's key, 64 bits; values as `tenantry.scalars` reads them."""
    text = "\x1f".join([repr(value) for value in values])
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


@dataclass(frozen=True)
class _Rows:
    """The state's rows by the hash of their key.

    Attributes:
        hashes: Ascending.
        places: Where each is among the state's rows.
    """

    hashes: array[int] = field(default_factory=lambda: array("Q"))
    places: array[int] = field(default_factory=lambda: array("q"))

    @classmethod
    def of(cls, state: State | None) -> _Rows:
        if state is None:
            return cls()
        order = np.argsort(state.keys, kind="stable")
        return cls(array("Q", state.keys[order].tobytes()), array("q", order.tobytes()))

    def find(self, fields: Mapping[str, Value], key: tuple[str, ...]) -> int:
        if not self.hashes:
            return -1
        wanted = key_hash([fields.get(name) for name in key])
        place = bisect_left(self.hashes, wanted)
        found = place < len(self.hashes) and self.hashes[place] == wanted
        return self.places[place] if found else -1


# --- joined sources -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Lookup:
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
    def of(cls, join: Join, state: State) -> _Lookup:
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


# --- features -------------------------------------------------------------------------------------


def _feature_of(
    name: str, feature: Feature, *, state: State | None, back: int, early: int
) -> _Named:
    """Return a feature's name and what computes it."""
    match feature:
        case HistoryFeature():
            history = History.of(_required(state), feature, back + early)
            same = feature.same
            return name, lambda asked, clock: history.value(asked, clock.part(same))
        case CongestionFeature():
            congestion = Congestion.of(_required(state), feature, back)
            return name, lambda asked, _: congestion.value(asked)
        case _:
            return _plain_feature(name, feature)


@lru_cache(maxsize=1 << 12)
def _plain_feature(name: str, feature: _Plain) -> _Named:
    """Return a feature of the row alone, the same object for all tenants that have it.

    A feature that is the field of its name has nothing that computes it.
    """
    match feature:
        case CalendarFeature():
            part = feature.part
            return name, lambda _, clock: float(clock.part(part))
        case MissingFeature():
            column = feature.column
            return name, lambda asked, _: 1.0 if asked.fields[column] is None else 0.0
        case CategoricalFeature() | TextFeature():
            text = feature.column or name
            return name, lambda asked, _: _as_category(asked.fields[text])
        case _:
            field = feature.column or name
            return name, None if field == name else lambda asked, _: asked.fields[field]


def _required(state: State | None) -> State:
    if state is None:
        msg = "no past is published of this tenant yet; the next run does"
        raise ServingError(msg)
    return state


def _as_category(value: Value) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else _number_as_text(float(value))


@lru_cache(maxsize=1 << 12)
def _number_as_text(value: float) -> str:
    """As `features.plain.as_category` writes it."""
    return np.format_float_positional(value, trim="-")
