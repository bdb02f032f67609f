"""The splits of boosted trees: all nodes of all trees in a few arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tenantry.packed.columns import Floats
from tenantry.packed.paths import Paths, find_paths


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
        cover: Rows of the fit that fell into each node; explanations count from them.

    Raises:
        ValueError: The arrays do not fit together, a node's child is not below it, or a node
            that no row fell into.
    """

    roots: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: Floats
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    missing_left: NDArray[np.bool_]
    cover: Floats

    def __post_init__(self) -> None:
        nodes, itself = len(self.feature), np.arange(len(self.feature))
        arrays = (self.threshold, self.left, self.right, self.missing_left, self.cover)
        ends = np.repeat(np.append(self.roots[1:], nodes), self._sizes)
        is_leaf = (self.left == itself) & (self.right == itself)
        is_inner = (np.minimum(self.left, self.right) > itself) & (
            np.maximum(self.left, self.right) < ends
        )
        is_sound = (is_leaf | is_inner) & (self.cover >= 1)
        if any(len(array) != nodes for array in arrays) or not is_sound.all():
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

    @cached_property
    def paths(self) -> Paths:
        """The ways to the leaves: what explanations look up, for any leaf values."""
        return find_paths(self)

    def goes_left(self, values: Floats) -> NDArray[np.bool_]:
        """Return whether a row with these values of the features goes left at each node."""
        told = values[self.feature]
        goes_left: NDArray[np.bool_] = told <= self.threshold
        if math.isnan(values.dot(values)):  # as any missing value makes it
            goes_left |= np.isnan(told) & self.missing_left
        return goes_left

    @cached_property
    def splits(self) -> list[tuple[int, float, bool]]:
        """Of each node the feature, the threshold and whether missing ones go left."""
        arrays = (self.feature, self.threshold, self.missing_left)
        return list(zip(*(array.tolist() for array in arrays), strict=True))

    @cached_property
    def children(self) -> tuple[list[int], list[int]]:
        """Of each node its left and its right child."""
        return self.left.tolist(), self.right.tolist()

    @cached_property
    def parents(self) -> list[int]:
        """Of each node the one that it is below; of a root itself."""
        found = np.arange(len(self.feature))
        for side in (self.left, self.right):
            inner = np.flatnonzero(side != np.arange(len(side)))
            found[side[inner]] = inner
        return found.tolist()

    @cached_property
    def trees(self) -> list[tuple[int, int]]:
        """Of each tree the place of its first node and of the one after its last."""
        ends = np.append(self.roots[1:], len(self.feature))
        return list(zip(self.roots.tolist(), ends.tolist(), strict=True))

    @property
    def _sizes(self) -> NDArray[np.int64]:
        return np.diff(self.roots, append=len(self.feature))
