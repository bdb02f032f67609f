"""Why a model says what it says: contributions of features that add up to the score.

Contributions live in link space (log-odds, or the value for regression): the base and a row's
contributions sum to `FittedModel.score`. What a contribution is measured from, by estimator:

- linear: the *encoded zero*. A scaled number counts from its training mean, a one-hot category from
  no category; the base is the intercept. Exact.
- trees: the *training rows*, by path (Lundberg et al., 2020, "From local explanations to global
  understanding with explainable AI for trees", algorithm 2); the base is their mean score. Exact.
  Adapted trees count from the pooled model's training rows, by the tenant's own leaf values.
- of several classes the score taken apart is that of the row's most probable class, less the mean
  of all classes' scores: how much more the model says it than any. Its parts are such differences.
- a blend weighs the contributions of its two parts; a stack adds, to its own, those of the pooled
  model times the coefficient of the pooled score.
"""

from collections.abc import Iterable, Iterator
from copy import copy
from importlib import import_module
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from tenantry.columns import POOLED_SCORE
from tenantry.features.recipe import own_frame, pooled_features, pooled_frame
from tenantry.metrics import Floats
from tenantry.models.fitted import (
    FittedModel,
    link_scores,
    source_features,
    with_pooled_score,
)
from tenantry.specs.model import Spec

DRIVER_ROWS = 250
"""Rows on which drivers are measured: their mean is sure to a few percent, and trees cost."""


def preload(specs: Iterable[Spec]) -> None:
    """Import once, before workers are forked, what reasons need; nothing when nobody asks."""
    if any(spec.predict.explain.top and spec.predict.explain.rows != "none" for spec in specs):
        import_module("shap")


class Parts(NamedTuple):
    """A score taken apart.

    Attributes:
        base: What every row starts from; of several classes one value a row, its class's.
        contributions: n rows, one column a feature; a row's sum and the base make its score.
    """

    base: float | Floats
    contributions: pd.DataFrame


def contributions(model: FittedModel, table: pd.DataFrame, spec: Spec) -> Parts:
    """Take the scores of rows apart by feature.

    Args:
        model: The model.
        table: The tenant's feature table, n rows.
        spec: The tenant's spec.

    Returns:
        Base and contributions, both empty-handed (0 and no columns) without rows. The columns are
        those of the table that the model reads, `tenant` where a pooled model knows the tenant,
        and `pooled_score` for trees that are fed it.
    """
    if table.empty:
        return Parts(0.0, pd.DataFrame(index=table.index))
    if model.task != "multiclass":
        base, columns = _scaled(_score_parts(model, table, spec), model.slope)
        return Parts(model.intercept + base, columns)
    said = model.score(table, spec).argmax(axis=1)
    bases, found = np.zeros(len(table)), []
    for code in np.unique(said):
        base, columns = _score_parts(model, table[said == code], spec, int(code))
        bases[said == code] = base
        found.append(columns)
    return Parts(bases, pd.concat(found).loc[table.index].fillna(0.0))


def _score_parts(
    model: FittedModel, table: pd.DataFrame, spec: Spec, code: int | None = None
) -> Parts:
    """Take scores before calibration apart: the score, or that of one of several classes."""
    match model.form:
        case "own":
            return _own_parts(model, own_frame(table, spec), code)
        case "pooled":
            return _pooled_parts(model, table, spec, code)
        case "blend":
            mine = _scaled(_own_parts(model, own_frame(table, spec), code), model.weight)
            pooled = _pooled_parts(model, table, spec, code)
            return _added(mine, _scaled(pooled, 1 - model.weight))
        case "stack":
            return _stacked_parts(model, table, spec)


def is_explained(pipeline: Pipeline, frame: pd.DataFrame) -> bool:
    """Whether the contributions of a pipeline's features add up to its scores of some rows.

    Args:
        pipeline: A tenant's own, as others made it: it may be of any kind.
        frame: Rows of features, at least one.
    """
    try:
        scores = link_scores(pipeline, frame)
        said = scores.argmax(axis=1) if scores.ndim == 2 else np.zeros(len(scores), dtype=int)
        for code in np.unique(said):
            rows = said == code
            base, parts = _pipeline_parts(
                pipeline, frame[rows], int(code) if scores.ndim == 2 else None
            )
            wanted = scores[rows] if scores.ndim == 1 else scores[rows, code]
            if not np.allclose(base + parts.sum(axis=1), wanted, atol=1e-6):
                return False
    except Exception:
        return False
    return True


def drivers(
    model: FittedModel, table: pd.DataFrame, spec: Spec, *, rows: int = DRIVER_ROWS
) -> dict[str, float]:
    """Measure how much each feature moves the tenant's predictions.

    Args:
        model: The model.
        table: The tenant's feature table, in order of time.
        spec: The tenant's spec.
        rows: How many rows to take, evenly over the table.

    Returns:
        Feature → mean absolute contribution over the rows, largest first; empty without rows.
    """
    places = np.unique(np.linspace(0, len(table) - 1, min(rows, len(table))).astype(np.int64))
    parts = contributions(model, table.iloc[places], spec).contributions
    means = {str(name): float(np.abs(column).mean()) for name, column in parts.items()}
    return dict(sorted(means.items(), key=lambda item: (-item[1], item[0])))


def _own_parts(model: FittedModel, frame: pd.DataFrame, code: int | None = None) -> Parts:
    return _pipeline_parts(model.own, frame, code)


