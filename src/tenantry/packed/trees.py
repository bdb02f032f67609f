"""Packed boosted trees: all nodes of all trees in a few arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from tenantry.packed.columns import Floats, Frame, Lookup, Row, numbers_in
from tenantry.packed.descent import row_score, tree_scores
from tenantry.packed.forest import Forest
from tenantry.packed.parts import Parts
from tenantry.packed.shapley import SharedTrees, mean_score, row_parts


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

    def score(self, frame: Frame) -> Floats:
        """Return the scores of n rows in link space: bit for bit those of scikit-learn.

        Raises:
            KeyError: The frame lacks a feature.
            ValueError: A number is a text.
        """
        return tree_scores(self.forest, self.values, self._encoded(frame), self.baseline)

    def score_row(self, row: Row) -> float:
        """Return the score of one row; see `score`."""
        return row_score(self.forest, self.values, self._encoded_row(row), self.baseline)

    def parts(self, frame: Frame) -> Parts[Floats]:
        """Take the scores of n rows apart: feature → its part in each; see `packed.shapley`.

        Raises:
            KeyError: The frame lacks a feature.
            ValueError: A number is a text.
        """
        found = self._shared.parts(self._encoded(frame))
        return Parts(self.base, dict(zip(self.features, found, strict=True)))

    def parts_row(self, row: Row) -> Parts[float]:
        """Take the score of one row apart; see `parts`."""
        found = row_parts(self.forest, self.values, self._encoded_row(row))
        return Parts(self.base, dict(zip(self.features, found.tolist(), strict=True)))

    @cached_property
    def explained_bytes(self) -> int:
        """Build what parts are looked up in; return its bytes, some 6 MB of 100 trees."""
        self.parts_row(dict.fromkeys(self.features))
        return self.forest.paths.bytes

    @cached_property
    def base(self) -> float:
        """What the parts of a row count from: the mean score of the rows of the fit."""
        return self.baseline + mean_score(self.forest, self.values)

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The features that it reads, in the order of the splits."""
        return (*self.names, *(lookup.name for lookup in self.lookups))

    @cached_property
    def _shared(self) -> SharedTrees:
        return SharedTrees(self.forest, self.values)

    def _encoded(self, frame: Frame) -> Floats:
        categories = [lookup.of_rows(frame) for lookup in self.lookups]
        return np.vstack([numbers_in(frame, self.names), *categories])

    def _encoded_row(self, row: Row) -> Floats:
        values = [row[name] for name in self.names]
        values += [lookup.of_row(row) for lookup in self.lookups]
        return np.array(values, dtype=np.float64)  # a missing number becomes NaN
