"""The leaves of boosted trees: which one a row falls into, and trees with other leaf values.

A tenant's adapted model is the pooled model's trees with leaf values of the tenant's own. Only
these are the tenant's: one array of values, tree behind tree and node behind node.
"""

from copy import copy
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.pipeline import Pipeline

from tenantry.models.encode import encode, rows_for

Floats = NDArray[np.float64]


def node_values(pipeline: Pipeline) -> Floats:
    """Return the values of all nodes of all trees; only those of leaves are ever added up."""
    return np.concatenate([tree.nodes["value"] for tree in _trees(pipeline)])


def node_rows(pipeline: Pipeline) -> Floats:
    """Return how many rows of the fit fell into each node of each tree."""
    return np.concatenate([tree.nodes["count"] for tree in _trees(pipeline)]).astype(np.float64)


@dataclass(frozen=True)
class Fallen:
    """Where rows fall in boosted trees: all that is needed to score them by any leaf values.

    Attributes:
        places: Of the leaf that each row falls into among all nodes, shape (trees, n).
        baseline: The score before the first tree.
    """

    places: NDArray[np.int32]
    baseline: float

    def only(self, rows: NDArray[np.bool_]) -> "Fallen":
        """Return the same of some of the rows."""
        return Fallen(self.places[:, rows], self.baseline)

    def joined(
        self, mine: NDArray[np.bool_], other: "Fallen", others: NDArray[np.bool_]
    ) -> "Fallen":
        """Return the same of these rows and others, which lie in a frame where the masks say."""
        places = np.empty((len(self.places), len(mine)), dtype=np.int32)
        places[:, mine], places[:, others] = self.places, other.places
        return Fallen(places[:, mine | others], self.baseline)

    def scores(self, values: Floats) -> Floats:
        """Return the scores of the n rows in link space, as the trees with these values give them.

        Args:
            values: One value a node, as `node_values` gives them.
        """
        total = np.full(self.places.shape[1], self.baseline)
        for place in self.places:  # tree behind tree, as scikit-learn adds them up
            total += values[place]
        return total


def fall(pipeline: Pipeline, frame: pd.DataFrame) -> Fallen:
    """Let rows fall through boosted trees.

    Args:
        pipeline: Two steps, `columns` and an `estimator` of boosted trees with one output.
        frame: n rows with the columns that the pipeline was fitted on.

    Raises:
        ValueError: The frame lacks a column.
    """
    estimator = pipeline[-1]
    places = np.empty((len(estimator._predictors), len(frame)), dtype=np.int32)
    baseline = float(np.ravel(estimator._baseline_prediction)[0])
    if frame.empty:
        return Fallen(places, baseline)
    encoded = encode(pipeline[0], rows_for(pipeline, frame))
    rows = np.ascontiguousarray(encoded, dtype=np.float64)
    categories = estimator._bin_mapper.make_known_categories_bitsets()
    for tree, place in zip(named_trees(pipeline), places, strict=True):
        place[:] = tree.predict(rows, *categories, 1)
    return Fallen(places, baseline)


def with_node_values(pipeline: Pipeline, values: Floats) -> Pipeline:
    """Return the pipeline with other values in its trees' nodes; the one given stays as it is.

    Args:
        pipeline: Two steps, `columns` and an `estimator` of boosted trees with one output.
        values: One value a node, as `node_values` gives them.

    Raises:
        ValueError: There are more or fewer values than nodes, or one is not finite.
    """
    trees = _trees(pipeline)
    ends = np.cumsum([len(tree.nodes) for tree in trees])
    if values.shape != (int(ends[-1]),) or not np.isfinite(values).all():
        msg = f"{values.shape} leaf values do not fit the pooled model's {int(ends[-1])} nodes"
        raise ValueError(msg)
    changed = []
    for tree, own in zip(trees, np.split(values, ends[:-1]), strict=True):
        nodes = tree.nodes.copy()
        nodes["value"] = own
        bitsets = tree.binned_left_cat_bitsets, tree.raw_left_cat_bitsets
        changed.append([TreePredictor(nodes, *bitsets)])
    other, estimator = copy(pipeline), copy(pipeline[-1])
    estimator._predictors = changed
    other.steps = [*pipeline.steps[:-1], (pipeline.steps[-1][0], estimator)]
    return other


@lru_cache(maxsize=16)  # one pooled model and its folds serve all tenants of a worker
def named_trees(pipeline: Pipeline) -> list[TreePredictor]:
    """Return the trees with their nodes' places as values: they predict where rows fall."""
    named, start = [], 0
    for tree in _trees(pipeline):
        nodes = tree.nodes.copy()
        nodes["value"] = np.arange(start, start + len(nodes))
        start += len(nodes)
        bitsets = tree.binned_left_cat_bitsets, tree.raw_left_cat_bitsets
        named.append(TreePredictor(nodes, *bitsets))
    return named


def has_single_trees(pipeline: Pipeline) -> bool:
    """Return whether the pipeline ends in boosted trees with one output."""
    return hasattr(pipeline[-1], "_predictors") and pipeline[-1].n_trees_per_iteration_ == 1


def _trees(pipeline: Pipeline) -> list[TreePredictor]:
    return [tree for (tree,) in pipeline[-1]._predictors]
