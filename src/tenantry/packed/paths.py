"""The ways to the leaves of trees, and the weights by which leaves count for their features."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tenantry.packed.forest import Forest

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Edge = tuple[int, bool]
"""A node, and whether the way goes left there."""

Bools = NDArray[np.bool_]

CASES = 10
"""Splits and features before them of a unit: its table has 2^10 lines at the most."""

TABLED = 10
"""Features on the way to a leaf up to which its weights are kept for every pattern: 80 KB."""


_SLOT_ARRAYS = 12
"""Arrays of a value a slot that are kept, those in units and ways among them."""


def weigh(share: Floats, kept: Bools) -> Floats:
    """Weigh a leaf's features: what each adds to the chance of reaching the leaf.

    Where the features of a set are known and the others are not, a row reaches a leaf by the chance
    that is the product, over the features on the way, of 1 or 0 for a known one (whether the row
    goes the leaf's way wherever the feature is asked), and of `share` for another. The weights are
    the Shapley values of that game (Lundberg et al., 2020, algorithm 2): of feature j
    ``(kept_j - share_j) · ∫ Π_{k≠j} (kept_k · t + share_k · (1 - t)) dt`` from 0 to 1, a polynomial
    of degree m - 1 that Gauss and Legendre integrate without error by half as many points.

    Args:
        share: Share of the rows of the fit that go the leaf's way at the feature's splits, above 0,
            shape (…, m).
        kept: Whether the row does, shape (…, m).

    Returns:
        Shape (…, m); their sum is the row's chance (1 or 0) less that of no feature known.
    """
    told = kept.astype(np.float64)
    total: Floats = np.zeros(np.broadcast_shapes(told.shape, share.shape))
    for point, weight in zip(*_points(share.shape[-1]), strict=True):
        factors = told * point + share * (1 - point)
        whole = np.full_like(total[..., :1], weight)
        for feature in range(total.shape[-1]):  # in this order, whatever the shape: the same bits
            whole *= factors[..., [feature]]
        total += whole / factors
    return (told - share) * total


def _points(features: int) -> tuple[Floats, Floats]:
    """Return points and weights that integrate the weights of so many features from 0 to 1."""
    points, weights = np.polynomial.legendre.leggauss((features + 1) // 2)
    return (points + 1) / 2, weights / 2


@dataclass(frozen=True)
class Paths:
    """Every leaf's way from its root, taken together by feature, leaf behind leaf.

    A *slot* is a feature on the way to a leaf, in the order in which they are asked first; leaves
    without any (trees of one node) are left out. A *unit* is a part of a tree, from one node down,
    whose splits and the features before it are few enough for a table of all cases; each leaf
    is in one. Parts are added up by unit, then unit behind unit.

    Attributes:
        leaf: Place of each leaf among all nodes, shape (leaves,).
        start: Its first slot, shape (leaves,).
        feature: Of each slot, shape (slots,).
        share: Share of the rows of the fit that go the leaf's way at the slot's splits.
        unit: The slot's feature in its leaf's unit: units' features are counted through.
        units: Of each unit's feature the feature, shape (units' features,).
        roots: Place of a unit's first node → its inner nodes, each before those below it.
        before: Place of a unit's first node → the features on the way to it, as they are asked.
        node: The slot's first split.
        is_left: Whether the way goes left there.
        more: Its other splits: slot, node and whether the way goes left, shape (others, 3).
    """

    leaf: Ints
    start: Ints
    feature: Ints
    share: Floats
    unit: Ints
    units: Ints
    roots: dict[int, list[int]]
    before: dict[int, tuple[int, ...]]
    node: Ints
    is_left: Bools
    more: Ints

    @cached_property
    def sizes(self) -> Ints:
        """Features on the way to each leaf, shape (leaves,)."""
        return np.diff(self.start, append=len(self.feature))

    @cached_property
    def leaf_of(self) -> Ints:
        """Of each slot the place of its leaf among all nodes."""
        return self.leaf.repeat(self.sizes)

    @property
    def bytes(self) -> int:
        """Bytes of all that rows are explained by, about: the tables are there twice."""
        slots = self.leaf_of.nbytes * _SLOT_ARRAYS
        return slots + 2 * sum(table.nbytes for table in self.tables.values())

    @property
    def longest(self) -> int:
        """Features on the longest way."""
        return int(self.sizes.max(initial=0))

    @cached_property
    def chance(self) -> Floats:
        """Share of the rows of the fit in each leaf, as the product of its slots'."""
        return np.multiply.reduceat(self.share, self.start)

    @cached_property
    def tables(self) -> dict[int, Floats]:
        """Place of a leaf → its weights for every pattern, shape (2^m, m); see `weigh`.

        In a pattern bit k tells whether the row goes the leaf's way at the k-th feature. Leaves
        with more than `TABLED` features have none.
        """
        found: dict[int, Floats] = {}
        for size in range(1, TABLED + 1):
            same = np.flatnonzero(self.sizes == size)
            share = self.share[self.start[same, None] + np.arange(size)]
            tables = weigh(share[:, None, :], bits(np.arange(2**size), size))
            found |= zip(self.leaf[same].tolist(), tables, strict=True)
        return found

    @cached_property
    def untabled(self) -> list[tuple[int, slice]]:
        """The leaves without a table: place among all nodes, and slots."""
        large = np.flatnonzero(self.sizes > TABLED)
        ends = self.start + self.sizes
        places = zip(self.leaf[large], self.start[large], ends[large], strict=True)
        return [(int(leaf), slice(int(start), int(end))) for leaf, start, end in places]

    def weigh_row(self, goes_left: Bools) -> Floats:
        """Weigh all slots for one row, shape (slots,); see `weigh`.

        Args:
            goes_left: Whether the row goes left at each node.
        """
        kept = goes_left.take(self.node) == self.is_left
        slot, node, is_left = self.more.T
        kept[slot[goes_left[node] != is_left]] = False
        bit, leaf, size, first, tables = self._flat
        patterns: Ints = np.add.reduceat(kept * bit, self.start)
        weights = tables.take(first + patterns.take(leaf) * size, mode="clip")
        for _, slots in self.untabled:
            weights[slots] = weigh(self.share[slots], kept[slots])
        return weights

    @cached_property
    def _flat(self) -> tuple[Ints, Ints, Ints, Ints, Floats]:
        """All tables in one array; of each slot its bit, leaf, leaf's size, first weight in it."""
        leaf = np.arange(len(self.leaf)).repeat(self.sizes)
        size = self.sizes[leaf]
        place = np.arange(len(leaf)) - self.start[leaf]
        tables = [self.tables.get(one, np.zeros((1, 0))) for one in self.leaf.tolist()]
        lengths = np.array([table.size for table in tables], dtype=np.int64)
        first = (np.cumsum(lengths) - lengths)[leaf] + place
        flat = np.concatenate([*(table.ravel() for table in tables), [0.0]])
        return np.left_shift(1, place), leaf, size, first, flat


