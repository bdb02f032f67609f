"""Many rows on their way down trees at once: a split is one comparison of a whole column."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenantry.packed.columns import Floats
from tenantry.packed.forest import Forest

_CHUNK = 8192
"""Rows at once: what a tree needs of them stays in the cache."""

_FEW = 100
"""Rows up to which each by itself is quicker."""

Bools = NDArray[np.bool_]
Places = NDArray[np.unsignedinteger[Any]]


class Descent:
    """Rows at the splits of trees.

    Attributes:
        rows: How many there are.
    """

    def __init__(self, forest: Forest, columns: Floats) -> None:
        """Take rows by column: values of the features, shape (features, n)."""
        self.rows = columns.shape[1]
        self._columns = columns
        self._missing = [gaps if gaps.any() else None for gaps in np.isnan(columns)]
        self._splits = forest.splits

    def goes_left(self, node: int) -> Bools:
        """Return whether each row goes left at an inner node."""
        feature, threshold, missing_left = self._splits[node]
        goes_left: Bools = self._columns[feature] <= threshold
        gaps = self._missing[feature]
        if gaps is not None and missing_left:
            goes_left |= gaps
        return goes_left


def chunks(rows: int) -> Iterator[slice]:
    """Yield so many rows, some thousands at once."""
    for first in range(0, rows, _CHUNK):
        yield slice(first, first + _CHUNK)


def tree_scores(forest: Forest, values: Floats, columns: Floats, baseline: float) -> Floats:
    """Return the scores of n rows: bit for bit those of scikit-learn, whatever n is.

    Args:
        forest: The trees.
        values: Of all nodes; only those of leaves count.
        columns: Values of the features, shape (features, n).
        baseline: The score before the first tree.
    """
    total = np.full(columns.shape[1], baseline)
    if len(total) <= _FEW:
        for place, row in enumerate(columns.T):
            total[place] = row_score(forest, values, row, baseline)
        return total
    for chunk in chunks(len(total)):
        descent = Descent(forest, columns[:, chunk])
        for root, end in forest.trees:
            total[chunk] += values[root:end].take(_leaves(forest, descent, root, end))
    return total


def row_score(forest: Forest, values: Floats, row: Floats, baseline: float) -> float:
    """Return the score of one row; see `tree_scores`.

    Every split is decided at once, then each tree's path is followed: for one row that takes a
    dozen calls of NumPy, whatever the number of trees.
    """
    following = np.where(forest.goes_left(row), forest.left, forest.right)
    place = forest.roots
    for _ in range(forest.depth):
        place = following[place]
    told = values[place]
    told[0] += baseline
    return float(told.cumsum()[-1])  # tree behind tree, as the batch adds them up


def _leaves(forest: Forest, descent: Descent, root: int, end: int) -> Places:
    """Return in which leaf of a tree each row ends, counted from the root."""
    kind: type[np.unsignedinteger[Any]] = np.uint8 if end - root <= 256 else np.uint32
    found: Places = np.zeros(descent.rows, dtype=kind)
    left, right = forest.children
    waiting: list[tuple[int, Bools | None]] = [(root, None)]
    while waiting:
        node, there = waiting.pop()
        if left[node] == node:
            if there is not None:
                reached: Places = there.astype(kind)
                found |= reached * kind(node - root)
            continue
        goes_left = descent.goes_left(node)
        goes_left = goes_left if there is None else goes_left & there
        goes_right = ~goes_left if there is None else goes_left ^ there
        waiting += [(left[node], goes_left), (right[node], goes_right)]
    return found
