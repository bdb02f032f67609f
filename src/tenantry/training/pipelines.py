"""The scikit-learn pipelines that recipes are made of; each has two steps, columns and estimator.

Columns of str are categories, all others are numbers. Nothing here knows of tenants or of time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, TargetEncoder

from tenantry.errors import TrainingError
from tenantry.metrics import Floats
from tenantry.models.card import Task
from tenantry.models.means import keep_means
from tenantry.models.words import C, Words, WordScore, has_words
from tenantry.specs.features import TextFeature
from tenantry.training.numbers import NUMBERS, fit_columns, fitted_to_names, scaled


@dataclass(frozen=True)
class Trees:
    """Parameters of boosted trees; a spec names them as here.

    Attributes:
        max_iter: Number of trees.
        learning_rate: How much each tree adds.
        max_leaf_nodes: Leaves a tree.
        min_samples_leaf: Rows a leaf at the least.
        l2_regularization: Pulls leaves towards zero.
        max_features: Share of the features that a split may choose from.
    """

    max_iter: int = 80
    learning_rate: float = 0.08
    max_leaf_nodes: int = 15
    min_samples_leaf: int = 40
    l2_regularization: float = 1.0
    max_features: float = 1.0


Texts = Mapping[str, TextFeature]
"""The features that are text; of all others, those of str are categories."""


def known_columns(
    frame: pd.DataFrame, min_rows: Mapping[str, int] = MappingProxyType({})
) -> list[str]:
    """Return the columns that hold a value at all.

    Args:
        frame: Features.
        min_rows: Text → rows that one of its words must be in at least.

    Raises:
        TrainingError: None does.
    """
    known = [
        name
        for name, is_there in has_value(frame).items()
        if (has_words(frame[name], min_rows[name]) if name in min_rows else is_there)
    ]
    if not known:
        msg = "features: none has a value in any labelled row; check the sources and the features"
        raise TrainingError(msg)
    return known


def has_value(frame: pd.DataFrame) -> dict[str, bool]:
    """Return whether each column holds a value."""
    there = frame.notna().to_numpy().T
    return {str(name): bool(row.any()) for name, row in zip(frame.columns, there, strict=True)}


def fit_linear(  # noqa: PLR0913 - what a fit needs
    frame: pd.DataFrame,
    label: Floats,
    *,
    task: Task,
    c: float,
    min_frequency: int,
    texts: Texts = MappingProxyType({}),
    classes: int = 0,
) -> Pipeline:
    """Fit a linear model: logistic regression, or ridge regression.

    Numbers are imputed by their mean and standardised (a `missing` feature tells that one was);
    categories are one-hot, those with fewer than `min_frequency` rows, and new ones, share a
    column; texts are the TF-IDF of their words, penalised as `models.words.C` says.

    Args:
        frame: n rows of features, all with a label.
        label: n labels.
        task: What is predicted.
        c: Inverse strength of the ridge penalty.
        min_frequency: Rows a category needs for a column of its own.
        texts: Those of the features that are text.
        classes: How many there are, of ``multiclass``: their codes are 0, 1, …

    Raises:
        TrainingError: No feature has a value.
    """
    levels = OneHotEncoder(min_frequency=min_frequency, handle_unknown="infrequent_if_exist")
    words = [
        (name, Words(max_features=it.max_words, min_df=it.min_texts, scale=float(np.sqrt(C / c))))
        for name, it in texts.items()
    ]
    # with many rows and few columns Newton's method is exact in a few steps, lbfgs in ninety
    solver = "lbfgs" if words or classes else "newton-cholesky"
    estimator = (
        Ridge(alpha=1 / c, solver="sparse_cg" if words else "auto", tol=1e-8 if words else 1e-4)
        if task == "regression"
        else LogisticRegression(C=c, solver=solver, max_iter=1000 if words or classes else 100)
    )
    pipeline = _pipeline(frame, numbers=scaled(), levels=levels, words=words, estimator=estimator)
    return _fit(pipeline, frame, label, classes)


def fit_trees(  # noqa: PLR0913 - what a fit needs
    frame: pd.DataFrame,
    label: Floats,
    *,
    task: Task,
    trees: Trees,
    seed: int,
    texts: Texts = MappingProxyType({}),
    classes: int = 0,
) -> Pipeline:
    """Fit gradient-boosted trees; categories are replaced by their shrunk mean label.

    The means that the fit sees are cross-fitted, so that rare categories do not tell their own
    labels (scikit-learn's TargetEncoder; Micci-Barreca, 2001). A text is replaced by what a linear
    model of its words says, cross-fitted alike. Missing numbers stay missing.

    Args:
        frame: n rows of features, all with a label.
        label: n labels.
        task: What is predicted.
        trees: Parameters.
        seed: Of cross-fitting and of the trees.
        texts: Those of the features that are text.
        classes: How many there are, of ``multiclass``: their codes are 0, 1, …

    Raises:
        TrainingError: No feature has a value.
    """
    kind = {"regression": "continuous", "multiclass": "multiclass"}.get(task, "binary")
    folds = KFold(min(5, len(label)), shuffle=True, random_state=seed)
    levels = TargetEncoder(target_type=kind, cv=folds)
    cls = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
    estimator = cls(
        **vars(trees), early_stopping=False, categorical_features=None, random_state=seed
    )
    words = [
        (
            name,
            WordScore(
                max_features=it.max_words,
                min_df=it.min_texts,
                task=task,
                classes=classes,
                seed=seed,
            ),
        )
        for name, it in texts.items()
    ]
    pipeline = _pipeline(
        frame, numbers="passthrough", levels=levels, words=words, estimator=estimator
    )
    return _fit(pipeline, frame, label, classes)


def fit_constant(frame: pd.DataFrame, label: Floats, *, task: Task, classes: int = 0) -> Pipeline:
    """Fit what says the same of every row: the base rate, or the mean.

    The base rate is shrunk as if one more row, half positive, had been seen (Jeffreys), so that a
    tenant without a positive row is not promised that there will never be one; of several classes,
    as if that row were of each to equal parts.

    Args:
        frame: n ≥ 1 rows of features, all with a label.
        label: n labels.
        task: What is predicted.
        classes: How many there are, of ``multiclass``.
    """
    columns = fitted_to_names("none", "drop", tuple(map(str, frame.columns)))
    if task == "regression":
        estimator = DummyRegressor().fit(np.zeros((len(label), 0)), label)
    else:
        number = classes or 2
        counts = np.bincount(label.astype(np.int64), minlength=number)  # rows alike count as one
        known = np.arange(number, dtype=np.float64)
        estimator = DummyClassifier(strategy="prior").fit(
            np.zeros((number, 0)), known, sample_weight=counts + 1 / number
        )
    return Pipeline([("columns", columns), ("estimator", estimator)])


def _pipeline(
    frame: pd.DataFrame,
    *,
    numbers: object,
    levels: object,
    words: Sequence[tuple[str, Words | WordScore]],
    estimator: object,
) -> Pipeline:
    """Return the two steps of a pipeline for a frame; `words` gives the encoder of each text."""
    known = known_columns(frame, {name: encoder.min_df for name, encoder in words})
    texts = [(name, encoder) for name, encoder in words if name in known]
    plain = [name for name in known if name not in dict(texts)]
    types = dict(frame.dtypes)
    categories = [name for name in plain if isinstance(types[name], pd.StringDtype)]
    values = [name for name in plain if name not in categories]
    parts = [(NUMBERS, numbers, values), ("categories", levels, categories)]
    columns = ColumnTransformer(
        [part for part in parts if part[2]]
        + [(f"words_{name}", encoder, name) for name, encoder in texts]
    )
    return Pipeline([("columns", columns), ("estimator", estimator)])


def _fit(pipeline: Pipeline, frame: pd.DataFrame, label: Floats, classes: int) -> Pipeline:
    """Fit a pipeline so that it knows every class.

    A class without a row gets one of which nothing is known, and which weighs as in `fit_constant`:
    it is told to be rare, and not to be impossible.
    """
    columns, estimator = pipeline
    read = [name for _, _, names in columns.transformers for name in _listed(names)]
    rows = frame if len(read) == frame.shape[1] else frame[[name for name in frame if name in read]]
    unseen = sorted(set(range(classes)) - set(label.astype(np.int64))) if classes else []
    weights = None
    if unseen:
        rows = pd.concat([rows, _blank(rows, len(unseen))], ignore_index=True)
        weights = np.append(np.ones(len(label)), np.full(len(unseen), 1 / classes))
        label = np.append(label, np.array(unseen, dtype=np.float64))
    columns, fed = fit_columns(columns, rows, label)
    return _fit_last(columns, estimator, fed, label, weights)


def _blank(frame: pd.DataFrame, number: int) -> pd.DataFrame:
    """Return so many rows of the columns of a frame without a value."""
    return pd.DataFrame(
        {
            name: pd.Series(
                ["" if isinstance(column.dtype, pd.StringDtype) else np.nan] * number,
                dtype=column.dtype,
            )
            for name, column in frame.items()
        }
    )


def fit_steps(
    pipeline: Pipeline, rows: pd.DataFrame, label: Floats, weights: Floats | None = None
) -> Pipeline:
    """Fit a pipeline of two steps as its own `fit` does, and keep the means of a linear model.

    Args:
        pipeline: Two steps, `columns` and `estimator`.
        rows: n rows of features.
        label: n labels.
        weights: Of the rows, for the estimator; all alike when None.
    """
    columns, estimator = pipeline
    fed = columns.fit_transform(rows, label)
    return _fit_last(columns, estimator, fed, label, weights)


def _fit_last(
    columns: ColumnTransformer,
    estimator: Any,  # noqa: ANN401 - a classifier or a regressor
    fed: Any,  # noqa: ANN401 - or sparse
    label: Floats,
    weights: Floats | None,
) -> Pipeline:
    more = {} if weights is None else {"sample_weight": weights}
    estimator.fit(fed, label, **more)
    keep_means(estimator, fed, weights)
    return Pipeline([("columns", columns), ("estimator", estimator)])


def _listed(names: str | list[str]) -> list[str]:
    return [names] if isinstance(names, str) else names
