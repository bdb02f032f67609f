"""Packing fitted models: scikit-learn's pipelines, as our recipes make them, into arrays.

Only what is known to be scored alike is packed: the very types that our recipes use, with the very
settings. All else raises `NotPackableError`, and is served by scikit-learn.
"""

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler, TargetEncoder

from tenantry.errors import NotPackableError
from tenantry.models.fitted import FittedModel, source_features
from tenantry.models.leaves import has_single_trees, node_values
from tenantry.models.link import from_link, to_link
from tenantry.models.means import encoded_means
from tenantry.packed.columns import Floats, Lookup, Row
from tenantry.packed.forest import Forest
from tenantry.packed.linear import PackedLinear
from tenantry.packed.model import PackedModel, Part
from tenantry.packed.trees import PackedTrees

_BOOSTED = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)
_NO_NUMBERS = np.zeros(0)

Boosted: TypeAlias = HistGradientBoostingClassifier | HistGradientBoostingRegressor

MOST_APART = 1e-12
"""By which packed and fitted models may differ."""

SINGLE_ROWS = 20
"""Rows that are scored one by one as well, taken evenly: the same arrays, by another way."""


def pack_model(model: FittedModel, pooled: Part | None = None) -> PackedModel:
    """Pack a tenant's model.

    Args:
        model: The model.
        pooled: Its pooled part, where that was packed before.

    Raises:
        NotPackableError: It holds something that is not known to be scored alike; says what.
    """
    if model.task == "multiclass":
        msg = "models of several classes are not packed"
        raise NotPackableError(msg)
    if pooled is None and model.pooled is not None:
        pooled = pack_pipeline(model.pooled)
    return PackedModel(
        form=model.form,
        task=model.task,
        own=pack_pipeline(model.own) if model.own is not None else None,
        pooled=pooled,
        leaves=model.leaves,
        weight=model.weight,
        slope=model.slope,
        intercept=model.intercept,
    )


def check_packed(
    packed: PackedModel, model: FittedModel, own: pd.DataFrame, pooled: pd.DataFrame
) -> None:
    """Compare a packed model with the fitted one on real rows at once, and on some one by one.

    Args:
        packed: What `pack_model` made.
        model: Of what.
        own: Rows as `features.recipe.own_frame` gives them.
        pooled: The same rows as `features.recipe.pooled_frame` gives them.

    Raises:
        NotPackableError: They differ by more than `MOST_APART`.
    """
    expected = from_link(model.score_frames(own, pooled), model.task)
    _require_close(packed.predict(own, pooled), expected)
    few = np.unique(np.linspace(0, len(own) - 1, min(len(own), SINGLE_ROWS)).astype(np.int64))
    pairs = zip(_rows(own.iloc[few]), _rows(pooled.iloc[few]), strict=True)
    singly = [packed.predict_row(mine, shared) for mine, shared in pairs]
    _require_close(np.array(singly), expected[few])


def _require_close(found: Floats, expected: Floats) -> None:
    if not np.allclose(found, expected, rtol=MOST_APART, atol=MOST_APART):
        msg = f"packed, the model differs by {np.abs(found - expected).max():.1e}"
        raise NotPackableError(msg)


def _rows(frame: pd.DataFrame) -> list[Row]:
    names = [str(name) for name in frame]
    columns = [frame[name].tolist() for name in names]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def pack_pipeline(pipeline: Pipeline) -> Part:
    """Pack a pipeline of two steps, `columns` and `estimator`.

    Raises:
        NotPackableError: It holds something that is not known to be scored alike; says what.
    """
    columns, estimator = pipeline[0], pipeline[-1]
    if type(columns) is not ColumnTransformer:
        raise _unknown(columns)
    if type(estimator) in (DummyClassifier, DummyRegressor):
        return _constant(estimator)
    if type(estimator) in (LogisticRegression, Ridge):
        return _linear(pipeline)
    if type(estimator) in _BOOSTED:
        return _trees(pipeline)
    raise _unknown(estimator)


def _constant(estimator: DummyClassifier | DummyRegressor) -> PackedLinear:
    if isinstance(estimator, DummyRegressor):
        said = float(np.ravel(estimator.constant_)[0])
    elif estimator.strategy == "prior" and list(estimator.classes_) == [0, 1]:
        said = float(to_link(np.array(estimator.class_prior_))[1])
    else:
        raise _unknown(estimator)
    fields = ("fill", "mean", "scale", "coefficients", "centre")
    return PackedLinear(said, (), lookups=(), **dict.fromkeys(fields, _NO_NUMBERS))


def _linear(pipeline: Pipeline) -> PackedLinear:
    columns, estimator = pipeline[0], pipeline[-1]
    coefficients = np.atleast_2d(estimator.coef_)
    if len(coefficients) != 1:
        msg = "models of several classes are not packed"
        raise NotPackableError(msg)
    sources = np.array(source_features(pipeline))
    numbers: tuple[str, ...] = ()
    arrays, lookups = [_NO_NUMBERS] * 4, []
    means = coefficients[0] * encoded_means(estimator)
    for place, transformer, names in _steps(columns):
        part, source = coefficients[0, place], sources[place]
        if type(transformer) is OneHotEncoder:
            lookups += _one_hot(transformer, names, part, source)
        else:
            numbers, arrays = names, [*_filled_and_scaled(transformer), part]
    intercept = float(np.ravel(estimator.intercept_)[0])
    features = (*numbers, *(lookup.name for lookup in lookups))
    centre = np.array([means[sources == name].sum() for name in features])
    fill, mean, scale, own = arrays
    return PackedLinear(intercept, numbers, fill, mean, scale, own, tuple(lookups), centre)