def bits(patterns: NDArray[np.integer], size: int) -> Bools:
    """Return the bits of patterns, the lowest first, shape (patterns, size)."""
    return np.asarray((patterns[:, None] >> np.arange(size, dtype=patterns.dtype)) & 1 == 1)


def find_paths(forest: Forest) -> Paths:
    """Follow all ways through trees."""
    asked, (to_left, to_right) = forest.feature.tolist(), _shares(forest)
    before = dict(_unit_roots(forest))
    roots = {root: _inner_nodes(forest, root) for root in before}
    leaf: list[int] = []
    start: list[int] = []
    slots: list[tuple[int, float, int]] = []
    first: list[Edge] = []
    more: list[tuple[int, int, bool]] = []
    units: dict[tuple[int, int], int] = {}
    root = -1
    for place, path in _walk(forest):
        ways: dict[int, list[Edge]] = {}
        for node, is_left in path:
            ways.setdefault(asked[node], []).append((node, is_left))
        if ways:
            leaf.append(place)
            start.append(len(slots))
        root = next((node for node, _ in path if node in roots), place)
        for name, edges in ways.items():
            more += [(len(slots), *edge) for edge in edges[1:]]
            first.append(edges[0])
            share = math.prod((to_left if side else to_right)[node] for node, side in edges)
            slots.append((name, share, units.setdefault((root, name), len(units))))
    return Paths(
        leaf=np.array(leaf, dtype=np.int64),
        start=np.array(start, dtype=np.int64),
        feature=np.array([name for name, _, _ in slots], dtype=np.int64),
        share=np.array([share for _, share, _ in slots], dtype=np.float64),
        unit=np.array([unit for _, _, unit in slots], dtype=np.int64),
        units=np.array([name for _, name in units], dtype=np.int64),
        roots=roots,
        before=before,
        node=np.array([node for node, _ in first], dtype=np.int64),
        is_left=np.array([side for _, side in first], dtype=np.bool_),
        more=np.array(more, dtype=np.int64).reshape(-1, 3),
    )


def _shares(forest: Forest) -> tuple[list[float], list[float]]:
    """Return of each node the shares of its rows that go left and right."""
    to_left, to_right = (forest.cover[side] / forest.cover for side in (forest.left, forest.right))
    return to_left.tolist(), to_right.tolist()


def _unit_roots(forest: Forest) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield the first node of each unit and the features on the way to it.

    Units are as high as their tables allow. A leaf that is in no other is one by itself, if it has
    features on the way.
    """
    left, right = forest.children
    asked = forest.feature.tolist()
    waiting: list[tuple[int, tuple[int, ...]]] = [(root, ()) for root, _ in forest.trees]
    while waiting:
        node, names = waiting.pop()
        is_leaf = left[node] == node
        if len(names) + len(_inner_nodes(forest, node)) <= CASES:
            if names or not is_leaf:
                yield node, names
        elif not is_leaf:
            names = names if asked[node] in names else (*names, asked[node])
            waiting += [(right[node], names), (left[node], names)]


def _inner_nodes(forest: Forest, root: int) -> list[int]:
    """Return the inner nodes from one down, each before those below it, left ones first."""
    left, right = forest.children
    found, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        if left[node] != node:
            found.append(node)
            waiting += [right[node], left[node]]
    return found


def _walk(forest: Forest) -> Iterator[tuple[int, list[Edge]]]:
    """Yield the place of each leaf and the splits on the way to it."""
    left, right = forest.left.tolist(), forest.right.tolist()
    for root in forest.roots.tolist():
        waiting: list[tuple[int, list[Edge]]] = [(root, [])]
        while waiting:
            node, path = waiting.pop()
            if left[node] == node:
                yield node, path
            else:
                waiting.append((right[node], [*path, (node, False)]))
                waiting.append((left[node], [*path, (node, True)]))
