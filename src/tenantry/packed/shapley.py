"""Shapley values of trees: each feature's part in a score, counted from the rows of the fit.

What is not known of a row is averaged over the rows of the fit as they fell through the trees
(*path-dependent*; Lundberg et al., 2020, "From local explanations to global understanding with
explainable AI for trees", algorithm 2). Base and parts add up to the score.

The weights of each leaf are kept for every pattern of its features (Yang, 2021, "Fast TreeSHAP",
version 2). Where rows are many, whole units of a tree (see `paths.Paths`) are, so that a row costs
one look-up for each unit and feature. A row's parts are the same bits alone and among others, by
whichever way.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tenantry.packed.columns import Floats
from tenantry.packed.descent import Bools, Descent, chunks
from tenantry.packed.forest import Forest
from tenantry.packed.paths import bits, weigh
from tenantry.packed.units import Units

_FEW = 200
"""Rows up to which each by itself is quicker."""

_MANY = 4096
"""Rows at once from which tables of whole units pay."""

_OFTEN = 500
"""The same of rows that come by and by: of many tenants, who share their trees."""

Patterns = NDArray[np.unsignedinteger[Any]]


def mean_score(forest: Forest, values: Floats) -> float:
    """Return the mean score of the rows of the fit, less the baseline: the base of the parts.

    Args:
        forest: The trees.
        values: Of all nodes; only those of leaves count.
    """
    paths = forest.paths
    alone = forest.roots[forest.left[forest.roots] == forest.roots]
    return float(values[paths.leaf] @ paths.chance + values[alone].sum())


def tree_parts(forest: Forest, values: Floats, columns: Floats) -> Floats:
    """Take the scores of n rows apart.

    Args:
        forest: The trees.
        values: Of all nodes.
        columns: Values of the features, shape (features, n).

    Returns:
        Shape (features, n); the sum of a column, `mean_score` and the baseline make the score.
    """
    parts = np.zeros(columns.shape)
    rows = columns.shape[1]
    if rows <= _FEW:
        for place, row in enumerate(columns.T):
            parts[:, place] = row_parts(forest, values, row)
        return parts
    leaves = _Leaves(forest, values)
    units = _unit_tables(forest, leaves) if rows >= _MANY else {}
    for chunk in chunks(rows):
        descent = Descent(forest, columns[:, chunk])
        walk = _Walk(forest, leaves, descent, units)
        for root in forest.roots.tolist():
            walk.add(root, parts[:, chunk])
    return parts


class SharedTrees:
    """Trees that few rows at a time are asked of, but many times over.

    Attributes:
        forest: The trees.
    """

    def __init__(self, forest: Forest, values: Floats) -> None:
        """Take trees and the values of all nodes; nothing is worked out yet."""
        self.forest, self._values = forest, values
        self._rows = 0

    def expect(self, rows: int) -> None:
        """Work out now what so many rows will be looked up in, as before a process is forked."""
        self._rows += rows
        self.parts(np.zeros((int(self.forest.feature.max(initial=0)) + 1, 1)))
        _ = self.mean_score

    @cached_property
    def mean_score(self) -> float:
        """The base of the parts, less the baseline; see `mean_score`."""
        return mean_score(self.forest, self._values)

    def parts(self, columns: Floats) -> Floats:
        """Take the scores of n rows apart; see `tree_parts`."""
        rows = columns.shape[1]
        if rows <= _FEW:
            self._rows += rows
            if self._rows >= _OFTEN and self._units:
                return self._units.parts(columns)
        return tree_parts(self.forest, self._values, columns)

    @cached_property
    def _units(self) -> Units | None:
        """What rows are looked up in: some MB; None where trees have ways too long for it."""
        tables = _unit_tables(self.forest, _Leaves(self.forest, self._values))
        is_whole = tables and not self.forest.paths.untabled
        return Units(self.forest, tables) if is_whole else None


def row_parts(forest: Forest, values: Floats, row: Floats) -> Floats:
    """Take the score of one row apart, shape (features,); see `tree_parts`."""
    paths = forest.paths
    weights = paths.weigh_row(forest.goes_left(row))
    weights *= values.take(paths.leaf_of)
    by_unit = np.bincount(paths.unit, weights, len(paths.units))
    return np.bincount(paths.units, by_unit, len(row)).astype(np.float64, copy=False)


class _Decides(Protocol):
    """What tells where rows go: rows of features, or all cases there may be."""

    rows: int

    def goes_left(self, node: int) -> Bools:
        """Return whether each row goes left at an inner node."""
        ...


_Found = dict[int, Floats]
"""Feature → its part so far."""


class _Leaves:
    """What leaves give to the features on the way to them."""

    def __init__(self, forest: Forest, values: Floats) -> None:
        paths = forest.paths
        self._values = values
        self._tables = {leaf: values[leaf] * table.T for leaf, table in paths.tables.items()}
        self._shares = {leaf: paths.share[slots] for leaf, slots in paths.untabled}
        self.kind: type[np.unsignedinteger[Any]] = np.uint16 if paths.longest <= 16 else np.uint64

    def add(self, leaf: int, pattern: Patterns, names: tuple[int, ...], found: _Found) -> None:
        """Add what a leaf gives to each feature; where none was asked on the way, nothing."""
        if not names:
            return
        table, places = self._tables.get(leaf), pattern.astype(np.intp)
        if table is None:  # too many patterns to keep: those that occur
            occurring, places = np.unique(pattern, return_inverse=True)
            weights = weigh(self._shares[leaf], bits(occurring, len(names)))
            table = (self._values[leaf] * weights).T
        for name, column in zip(names, table, strict=True):
            told = column.take(places)
            if name in found:
                found[name] += told
            else:
                found[name] = told


class _Walk:
    """Rows on their way down trees, with a pattern for each.

    Bit k of a pattern tells whether the row goes the node's way at the k-th feature of those on
    the way to it.
    """

    def __init__(
        self, forest: Forest, leaves: _Leaves, rows: _Decides, units: dict[int, _Found]
    ) -> None:
        self._forest = forest
        self._leaves = leaves
        self._rows = rows
        self._units = units
        self._one = leaves.kind(1)

    def add(self, root: int, parts: Floats) -> None:
        """Add what a tree gives to each feature, unit behind unit."""
        nothing: Patterns = np.zeros(self._rows.rows, dtype=self._leaves.kind)
        waiting: list[tuple[int, Patterns, tuple[int, ...]]] = [(root, nothing, ())]
        left, _ = self._forest.children
        while waiting:
            node, pattern, names = waiting.pop()
            if node in self._forest.paths.roots or left[node] == node:
                for name, told in self._unit(node, pattern, names).items():
                    parts[name] += told
            else:
                waiting += self._below(node, pattern, names)

    def _unit(self, root: int, pattern: Patterns, names: tuple[int, ...]) -> _Found:
        """Return what a unit gives."""
        if root not in self._units:
            return self.leaves_below(root, pattern, names)
        case = pattern.copy()
        for place, node in enumerate(self._forest.paths.roots[root], len(names)):
            case |= self._rows.goes_left(node).astype(case.dtype) << self._leaves.kind(place)
        places = case.astype(np.intp)
        return {name: column.take(places) for name, column in self._units[root].items()}

    def leaves_below(self, root: int, pattern: Patterns, names: tuple[int, ...]) -> _Found:
        """Return what the leaves below a node give, added up from left to right."""
        found: _Found = {}
        left, _ = self._forest.children
        waiting = [(root, pattern, names)]
        while waiting:
            node, pattern, names = waiting.pop()
            if left[node] == node:
                self._leaves.add(node, pattern, names, found)
            else:
                waiting += self._below(node, pattern, names)
        return found

    def _below(
        self, node: int, pattern: Patterns, names: tuple[int, ...]
    ) -> list[tuple[int, Patterns, tuple[int, ...]]]:
        """Return a node's right and left child, with their patterns."""
        left, right = (side[node] for side in self._forest.children)
        feature, _, _ = self._forest.splits[node]
        told: Patterns = self._rows.goes_left(node).astype(self._leaves.kind)
        if feature not in names:
            place, names = self._leaves.kind(len(names)), (*names, feature)
            there = pattern | (told << place)
            return [(right, there ^ (self._one << place), names), (left, there, names)]
        place = self._leaves.kind(names.index(feature))
        went = told << place
        elsewhere = ~(self._one << place)
        return [(right, pattern & ~went, names), (left, pattern & (went | elsewhere), names)]


class _Cases:
    """All cases of a unit, as rows: which features before it are kept, which splits go left."""

    def __init__(self, nodes: list[int], names: int) -> None:
        self.rows = 2 ** (names + len(nodes))
        self.case = np.arange(self.rows)
        self._bit = {node: place for place, node in enumerate(nodes, names)}

    def goes_left(self, node: int) -> Bools:
        """Return whether each case goes left at a node of the unit."""
        return np.asarray((self.case >> self._bit[node]) & 1 == 1)


def _unit_tables(forest: Forest, leaves: _Leaves) -> dict[int, _Found]:
    """Return each unit's parts in all cases: a row of the features at hand looks them up."""
    found = {}
    for root, names in forest.paths.before.items():
        cases = _Cases(forest.paths.roots[root], len(names))
        pattern = (cases.case & (2 ** len(names) - 1)).astype(leaves.kind)
        found[root] = _Walk(forest, leaves, cases, {}).leaves_below(root, pattern, names)
    return found
