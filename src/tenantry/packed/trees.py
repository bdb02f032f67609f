"""Packed boosted trees: all nodes of all trees in a few arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tenantry.packed.columns import Floats, Lookup, Row, number_in, numbers_in

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

_NO_BITS = np.zeros((0, 8), dtype=np.uint32)
"""Bit sets of native categories, which no tree of ours has."""


@dataclass(frozen=True)
class Forest:
    """The splits of boosted trees, tree behind tree and node behind node.

    A node's children come after it and have places among all nodes; a leaf's are itself.

    Attributes:
        roots: Place of each tree's first node, rising, shape (trees,).
        feature: What each node splits on, shape (nodes,); 0 in leaves.
        threshold: Up to which values go left; infinite in leaves.
        left: Where they go.
        right: Where larger ones go.
        missing_left: Whether missing ones go left.

    Raises:
        ValueError: The arrays do not fit together, or a node's child is not below it.
    """

    roots: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: Floats
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    missing_left: NDArray[np.bool_]

    def __post_init__(self) -> None:
        nodes, itself = len(self.feature), np.arange(len(self.feature))
        arrays = (self.threshold, self.left, self.right, self.missing_left)
        ends = np.repeat(np.append(self.roots[1:], nodes), self._sizes)
        is_leaf = (self.left == itself) & (self.right == itself)
        is_inner = (np.minimum(self.left, self.right) > itself) & (
            np.maximum(self.left, self.right) < ends
        )
        if any(len(array) != nodes for array in arrays) or not (is_leaf | is_inner).all():
            msg = "the trees' nodes do not fit together"
            raise ValueError(msg)

    @cached_property
    def depth(self) -> int:
        """Steps from a root to the deepest leaf."""
        steps, level = 0, self.roots
        while len(inner := level[self.left[level] != level]):
            level = np.concatenate([self.left[inner], self.right[inner]])
            steps += 1
        return steps

    @property
    def _sizes(self) -> NDArray[np.int64]:
        return np.diff(self.roots, append=len(self.feature))

    @cached_property
    def records(self) -> NDArray[np.void]:
        """The nodes as scikit-learn's trees hold them, children counted from their root."""
        from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE

        start = np.repeat(self.roots, self._sizes)
        records = np.zeros(len(start), dtype=PREDICTOR_RECORD_DTYPE)
        records["feature_idx"], records["num_threshold"] = self.feature, self.threshold
        records["left"], records["right"] = self.left - start, self.right - start
        records["missing_go_to_left"] = self.missing_left
        records["is_leaf"] = self.left == np.arange(len(start))
        return records


@dataclass(frozen=True)
class PackedTrees:
    """Boosted trees with one output, fed numbers as they are and categories by their mean label.

    Attributes:
        baseline: The score before the first tree.
        names: Its numbers, the first features of the splits.
        lookups: Of its categories, the others.
        forest: The splits.
        values: Of all nodes, shape (nodes,); only those of leaves count.
    """

    baseline: float
    names: tuple[str, ...]
    lookups: tuple[Lookup, ...]
    forest: Forest
    values: Floats

    def with_values(self, values: Floats) -> PackedTrees:
        """Return the same trees with other values in their nodes, as of an adapted tenant.

        Raises:
            ValueError: They are not as many as the nodes.
        """
        if values.shape != self.values.shape:
            msg = f"{values.shape} leaf values do not fit {len(self.values)} nodes"
            raise ValueError(msg)
        return replace(self, values=values)

    def score(self, frame: pd.DataFrame) -> Floats:
        """Return the scores of n rows in link space: bit for bit those of scikit-learn.

        Raises:
            KeyError: The frame lacks a feature.
            ValueError: A number is a text.
        """
        columns = [lookup.of_rows(frame) for lookup in self.lookups]
        numbers = numbers_in(frame, self.names)
        rows = np.ascontiguousarray(np.column_stack([numbers, *columns]))
        total = np.full(len(frame), self.baseline)
        no_category = np.zeros(rows.shape[1], dtype=np.uint32)
        for tree in self._trees if len(frame) else ():
            total += tree.predict(rows, _NO_BITS, no_category, 1)
        return total

    def score_row(self, row: Row) -> float:
        """Return the score of one row; see `score`.

        Every split is decided at once, then each tree's path is followed: for one row that takes
        a dozen calls of NumPy, whatever the number of trees.
        """
        forest = self.forest
        values = [number_in(row, name) for name in self.names]
        values += [lookup.of_row(row) for lookup in self.lookups]
        told = np.array(values).take(forest.feature)
        goes_left = told <= forest.threshold
        missing = np.isnan(told)
        if missing.any():
            goes_left |= missing & forest.missing_left
        following = np.where(goes_left, forest.left, forest.right)
        place = forest.roots
        for _ in range(forest.depth):
            place = following.take(place)
        return self.baseline + float(self.values.take(place).sum())

    @cached_property
    def _trees(self) -> list[TreePredictor]:
        from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

        records = self.forest.records.copy()
        records["value"] = self.values
        parts = np.split(records, self.forest.roots[1:])
        return [TreePredictor(nodes, _NO_BITS, _NO_BITS) for nodes in parts]
