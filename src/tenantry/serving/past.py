"""History and congestion features of one row, from the state that a run published.

The past is put in order by the same `Timeline` as the batch's; a row's span in it is then found by
bisection, and sums are exact for whole numbers and made in the batch's own order for others. So a
value is that of the batch to the last bit; `tests/unit/serving/test_parity.py` holds it to that.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from tenantry.errors import ServingError
from tenantry.features.windows import Floats, Integers, Timeline
from tenantry.scalars import EXACT, Value
from tenantry.serving.state import State
from tenantry.specs.features import CongestionFeature, HistoryFeature

_NEVER = np.iinfo(np.int64).min
"""Stands for a moment that is not known."""

T = TypeVar("T")

Group = tuple[Value, ...]


class Asked(NamedTuple):
    """A row that features are asked of; times are microseconds since 1970 UTC.

    Attributes:
        fields: Column → its value.
        happens: When it happens.
        known: When it is known.
        own: Its place among the state's rows; -1 where it is none of them.
    """

    fields: Mapping[str, Value]
    happens: int
    known: int
    own: int


@dataclass(frozen=True)
class _Past:
    """Rows of the state that may count, in order of group, then moment.

    Attributes:
        by: The fields that are alike in a group.
        has_part: Whether the hour or weekday is, too.
        groups: What is alike in a group → its number.
        bounds: Where each group begins, and where the last ends.
        moments: Of each row.
        order: Each one's place among the state's rows.
        places: Of the state's rows the place in this order; -1 where it is not in it.
    """

    by: tuple[str, ...]
    has_part: bool
    groups: Mapping[Group, int]
    bounds: array[int]
    moments: array[int]
    order: Integers
    places: array[int]

    @classmethod
    def of(
        cls, state: State, by: tuple[str, ...], part: str | None, moments: Integers,
        counted: NDArray[np.bool_],
    ) -> Self:  # fmt: skip
        numbers, groups = _group(state, by, part, counted)
        line = Timeline.of(numbers, moments, counted)
        first = np.arange(len(groups) + 1) * (len(line.moments) + 1)
        return cls(
            by=by,
            has_part=part is not None,
            groups=groups,
            bounds=array("q", np.searchsorted(line.keys, first).tolist()),
            moments=array("q", moments[line.order].tobytes()),
            order=line.order,
            places=array("i", line.places_in_order(len(moments)).astype(np.int32).tobytes()),
        )

    def group_of(self, fields: Mapping[str, Value], part: int) -> Group:
        """Return what is alike in the group of a row; `part` is its hour or weekday."""
        alike = [fields[name] for name in self.by]
        if self.has_part:
            alike.append(part)
        return tuple(alike)

    def span(self, group: Group, after: int, until: int) -> tuple[int, int]:
        """Return where the rows of a group begin and end that lie in a span."""
        number = self.groups.get(group)
        if number is None:
            return 0, 0
        low, high = self.bounds[number], self.bounds[number + 1]
        stop = bisect_right(self.moments, until, low, high)
        return bisect_right(self.moments, after, low, stop), stop


@dataclass(frozen=True)
class History:
    """A history feature over the state's rows.

    Attributes:
        is_count: Whether it counts rows instead of taking a mean.
        min_rows: With fewer a mean is missing.
        past: The rows whose label is known and that have a value, by when it was.
        values: Their values.
        sums: Sums of the values before each place, where all are exact; else None.
        over: How far back, microseconds.
    """

    is_count: bool
    min_rows: int
    past: _Past
    values: Floats
    sums: array[float] | None
    over: int

    @classmethod
    def of(cls, state: State, feature: HistoryFeature, back: int) -> Self:
        """Put the state's rows in order for a feature.

        Args:
            state: The state.
            feature: The feature.
            back: How long before the state's `as_of` a row may have become known, microseconds.

        Raises:
            ServingError: The state lacks a column or does not reach as far back.
        """
        over = microseconds_of(feature)
        values, learned = _column(state.numbers, feature.of), state.learned
        oldest = state.as_of - back - over
        _require(state.learned_after <= oldest, feature.kind)
        counted = np.isfinite(values) & (learned != _NEVER) & (learned > oldest)
        past = _Past.of(state, feature.by, feature.same, learned, counted)
        ordered = values[past.order]
        whole = bool(np.all(ordered == np.rint(ordered)) and np.abs(ordered).sum() < EXACT)
        sums = array("d", np.concatenate(([0.0], np.cumsum(ordered))).tobytes()) if whole else None
        return cls(feature.statistic == "count", feature.min_rows, past, ordered, sums, over)

    def value(self, asked: Asked, part: int) -> float:
        """Return the feature of a row; `part` is the hour or weekday of its event, as `same` says.

        A mean of fewer than `min_rows` rows is NaN.
        """
        past, known = self.past, asked.known
        start, stop = past.span(past.group_of(asked.fields, part), known - self.over, known)
        own = past.places[asked.own] if asked.own >= 0 else -1
        inside = start <= own < stop
        count = stop - start - inside
        if self.is_count:
            return float(count)
        if count < self.min_rows:
            return math.nan
        return self._sum(start, stop, own if inside else -1) / count

    def _sum(self, start: int, stop: int, own: int) -> float:
        if self.sums is not None:
            total = self.sums[stop] - self.sums[start]
            return total if own < 0 else total - float(self.values[own])
        if own < 0:
            return sum_span(self.values[start:stop])
        return sum_span(self.values[start:own]) + sum_span(self.values[own + 1 : stop])


@dataclass(frozen=True)
class Congestion:
    """A congestion feature over the state's rows.

    Attributes:
        past: The rows, by when they happen.
        known: When each of them was known.
        latest: When the last of them was.
        over: How far back, microseconds.
    """

    past: _Past
    known: Integers
    latest: int
    over: int

    @classmethod
    def of(cls, state: State, feature: CongestionFeature, back: int) -> Self:
        """Put the state's rows in order for a feature; see `History.of`.

        Args:
            state: The state.
            feature: The feature.
            back: How long before the state's `as_of` a row may happen, microseconds.

        Raises:
            ServingError: The state lacks a column or does not reach as far back.
        """
        over = microseconds_of(feature)
        oldest = state.as_of - back - over
        _require(state.happens_after <= oldest, feature.kind)
        past = _Past.of(state, feature.by, None, state.happens, state.happens > oldest)
        known = state.known[past.order]
        return cls(past, known, int(known.max(initial=_NEVER)), over)

    def value(self, asked: Asked) -> float:
        """Return the feature of a row."""
        past = self.past
        group = past.group_of(asked.fields, 0)
        start, stop = past.span(group, asked.happens - self.over, asked.happens)
        own = past.places[asked.own] if asked.own >= 0 else -1
        if asked.known >= self.latest:
            return float(stop - start - (start <= own < stop))
        known = self.known[start:stop] <= asked.known
        itself = start <= own < stop and bool(known[own - start])
        return float(np.count_nonzero(known) - itself)


def sum_span(values: Floats) -> float:
    """Return a sum, made in the order in which `windows.sum_spans` makes it.

    That takes blocks of 1, 2, 4, … values, the smallest first, as the length is made of. Paired
    from the end, the blocks of every level fall into place, and a first one that has no partner is
    one of those that are taken.
    """
    total = 0.0
    while len(values):
        if len(values) % 2:
            total += float(values[0])
            values = values[1:]
        values = values[0::2] + values[1::2]
    return total


def microseconds_of(feature: HistoryFeature | CongestionFeature) -> int:
    """Return how far a feature looks back, microseconds."""
    return int(feature.over.total_seconds() * 1_000_000)


def _group(
    state: State, by: tuple[str, ...], part: str | None, counted: NDArray[np.bool_]
) -> tuple[Integers, dict[Group, int]]:
    """Return each row's group, 0 for those that do not count, and what is alike in each group."""
    columns = [_column(state.levels, name) for name in by]
    mixed = np.zeros(len(state.keys), dtype=np.int64)
    for levels in columns:
        mixed = mixed * (len(levels.values) + 1) + levels.codes + 1
        _, mixed = np.unique(mixed, return_inverse=True)
    if part is not None:
        mixed = mixed * 24 + _column(state.parts, part)
    rows = np.flatnonzero(counted)
    _, first, inverse = np.unique(mixed[rows], return_index=True, return_inverse=True)
    numbers = np.zeros(len(mixed), dtype=np.int64)
    numbers[rows] = inverse
    chosen = rows[first]
    alike: list[list[Value]] = [
        [None if code < 0 else levels.values[code] for code in levels.codes[chosen].tolist()]
        for levels in columns
    ]
    if part is not None:
        alike.append(_column(state.parts, part)[chosen].tolist())
    keys = zip(*alike, strict=True) if alike else [()] * len(chosen)
    return numbers, {key: number for number, key in enumerate(keys)}


def _column(columns: Mapping[str, T], name: str) -> T:
    _require(name in columns, name)
    return columns[name]


def _require(is_there: bool, what: str) -> None:
    if not is_there:
        msg = f"the published past lacks what {what} reads; the next run publishes it anew"
        raise ServingError(msg)
