"""The parts of fitted pipelines' scores: for models that are not packed, of texts or of others."""

from functools import lru_cache

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from tenantry.columns import POOLED_SCORE
from tenantry.features.recipe import own_frame, pooled_columns, pooled_frame
from tenantry.metrics import Floats
from tenantry.models.encode import encode, rows_for
from tenantry.models.fitted import FittedModel, link_scores, source_features, with_pooled_score
from tenantry.models.means import encoded_means
from tenantry.packed.make import forest_of, tree_values
from tenantry.packed.parts import Parts, added, scaled
from tenantry.packed.shapley import SharedTrees
from tenantry.specs.model import Spec


def model_parts(
    model: FittedModel, table: pd.DataFrame, spec: Spec, code: int | None = None
) -> Parts[Floats]:
    """Take a fitted model's scores apart, by column of the table; see `tenantry.explain`.

    Args:
        model: The model.
        table: The tenant's feature table, n ≥ 1 rows.
        spec: The tenant's spec.
        code: Of the class whose scores are taken apart; None where there is one score.
    """
    found = _score_parts(model, table, spec, code)
    return scaled(found, model.slope, model.intercept) if code is None else found


def _score_parts(
    model: FittedModel, table: pd.DataFrame, spec: Spec, code: int | None
) -> Parts[Floats]:
    if model.form == "own":
        return pipeline_parts(_present(model.own), own_frame(table, spec), code)
    pooled = _pooled_parts(model, table, spec, code)
    if model.form == "pooled":
        return pooled
    own, frame = _present(model.own), own_frame(table, spec)
    if model.form == "blend":
        mine = pipeline_parts(own, frame, code)
        return added(scaled(mine, model.weight), scaled(pooled, 1 - model.weight))
    scores = link_scores(model.shared, pooled_frame(table, spec))
    return _stacked_parts(own, with_pooled_score(frame, scores), pooled)


def _pooled_parts(
    model: FittedModel, table: pd.DataFrame, spec: Spec, code: int | None
) -> Parts[Floats]:
    """Take the pooled score apart, by the columns of the tenant's table."""
    frame = pooled_frame(table, spec)
    found = pipeline_parts(_present(model.pooled), frame, code, values=model.leaves)
    return found.renamed(pooled_columns(spec))


def _stacked_parts(own: Pipeline, frame: pd.DataFrame, pooled: Parts[Floats]) -> Parts[Floats]:
    """Take a stack's score apart; a linear one hands the pooled score's part on to its features."""
    base, parts = pipeline_parts(own, frame)
    if POOLED_SCORE not in parts or not hasattr(own[-1], "coef_"):
        return Parts(base, parts)
    # the contribution of the pooled score is a line in it: two points tell which
    points = frame.iloc[[0, 0]].assign(**{POOLED_SCORE: [0.0, 1.0]})
    at_zero, at_one = pipeline_parts(own, points).columns[POOLED_SCORE].tolist()
    rest = {name: part for name, part in parts.items() if name != POOLED_SCORE}
    return added(Parts(base, rest), scaled(pooled, at_one - at_zero, at_zero))


def pipeline_parts(
    pipeline: Pipeline,
    frame: pd.DataFrame,
    code: int | None = None,
    *,
    values: Floats | None = None,
) -> Parts[Floats]:
    """Take a pipeline's scores apart, by the columns of its frame.

    Args:
        pipeline: Two steps, `columns` and `estimator`.
        frame: n ≥ 1 rows with the columns that it was fitted on.
        code: Of the class whose scores are taken apart, less the mean of all classes'.
        values: Of the trees' nodes, in the place of their own.
    """
    estimator = pipeline[-1]
    encoded = _dense(pipeline, frame)
    if hasattr(estimator, "coef_"):
        base, parts = _linear_parts(estimator, encoded, code)
    elif hasattr(estimator, "do_early_stopping_"):  # histogram gradient boosting
        base, parts = _tree_parts(pipeline, encoded, code, values)
    else:  # a dummy says the same of every row
        scores = link_scores(pipeline, frame.iloc[:1])[0]
        base, parts = float(scores if code is None else scores[code]), np.zeros_like(encoded.T)
    return Parts(base, _by_feature(parts, source_features(pipeline)))


def is_explained(pipeline: Pipeline, frame: pd.DataFrame) -> bool:
    """Whether the contributions of a pipeline's features add up to its scores of some rows.

    Args:
        pipeline: A tenant's own, as others made it: it may be of any kind.
        frame: Rows of features, at least one.
    """
    try:
        scores = link_scores(pipeline, frame)
        codes = [None] if scores.ndim == 1 else [*range(scores.shape[1])]
        for code in codes:
            wanted = scores if code is None else scores[:, code]
            base, parts = pipeline_parts(pipeline, frame, code)
            total = sum(parts.values(), np.full(len(frame), base))
            if not np.allclose(total, wanted, atol=1e-6):
                return False
    except Exception:
        return False
    return True


def _present(pipeline: Pipeline | None) -> Pipeline:
    if pipeline is None:
        msg = "the model lacks the part that its form needs"
        raise ValueError(msg)
    return pipeline


def _dense(pipeline: Pipeline, frame: pd.DataFrame) -> Floats:
    encoded = encode(pipeline[0], rows_for(pipeline, frame))
    dense = encoded.toarray() if hasattr(encoded, "toarray") else encoded
    return np.asarray(dense, dtype=np.float64)


def _of_class(values: Floats, code: int | None) -> Floats:
    """Return the values of one class, the first axis, less the mean of all; else the only ones."""
    return np.asarray(values[0] if code is None else values[code] - values.mean(axis=0))


def _linear_parts(
    estimator: BaseEstimator, encoded: Floats, code: int | None
) -> tuple[float, Floats]:
    coefficients = _of_class(np.atleast_2d(estimator.coef_), code)
    means = encoded_means(estimator)
    base = float(_of_class(np.ravel(estimator.intercept_), code)) + float(means @ coefficients)
    return base, ((encoded - means) * coefficients).T


def _tree_parts(
    pipeline: Pipeline, encoded: Floats, code: int | None, values: Floats | None
) -> tuple[float, Floats]:
    baselines = np.ravel(pipeline[-1]._baseline_prediction)
    codes = range(len(baselines))
    trees = [_own_trees(pipeline, one) for one in codes]
    if values is not None:
        trees = [SharedTrees(one.forest, values) for one in trees]
    means = [one.mean_score for one in trees]
    columns = np.ascontiguousarray(encoded.T)
    parts = [one.parts(columns) for one in trees]
    return float(_of_class(baselines + means, code)), _of_class(np.stack(parts), code)


def expect_rows(pipeline: Pipeline, rows: int) -> None:
    """Prepare boosted trees for taking apart the scores of so many rows, before workers are forked.

    Args:
        pipeline: Its trees have one output.
        rows: How many, by and by.
    """
    _own_trees(pipeline, 0).expect(rows)


@lru_cache(maxsize=32)  # one pooled model serves all tenants of a worker
def _own_trees(pipeline: Pipeline, code: int) -> SharedTrees:
    return SharedTrees(forest_of(pipeline[-1], code), tree_values(pipeline[-1], code))


def _by_feature(parts: Floats, sources: tuple[str, ...]) -> dict[str, Floats]:
    """Sum the contributions of encoded columns, (columns, n), by the feature they come from."""
    found: dict[str, Floats] = {}
    for name, part in zip(sources, parts, strict=True):
        found[name] = found[name] + part if name in found else part
    return found
