"""The leaves of boosted trees: which one a row falls into, and trees with other leaf values.

A tenant's adapted model is the pooled model's trees with leaf values of the tenant's own. Only
these are the tenant's: one array of values, tree behind tree and node behind node.
"""

from copy import copy

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.pipeline import Pipeline

Floats = NDArray[np.float64]


def node_values(pipeline: Pipeline) -> Floats:
    """Return the values of all nodes of all trees; only those of leaves are ever added up."""
    return np.concatenate([tree.nodes["value"] for tree in _trees(pipeline)])


def node_rows(pipeline: Pipeline) -> Floats:
    """Return how many rows of the fit fell into each node of each tree."""
    return np.concatenate([tree.nodes["count"] for tree in _trees(pipeline)]).astype(np.float64)


def leaf_places(pipeline: Pipeline, frame: pd.DataFrame) -> list[NDArray[np.int64]]:
    """Return, for each tree, the place among all nodes of the leaf that each row falls into.

    Args:
        pipeline: Two steps, `columns` and an `estimator` of boosted trees with one output.
        frame: n rows with the columns that the pipeline was fitted on.

    Returns:
        An array of n places a tree.
    """
    estimator = pipeline[-1]
    encoded = pipeline[0].transform(frame[list(pipeline.feature_names_in_)])
    rows = np.ascontiguousarray(encoded, dtype=np.float64)
    categories = estimator._bin_mapper.make_known_categories_bitsets()
    places, start = [], 0
    for tree in _trees(pipeline):
        nodes = tree.nodes.copy()
        nodes["value"] = np.arange(start, start + len(nodes))  # a tree then predicts the place
        start += len(nodes)
        named = TreePredictor(nodes, tree.binned_left_cat_bitsets, tree.raw_left_cat_bitsets)
        places.append(named.predict(rows, *categories, 1).astype(np.int64))
    return places


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


def has_single_trees(pipeline: Pipeline) -> bool:
    """Return whether the pipeline ends in boosted trees with one output."""
    return hasattr(pipeline[-1], "_predictors") and pipeline[-1].n_trees_per_iteration_ == 1


def _trees(pipeline: Pipeline) -> list[TreePredictor]:
    return [tree for (tree,) in pipeline[-1]._predictors]
