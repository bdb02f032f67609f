"""Boosted trees as one array: a model of a hundred trees is written and read as one of one.

scikit-learn keeps an object a tree, and skops a handful of files an object; both cost more than the
trees' few kilobytes. Before a model is written its trees are laid one behind the other.
"""

from copy import copy
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.pipeline import Pipeline

from tenantry.errors import ModelFileError

_BOOSTED = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)
_PREDICTORS = "_predictors"


def with_packed_trees(content: dict[str, object]) -> dict[str, object]:
    """Return the content of a model file with the trees of its pipelines laid into one array.

    Nothing is changed in place: pipelines that hold trees are copied as far as they change.

    Raises:
        ModelFileError: Trees split on native categories, which no recipe of ours makes.
    """
    return {name: _changed(part, _pack) for name, part in content.items()}


def with_whole_trees(content: dict[str, Any]) -> dict[str, Any]:
    """Return what `with_packed_trees` was given: the same trees, which score the same.

    Raises:
        ValueError: The arrays do not fit together.
    """
    return {name: _changed(part, _unpack) for name, part in content.items()}


def _changed(part: Any, change: Any) -> Any:  # noqa: ANN401 - anything a file may hold
    if not isinstance(part, Pipeline) or not isinstance(part.steps[-1][1], _BOOSTED):
        return part
    name, estimator = part.steps[-1]
    estimator, pipeline = copy(estimator), copy(part)
    setattr(
        estimator, _PREDICTORS, change(getattr(estimator, _PREDICTORS), estimator.n_features_in_)
    )
    estimator._bin_mapper = copy(estimator._bin_mapper)
    estimator._bin_mapper.n_threads = (
        1  # as many as the machine that fitted it has; binning's alone
    )
    pipeline.steps = [*part.steps[:-1], (name, estimator)]
    return pipeline


def _pack(predictors: list[list[TreePredictor]], _features: int) -> dict[str, Any]:
    trees = [tree for iteration in predictors for tree in iteration]
    if any(len(tree.raw_left_cat_bitsets) for tree in trees):
        msg = "the model: trees that split on native categories are not written; encode them"
        raise ModelFileError(msg)
    width = len(predictors[0]) if predictors else 1
    packed = {"width": width} if width > 1 else {}  # trees an iteration: one a class
    return packed | {
        "nodes": np.concatenate([tree.nodes for tree in trees]),
        "sizes": np.array([len(tree.nodes) for tree in trees], dtype=np.int64),
        "bitsets": trees[0].raw_left_cat_bitsets[:0],
    }


def _unpack(packed: dict[str, Any], features: int) -> list[list[TreePredictor]]:
    nodes, sizes, bitsets = packed["nodes"], packed["sizes"], packed["bitsets"]
    if sizes.min(initial=1) < 1 or sizes.sum() != len(nodes):
        msg = "the trees' nodes and sizes do not fit together"
        raise ValueError(msg)
    inner = nodes["is_leaf"] == 0
    own = np.repeat(sizes, sizes)[inner]
    ends = np.cumsum(sizes)
    place = (np.arange(len(nodes)) - np.repeat(ends - sizes, sizes))[inner]
    for side in ("left", "right"):  # scikit-learn follows these without looking
        child = nodes[side][inner].astype(np.int64)
        if (child >= own).any() or (child <= place).any():
            msg = "a tree's node has a child outside the tree, or above itself"
            raise ValueError(msg)
    split_on = nodes["feature_idx"][inner]
    if nodes["is_categorical"].any() or ((split_on < 0) | (split_on >= features)).any():
        msg = "a tree's node splits on a category, or on a feature that there is not"
        raise ValueError(msg)
    trees = [
        TreePredictor(nodes[end - size : end], bitsets, bitsets)
        for size, end in zip(sizes, ends, strict=True)
    ]
    width = int(packed.get("width", 1))
    if width < 1 or len(trees) % width:
        msg = "the trees do not make whole iterations"
        raise ValueError(msg)
    return [trees[first : first + width] for first in range(0, len(trees), width)]