def _steps(columns: ColumnTransformer) -> Iterator[tuple[slice, Any, tuple[str, ...]]]:
    """Yield each encoder: where its columns come out, what it is, the features it reads."""
    for part, transformer, names in columns.transformers_:
        if not isinstance(transformer, str):  # "drop"
            listed = (names,) if isinstance(names, str) else tuple(map(str, names))
            yield columns.output_indices_[part], transformer, listed


def _filled_and_scaled(transformer: Pipeline) -> tuple[Floats, Floats, Floats]:
    """Return what a missing number counts as, the mean and the scale."""
    steps = [step for _, step in transformer.steps] if type(transformer) is Pipeline else []
    if [type(step) for step in steps] != [SimpleImputer, StandardScaler]:
        raise _unknown(transformer)
    fill, scaler = steps
    plain = fill.indicator_ is None and np.isnan(fill.missing_values)
    if not plain or not np.isfinite(fill.statistics_).all() or scaler.mean_ is None:
        raise _unknown(fill)
    return fill.statistics_, scaler.mean_, scaler.scale_


def _one_hot(
    encoder: OneHotEncoder, names: tuple[str, ...], coefficients: Floats, source: NDArray[np.str_]
) -> list[Lookup]:
    """Return the coefficient of each category: the encoder is asked where it puts it."""
    if encoder.handle_unknown not in ("infrequent_if_exist", "ignore"):
        raise _unknown(encoder)
    first = {name: levels[0] for name, levels in zip(names, encoder.categories_, strict=True)}
    lookups = []
    for name, levels in zip(names, encoder.categories_, strict=True):
        unseen = "?" * (1 + max(map(len, levels)))
        rows = pd.DataFrame({name: [*levels, unseen]}, dtype="str")
        rows = rows.assign(**{other: level for other, level in first.items() if other != name})
        told = encoder.transform(rows[list(names)])
        told = told if isinstance(told, np.ndarray) else told.toarray()
        is_own = source == name
        *values, other = (told[:, is_own] @ coefficients[is_own]).tolist()
        lookups.append(Lookup(name, dict(zip(levels.tolist(), values, strict=True)), other))
    return lookups


def _trees(pipeline: Pipeline) -> PackedTrees:
    columns, estimator = pipeline[0], pipeline[-1]
    if not has_single_trees(pipeline) or estimator.is_categorical_ is not None:
        msg = "trees of several classes, or that split on native categories, are not packed"
        raise NotPackableError(msg)
    numbers: list[str] = []
    lookups: list[Lookup] = []
    for _, transformer, names in _steps(columns):
        if type(transformer) is FunctionTransformer and transformer.func is None:
            numbers += names
        elif type(transformer) is TargetEncoder and transformer.target_type_ != "multiclass":
            lookups += _means(transformer, names)
        else:
            raise _unknown(transformer)
    order = [*numbers, *(lookup.name for lookup in lookups)]
    places = [order.index(name) for name in source_features(pipeline)]
    forest = forest_of(estimator, places=np.array(places, dtype=np.int64))
    baseline = float(np.ravel(estimator._baseline_prediction)[0])
    return PackedTrees(baseline, tuple(numbers), tuple(lookups), forest, node_values(pipeline))


def _means(encoder: TargetEncoder, names: tuple[str, ...]) -> Iterator[Lookup]:
    for name, levels, means in zip(names, encoder.categories_, encoder.encodings_, strict=True):
        values = dict(zip(levels.tolist(), means.tolist(), strict=True))
        yield Lookup(name, values, float(encoder.target_mean_))


def tree_values(estimator: Boosted, code: int = 0) -> Floats:
    """Return the values of all nodes of boosted trees; of several classes those of one's trees."""
    return np.concatenate([trees[code].nodes["value"] for trees in estimator._predictors])


def forest_of(estimator: Boosted, code: int = 0, places: NDArray[np.int64] | None = None) -> Forest:
    """Return the splits of boosted trees.

    Args:
        estimator: Fitted, without native categories.
        code: Of several classes, the one whose trees are meant.
        places: Encoded column → place of the feature; the same when None.
    """
    trees = [trees[code].nodes for trees in estimator._predictors]
    places = np.arange(estimator.n_features_in_) if places is None else places
    sizes = np.array([len(nodes) for nodes in trees])
    roots = np.cumsum(sizes) - sizes
    nodes, start = np.concatenate(trees), np.repeat(roots, sizes)
    is_leaf, itself = nodes["is_leaf"] == 1, np.arange(len(start))
    return Forest(
        roots=roots,
        feature=np.where(is_leaf, 0, places[nodes["feature_idx"]]),
        threshold=np.where(is_leaf, np.inf, nodes["num_threshold"]),
        left=np.where(is_leaf, itself, start + nodes["left"]),
        right=np.where(is_leaf, itself, start + nodes["right"]),
        missing_left=(nodes["missing_go_to_left"] == 1) & ~is_leaf,
        cover=nodes["count"].astype(np.float64),
    )


def _unknown(part: object) -> NotPackableError:
    return NotPackableError(f"{type(part).__name__} with these settings is not packed")