def _pooled_parts(
    model: FittedModel, table: pd.DataFrame, spec: Spec, code: int | None = None
) -> Parts:
    """Take the pooled score apart, by the columns of the tenant's table."""
    base, columns = _pipeline_parts(model.shared, pooled_frame(table, spec), code)
    names = dict(zip(spec.pooled.features, pooled_features(spec), strict=True))
    return Parts(base, columns.rename(columns=names))


def _stacked_parts(model: FittedModel, table: pd.DataFrame, spec: Spec) -> Parts:
    """Take a stack's score apart; a linear one hands the pooled score's part on to its features."""
    scores = link_scores(model.shared, pooled_frame(table, spec))
    frame = with_pooled_score(own_frame(table, spec), scores)
    base, columns = _own_parts(model, frame)
    if POOLED_SCORE not in columns or not hasattr(_present(model.own)["estimator"], "coef_"):
        return Parts(base, columns)
    # the contribution of the pooled score is a line in it: two points tell which
    points = frame.iloc[[0, 0]].assign(**{POOLED_SCORE: [0.0, 1.0]})
    at_zero, at_one = _own_parts(model, points).contributions[POOLED_SCORE]
    mine = Parts(base + float(at_zero), columns.drop(columns=POOLED_SCORE))
    return _added(mine, _scaled(_pooled_parts(model, table, spec), float(at_one - at_zero)))


def _pipeline_parts(
    pipeline: Pipeline | None, frame: pd.DataFrame, code: int | None = None
) -> Parts:
    """Take a pipeline's scores apart, by the columns of its frame; at least one row.

    Of several classes those of the class with that code, less the mean of all classes'.
    """
    pipeline = _present(pipeline)
    estimator = pipeline["estimator"]
    rows = frame[list(pipeline.feature_names_in_)]
    encoded = _encoded(pipeline, rows)
    if hasattr(estimator, "coef_"):
        base = float(_of_class(np.ravel(estimator.intercept_), code))
        parts = encoded * _of_class(np.atleast_2d(estimator.coef_), code)
    elif hasattr(estimator, "do_early_stopping_"):  # histogram gradient boosting
        base, parts = _tree_parts(estimator, encoded, code)
    else:  # a dummy says the same of every row
        scores = link_scores(pipeline, rows.iloc[:1])[0]
        base, parts = float(scores if code is None else scores[code]), np.zeros_like(encoded)
    return Parts(base, _by_feature(parts, source_features(pipeline), rows.index))


def _present(pipeline: Pipeline | None) -> Pipeline:
    if pipeline is None:
        msg = "the model lacks the part that its form needs"
        raise ValueError(msg)
    return pipeline


def _encoded(pipeline: Pipeline, rows: pd.DataFrame) -> Floats:
    encoded = pipeline["columns"].transform(rows)
    dense = encoded.toarray() if hasattr(encoded, "toarray") else encoded
    return np.asarray(dense, dtype=np.float64)


def _of_class(values: Floats, code: int | None) -> Floats:
    """Return the values of one class, the first axis, less the mean of all; else the only ones."""
    return np.asarray(values[0] if code is None else values[code] - values.mean(axis=0))


def _tree_parts(
    estimator: BaseEstimator, encoded: Floats, code: int | None
) -> tuple[float, Floats]:
    if code is None:
        return _one_tree_score(estimator, encoded)
    found = [_one_tree_score(one, encoded) for one in _by_class(estimator)]
    bases, parts = (np.stack([pair[side] for pair in found]) for side in (0, 1))
    return float(_of_class(bases, code)), _of_class(parts, code)


def _by_class(estimator: BaseEstimator) -> Iterator[BaseEstimator]:
    """Yield the trees of each class as an estimator of one score."""
    for code in range(estimator.n_trees_per_iteration_):
        one = copy(estimator)
        one._predictors = [[trees[code]] for trees in estimator._predictors]
        one._baseline_prediction = estimator._baseline_prediction[:, [code]]
        one.n_trees_per_iteration_ = 1
        yield one


def _one_tree_score(estimator: BaseEstimator, encoded: Floats) -> tuple[float, Floats]:
    from shap import TreeExplainer  # a second of CPU, and only trees need it

    explainer = TreeExplainer(estimator, feature_perturbation="tree_path_dependent")
    parts = explainer.shap_values(encoded, check_additivity=False)
    return float(np.ravel(explainer.expected_value)[0]), np.asarray(parts, dtype=np.float64)


def _by_feature(parts: Floats, sources: tuple[str, ...], index: pd.Index) -> pd.DataFrame:
    """Sum the contributions of encoded columns by the feature they come from."""
    names = list(dict.fromkeys(sources))
    belongs = np.array([source == name for source in sources for name in names], dtype=np.float64)
    summed = parts @ belongs.reshape(len(sources), len(names))
    return pd.DataFrame(summed, index=index, columns=names)


def _scaled(parts: Parts, factor: float) -> Parts:
    return Parts(factor * parts.base, factor * parts.contributions)


def _added(first: Parts, second: Parts) -> Parts:
    one, other = first.contributions, second.contributions
    names = list(dict.fromkeys([*one, *other]))
    both = one.reindex(columns=names, fill_value=0.0) + other.reindex(columns=names, fill_value=0.0)
    return Parts(first.base + second.base, both)
