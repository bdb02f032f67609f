"""One row's features, from raw fields and the published past: what the batch would compute.

**As of the feature cut.** A row's features are those that `features.recipe.build_features` gives
when the row is added to the rows that the publishing run had read. Nothing that came in after that
run's `as_of` is in them. A row that the run had read already, known by its key, is replaced by the
request's. It becomes known when the spec says, or when it is asked for, if that is earlier.

Nothing here imports pandas: a row takes microseconds, a server starts fast.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from zoneinfo import ZoneInfo

from tenantry.errors import Fault, ServingError
from tenantry.packed.columns import Row
from tenantry.scalars import microseconds, moment_of
from tenantry.serving.fields import FieldReader, Fields, refuse
from tenantry.serving.lookups import Lookup, Rows
from tenantry.serving.past import Asked
from tenantry.serving.records import ServingRecord
from tenantry.serving.row_features import Clock, feature_of
from tenantry.serving.state import State
from tenantry.specs.data import KnownAt
from tenantry.specs.features import CongestionFeature, HistoryFeature

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
        self._rows = Rows.of(state)
        self._joins = tuple(Lookup.of(join, state) for join in record.joins) if state else ()
        early = max(-self._shift, 0)
        compute = partial(feature_of, state=state, back=self._back, early=early)
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
        clock = Clock(local.hour, local.weekday(), local.minute)
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
