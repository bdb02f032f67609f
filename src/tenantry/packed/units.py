"""Parts of rows by look-up: every case of a unit of trees is worked out once (`paths.Paths`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from tenantry.packed.columns import Floats
from tenantry.packed.descent import Bools
from tenantry.packed.forest import Forest
from tenantry.packed.paths import Edge

_CHUNK = 256
"""Rows at once: what they look up stays in the cache."""

Tables = Mapping[int, Mapping[int, Floats]]
"""First node of a unit → feature → its part in each case."""


class Units:
    """All cases of trees' units.

    A unit's case is a number. Its lowest bits tell whether a row goes the unit's way at each of the
    features before it, the others whether it goes left at each of its splits.
    """

    def __init__(self, forest: Forest, tables: Tables) -> None:
        """Take the units in the order in which their parts are added up: tree behind tree."""
        roots = sorted(tables, key=lambda root: np.searchsorted(forest.roots, root, side="right"))
        units = [_bits(forest, root) for root in roots]
        self._shape = max(map(len, units)), len(units)
        self._splits = list(_layers(forest, units))
        pairs = [(unit, *item) for unit, root in enumerate(roots) for item in tables[root].items()]
        self._unit = np.array([unit for unit, _, _ in pairs])
        self._asked = np.array([feature for _, feature, _ in pairs])[:, None]
        lengths = np.array([len(column) for _, _, column in pairs])
        self._first = (np.cumsum(lengths) - lengths)[:, None]
        self._table = np.concatenate([column for _, _, column in pairs])

    def parts(self, columns: Floats) -> Floats:
        """Take the scores of n rows apart; see `shapley.tree_parts`."""
        found = np.empty(columns.shape)
        for first in range(0, columns.shape[1], _CHUNK):
            chunk = slice(first, first + _CHUNK)
            found[:, chunk] = self._parts(columns[:, chunk])
        return found

    def _parts(self, columns: Floats) -> Floats:
        features, rows = columns.shape
        told = self._table.take(self._first + self._cases(columns).take(self._unit, axis=0))
        place = self._asked * rows + np.arange(rows)
        parts = np.bincount(place.ravel(), told.ravel(), features * rows).astype(
            np.float64, copy=False
        )
        return parts.reshape(features, rows)

    def _cases(self, columns: Floats) -> NDArray[np.int16]:
        """Return the case of each row in each unit, shape (units, n)."""
        bits, units = self._shape
        kept = np.zeros((bits * units, columns.shape[1]), dtype=np.int16)
        first, *others = self._splits
        kept[first.bits] = first.are_kept(columns)
        for layer in others:
            kept[layer.bits] &= layer.are_kept(columns)
        places = np.arange(bits, dtype=np.int16)[:, None, None]
        cases: NDArray[np.int16] = np.bitwise_or.reduce(kept.reshape(bits, units, -1) << places)
        return cases


class _Layer:
    """Splits that bits stand for, one each: where a bit stands for more, each is in another layer.

    Attributes:
        bits: Place of each among all: the lowest bits of all units, the next of all units, ….
    """

    def __init__(self, forest: Forest, edges: Mapping[int, Edge]) -> None:
        node = np.array([node for node, _ in edges.values()])
        self.bits = np.array(list(edges))
        self._feature, self._threshold = forest.feature[node], forest.threshold[node, None]
        self._missing_left = forest.missing_left[node, None]
        self._is_left = np.array([is_left for _, is_left in edges.values()])[:, None]

    def are_kept(self, columns: Floats) -> Bools:
        """Return whether each row goes the way that is meant, shape (splits, n)."""
        goes_left: Bools = columns.take(self._feature, axis=0) <= self._threshold
        if (missing := np.isnan(columns)).any():
            goes_left |= missing.take(self._feature, axis=0) & self._missing_left
        kept: Bools = goes_left == self._is_left
        return kept


def _layers(forest: Forest, units: list[list[list[Edge]]]) -> Iterator[_Layer]:
    edges = {
        place * len(units) + unit: splits
        for unit, bits in enumerate(units)
        for place, splits in enumerate(bits)
    }
    for depth in range(max(map(len, edges.values()))):
        yield _Layer(forest, {bit: found[depth] for bit, found in edges.items() if found[depth:]})


def _bits(forest: Forest, root: int) -> list[list[Edge]]:
    """Return of each bit of a unit's case the splits that it stands for."""
    before: dict[int, list[Edge]] = {name: [] for name in forest.paths.before[root]}
    for node, is_left in _way_to(forest, root):
        before[int(forest.feature[node])].append((node, is_left))
    return [*before.values(), *([(node, True)] for node in forest.paths.roots[root])]


def _way_to(forest: Forest, node: int) -> Iterator[Edge]:
    """Yield the splits on the way to a node, from below."""
    while (parent := forest.parents[node]) != node:
        yield parent, bool(forest.left[parent] == node)
        node = parent
