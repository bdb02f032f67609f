"""Rows alike, in order of time: which of them lie in a span, how many, and what they sum to.

All of it is vectorised over the rows, and what it finds for a row depends on the rows in that row's
own span alone, to the last bit: not on later rows, other groups or the order of the frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

_MOST_GROUPS = 1 << 31
"""Group numbers past which they are counted anew: a group and a moment make one whole number."""


_PIECE = 4096
"""Numbers that are searched for together."""


_MICROSECONDS = ("datetime64[us]", "datetime64[us, UTC]")


def moments_of(times: pd.Series) -> Integers:
    """Return times as microseconds since 1970 UTC; a missing one is the smallest integer."""
    import pandas as pd

    if str(times.dtype) in _MICROSECONDS:
        return times.to_numpy("datetime64[us]").view(np.int64)
    return np.asarray(pd.DatetimeIndex(times).as_unit("us").asi8, dtype=np.int64)


def groups_of(rows: pd.DataFrame, by: tuple[str, ...]) -> Integers:
    """Number the groups of rows that are equal in the columns `by`; missing values are equal.

    Args:
        rows: Any frame.
        by: Columns of it.

    Returns:
        One group number a row, at least 0; all 0 when there is nothing to be equal in.
    """
    import pandas as pd

    groups, size = np.zeros(len(rows), dtype=np.int64), 1
    for name in by:
        values = rows[name]
        if isinstance(values.dtype, pd.CategoricalDtype):
            codes = values.cat.codes.to_numpy(dtype=np.int64) + 1  # a missing value's is -1
            levels = len(values.cat.categories) + 1
        else:
            codes, found = pd.factorize(values, use_na_sentinel=False)
            levels = len(found)
        groups, size = groups * levels + codes, size * levels
        if size > _MOST_GROUPS:
            groups = np.unique(groups, return_inverse=True)[1]
            size = len(rows)
    return groups


def divided(groups: Integers, part: Floats) -> Integers:
    """Return the numbers of groups whose rows are equal in `part`, too: small whole numbers."""
    parts = int(part.max(initial=0)) + 1
    if int(groups.max(initial=0)) * parts > _MOST_GROUPS:
        groups = np.unique(groups, return_inverse=True)[1]
    return groups * parts + part.astype(np.int64)


@dataclass(frozen=True)
class Timeline:
    """Some rows in order of group, then moment, then place in the frame.

    Attributes:
        order: Their places in the frame.
        moments: Their distinct moments, ascending.
        keys: Group and rank of the moment of each, as one ascending number.
    """

    order: Integers
    moments: Integers
    keys: Integers

    @classmethod
    def of(cls, groups: Integers, times: Integers, counted: Flags) -> Self:
        """Put the `counted` rows in order; arguments have one value a row of the frame."""
        return cls.of_ranks(groups, *ranked(times, counted), counted)

    @classmethod
    def of_ranks(cls, groups: Integers, moments: Integers, ranks: Integers, counted: Flags) -> Self:
        """Put the `counted` rows in order by what `ranked` returns of their times."""
        places = np.flatnonzero(counted)
        order, ordered = sort_groups(groups[places], ranks[places])
        mine = places[order]
        return cls.in_order(mine, ordered, moments, ranks.take(mine))

    @classmethod
    def in_order(
        cls, order: Integers, groups: Integers, moments: Integers, ranks: Integers
    ) -> Self:
        """Make one of places in order, and their groups and ranks in that order."""
        keys = groups * (len(moments) + 1)
        keys += ranks
        return cls(order, moments, keys)

    def ends(self, groups: Integers, until: Integers) -> Integers:
        """Return where in `order` the rows of a group with moment ≤ `until` end, for each asked."""
        return self.ends_of(self.firsts(groups), self.ranks(until))

    def ranks(self, until: Integers) -> Integers:
        """Return how many moments are ≤ `until`, for each; ten times as quick where they rise."""
        return count_less(self.moments, until + 1)

    def firsts(self, groups: Integers) -> Integers:
        """Return the key of each group's first moment."""
        return groups * (len(self.moments) + 1)

    def ends_of(self, firsts: Integers, ranks: Integers) -> Integers:
        """Return the same as `ends`, by `firsts` and `ranks`; quicker where their sums rise."""
        return count_less(self.keys, firsts + ranks)

    def places_in_order(self, size: int) -> Integers:
        """Return each frame row's place in `order`; -1 for rows that are not in it."""
        places = np.full(size, -1, dtype=np.int64)
        places[self.order] = np.arange(len(self.order))
        return places


