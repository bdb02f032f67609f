"""History: a statistic of the tenant's own past, of what was known when the row became known."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd

from tenantry.columns import EVENT_TIME, KNOWN_AT, LABEL_KNOWN_AT
from tenantry.features.calendar import Part, local_clock, part_of
from tenantry.features.windows import (
    Flags,
    Floats,
    Integers,
    Timeline,
    distinct,
    divided,
    groups_of,
    is_rising,
    moments_of,
    ranked,
    sort_groups,
    sum_spans,
)
from tenantry.specs.features import HistoryFeature

_EXACT = float(1 << 53)
"""Sums of whole numbers are exact up to here, in whatever order they are made."""


def past_statistic(rows: pd.DataFrame, feature: HistoryFeature, timezone: str) -> Floats:
    """Compute a history feature; see `History.statistic`."""
    return History(rows, timezone, slice(None)).statistic(feature)


@dataclass(frozen=True)
class _Past:
    """The rows of a group that count, by when they were learned from, and who asks for them.

    Attributes:
        order: Places, among the rows that ask, of each by group, then by when it asks; all that
            follows is in it.
        asking: When each asks, as its place among the distinct moments.
        line: The rows that count.
        firsts: The key in the line of the first moment of each one's group.
        stop: Where in the line those end that each knows.
        own: The place of each in the line, -1 where it does not count; None where no row could know
            itself.
        starts: Where in the line those begin that each learned within a span, by that.
        sums: Of columns in the line's order.
    """

    order: Integers
    asking: Integers
    line: Timeline
    firsts: Integers
    stop: Integers
    own: Integers | None
    starts: dict[int, Integers] = field(default_factory=dict)
    sums: "dict[str, _Sums]" = field(default_factory=dict)

    def inside(self, start: Integers) -> Flags | None:
        """Return which rows are among those that count for them; None for no row."""
        return None if self.own is None else (self.own >= start) & (self.own < self.stop)


@dataclass(frozen=True)
class _Values:
    """A column that statistics are made of.

    Attributes:
        values: The values.
        counted: The number of the set of rows that count: that have one and a known label.
        is_exact: Whether sums of what counts are exact.
    """

    values: Floats
    counted: int
    is_exact: bool


@dataclass
class History:
    """What the history features of a frame of rows have in common, made once.

    What those of the same groups have in common is let go of when others are asked for.

    Attributes:
        rows: A rows frame; `known_at` is never missing.
        timezone: Of a feature's `same`, an IANA name.
        asking: The places of the rows that features are for: the others are only their past.
    """

    rows: pd.DataFrame
    timezone: str
    asking: slice
    _parts: dict[Part, Floats] = field(default_factory=dict)
    _columns: dict[str, _Values] = field(default_factory=dict)
    _groups: dict[tuple[str, ...], Integers] = field(default_factory=dict)
    _counted: list[Flags] = field(default_factory=list)
    _moments: dict[int, tuple[Integers, Integers]] = field(default_factory=dict)
    _held: tuple[object, _Past] | None = None

    def __post_init__(self) -> None:
        self._asked = moments_of(self.rows[KNOWN_AT])
        self._learned = moments_of(self.rows[LABEL_KNOWN_AT])
        self._is_learned = self.rows[LABEL_KNOWN_AT].notna().to_numpy()
        known = self._is_learned
        self._in_step = is_rising(self._asked) and is_rising(self._learned[known])
        self._may_know_itself = bool((known & (self._learned <= self._asked)).any())

    @cached_property
    def _moments_asked(self) -> tuple[Integers, Integers]:
        """The distinct moments at which rows ask, and the place of each one's among them."""
        return distinct(self._asked[self.asking])

    @cached_property
    def _clock(self) -> tuple[Integers, Integers]:
        """The distinct moments at which rows happen, as local time, and the place of each row's."""
        moments, places = distinct(moments_of(self.rows[EVENT_TIME]))
        return local_clock(moments, self.timezone), places

    def part(self, part: Part) -> Floats:
        """Return a part of each event's local time, of all rows."""
        if part not in self._parts:
            clock, places = self._clock
            self._parts[part] = part_of(clock, part).take(places)
        return self._parts[part]

    def statistic(self, feature: HistoryFeature) -> Floats:
        """Compute a history feature.

        For a row known at ``k`` the rows that count are those that

        - are alike in the columns `by` (missing values are alike), and happen in the same local
          hour or on the same weekday where `same` says so,
        - have ``k - over < label_known_at ≤ k``: what people would have learned in that span,
        - have a finite value in the column `of`, whatever column that is: it is taken to be known
          when the row's label is,
        - are not the row itself.

        Returns:
            One value a row that asks. A mean of fewer than `min_rows` rows is NaN; a count is never
            NaN.
        """
        past = self._past(feature)
        start = self._start(past, int(feature.over.total_seconds() * 1_000_000))
        inside = past.inside(start)
        count = past.stop - start
        if inside is not None:
            count -= inside
        told = count.astype(np.float64)
        if feature.statistic != "count":
            total = self._totals(feature.of, start, past, inside)
            mean = np.full(len(told), np.nan)
            told = np.divide(total, told, out=mean, where=told >= feature.min_rows)
        found = np.empty(len(told))
        found[past.order] = told
        return found

    def _past(self, feature: HistoryFeature) -> _Past:
        number = self._values(feature.of).counted
        place = (feature.by, feature.same, number)
        if self._held is None or self._held[0] != place:
            self._held = None  # let go of one before the next is made
            self._held = place, self._make_past(feature, number)
        return self._held[1]

    def _make_past(self, feature: HistoryFeature, number: int) -> _Past:
        groups = self._group(feature.by, feature.same)
        order, ordered = sort_groups(groups, self._asked)
        line = self._line(number, groups, order, ordered)
        first, end, _ = self.asking.indices(len(groups))
        if end - first < len(groups):
            asks = (order >= first) & (order < end)
            order, ordered = order[asks] - first, ordered[asks]
        own = None
        if self._may_know_itself:
            own = line.places_in_order(len(groups))[self.asking].take(order)
        moments, places = self._moments_asked
        asking = places.take(order)
        firsts = line.firsts(ordered)
        stop = line.ends_of(firsts, line.ranks(moments).take(asking))
        return _Past(order, asking, line, firsts, stop, own)

    def _values(self, name: str) -> _Values:
        if name not in self._columns:
            values = np.asarray(self.rows[name], dtype=np.float64)
            counted = np.isfinite(values) & self._is_learned
            known = values if counted.all() else values[counted]
            is_exact = np.array_equal(known, np.rint(known)) and np.abs(known).sum() < _EXACT
            self._columns[name] = _Values(values, self._number(counted), is_exact)
        return self._columns[name]

    def _start(self, past: _Past, over: int) -> Integers:
        """Return where in the line the rows begin that each learned within `over`."""
        if over not in past.starts:
            ranks = past.line.ranks(self._moments_asked[0] - over)
            past.starts[over] = past.line.ends_of(past.firsts, ranks.take(past.asking))
        return past.starts[over]

    def _line(self, number: int, groups: Integers, order: Integers, ordered: Integers) -> Timeline:
        """Return a set of rows that count as a line; `order` is of all rows."""
        counted = self._counted[number]
        if number not in self._moments:
            self._moments[number] = ranked(self._learned, counted)
        moments, ranks = self._moments[number]
        if not self._in_step:
            return Timeline.of_ranks(groups, moments, ranks, counted)
        if not counted.all():
            kept = counted.take(order)
            order, ordered = order[kept], ordered[kept]
        return Timeline.in_order(order, ordered, moments, ranks.take(order))

    def _number(self, counted: Flags) -> int:
        """Number sets of rows that count: features of label and value mostly share one."""
        for number, known in enumerate(self._counted):
            if np.array_equal(known, counted):
                return number
        self._counted.append(counted)
        return len(self._counted) - 1

    def _group(self, by: tuple[str, ...], same: Part | None) -> Integers:
        if by not in self._groups:
            self._groups[by] = groups_of(self.rows, by)
        groups = self._groups[by]
        return divided(groups, self.part(same)) if same else groups

    def _totals(self, of: str, start: Integers, past: _Past, inside: Flags | None) -> Floats:
        """Return the sums of what counts, each without the row itself."""
        if of not in past.sums:
            column = self._values(of)
            ordered = column.values.take(past.line.order)
            past.sums[of] = _Sums.of(ordered, is_exact=column.is_exact)
        return past.sums[of].between(start, past, inside)


@dataclass(frozen=True)
class _Sums:
    """Values of a line, to be summed.

    Attributes:
        values: The values.
        running: The sums up to each of them, where those are exact; None where they are not.
    """

    values: Floats
    running: Floats | None

    @classmethod
    def of(cls, values: Floats, *, is_exact: bool) -> Self:
        """Make sums of values in the line's order."""
        if not is_exact:
            return cls(values, None)
        running = np.zeros(len(values) + 1)
        np.cumsum(values, out=running[1:])
        return cls(values, running)

    def between(self, start: Integers, past: _Past, inside: Flags | None) -> Floats:
        """Return the sums from `start` to the past's end, each without the row itself."""
        if self.running is not None:
            total = self.running.take(past.stop)
            total -= self.running.take(start)
            if inside is not None and past.own is not None:
                total[inside] -= self.values[past.own[inside]]
            return total
        if inside is None or past.own is None:
            return sum_spans(self.values, start, past.stop)
        before = np.where(inside, past.own, past.stop)
        total = sum_spans(self.values, start, before)
        total[inside] += sum_spans(self.values, past.own[inside] + 1, past.stop[inside])
        return total