def count_less(values: Integers, asked: Integers) -> Integers:
    """Return how many of ascending `values` are less than each number asked for.

    Where those rise, too, the ends of some thousands of them bound what is searched for the others:
    that stays in the cache.
    """
    if len(asked) <= _PIECE or not is_rising(asked):
        return np.searchsorted(values, asked)
    first = np.arange(0, len(asked), _PIECE)
    bounds = np.searchsorted(values, np.append(asked[first], asked[-1])).tolist()
    found = np.empty(len(asked), dtype=np.int64)
    for start, (low, high) in zip(first.tolist(), pairwise(bounds), strict=True):
        piece = slice(start, start + _PIECE)
        found[piece] = low + np.searchsorted(values[low:high], asked[piece])
    return found


def ranked(times: Integers, counted: Flags) -> tuple[Integers, Integers]:
    """Return the distinct times of the `counted` rows, ascending, and the rank of each row's.

    The rank of a row that does not count says nothing.
    """
    if counted.all():
        return distinct(times)
    moments, found = distinct(times[counted])
    ranks = np.zeros(len(times), dtype=np.int64)
    ranks[counted] = found
    return moments, ranks


def distinct(times: Integers) -> tuple[Integers, Integers]:
    """Return the distinct times, ascending, and the place of each one among them."""
    if not len(times) or not is_rising(times):
        return np.unique(times, return_inverse=True)
    is_new = np.ones(len(times), dtype=bool)
    np.not_equal(times[1:], times[:-1], out=is_new[1:])
    places = np.cumsum(is_new)
    places -= 1
    return times[is_new], places


def is_rising(times: Integers) -> bool:
    """Say whether no time is before the one before it."""
    return bool(np.all(times[1:] >= times[:-1]))


def sort_groups(groups: Integers, times: Integers) -> tuple[Integers, Integers]:
    """Return the places of rows by group, then time, equal ones as they are; and their groups.

    Args:
        groups: Numbers from 0 to 2³¹.
        times: Any whole numbers.
    """
    if is_rising(times):
        return _sort_places(groups)
    by_time = np.argsort(times, kind="stable")
    order, ordered = _sort_places(groups.take(by_time))
    return by_time.take(order), ordered


def _sort_places(groups: Integers) -> tuple[Integers, Integers]:
    """Sort group and place as one number each: NumPy sorts numbers quicker than places by them."""
    bits = len(groups).bit_length()
    both = groups << bits
    both |= np.arange(len(groups))
    both.sort()
    return both & ((1 << bits) - 1), both >> bits


def sum_spans(values: Floats, start: Integers, stop: Integers) -> Floats:
    """Return the sum of ``values[start:stop]`` for each pair; 0 where the span is empty.

    Sums of 1, 2, 4, … neighbours are made level by level, and each span takes those that its length
    is made of: exact for whole numbers up to 2^53, pairwise summation otherwise.
    """
    length = stop - start
    total = np.zeros(len(start))
    place, block, size = start.copy(), values, 1
    while size <= length.max(initial=0):
        asked = np.flatnonzero(length & size)
        total[asked] += block[place[asked]]
        place[asked] += size
        block = block[:-size] + block[size:]
        size *= 2
    return total


def count_below(ranks: Integers, start: Integers, stop: Integers, limit: Integers) -> Integers:
    """Return how many of ``ranks[start:stop]`` are below `limit`, for each triple.

    A wavelet matrix: ranks are split by their bits from the highest down, and each span is followed
    to the side where its limit lies.

    Args:
        ranks: Whole numbers ≥ 0.
        start: First place of each span.
        stop: Place after its last.
        limit: Whole numbers ≥ 0.

    Source: Claude, Navarro, Ordóñez: The wavelet matrix (2015).
    """
    count = np.zeros(len(start), dtype=np.int64)
    for bit in reversed(range(int(max(ranks.max(initial=0), limit.max(initial=0))).bit_length())):
        ones = (ranks >> bit) & 1
        zeros = np.concatenate(([0], np.cumsum(1 - ones)))
        low_start, low_stop = zeros[start], zeros[stop]
        upper = ((limit >> bit) & 1).astype(bool)
        count[upper] += (low_stop - low_start)[upper]
        start = np.where(upper, zeros[-1] + start - low_start, low_start)
        stop = np.where(upper, zeros[-1] + stop - low_stop, low_stop)
        ranks = np.concatenate((ranks[ones == 0], ranks[ones == 1]))
    return count
