"""The scikit-learn pipelines that recipes are made of; each has two steps, columns and estimator.

Columns of str are categories, all others are numbers. Nothing here knows of tenants or of time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler, TargetEncoder

from tenantry.errors import TrainingError
from tenantry.metrics import Floats
from tenantry.models.card import Task
from tenantry.models.words import C, Words, WordScore, has_words
from tenantry.specs.features import TextFeature


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
        str(name)
        for name in frame.columns
        if (
            has_words(frame[name], min_rows[name])
            if name in min_rows
            else frame[name].notna().any()
        )
    ]
    if not known:
        msg = "features: none has a value in any labelled row; check the sources and the features"
        raise TrainingError(msg)
    return known


def fit_linear(  # noqa: PLR0913 - what a fit needs
    frame: pd.DataFrame,
    label: Floats,
    *,
    task: Task,
    c: float,
    min_frequency: int,
    texts: Texts = MappingProxyType({}),
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

    Raises:
        TrainingError: No feature has a value.
    """
    numbers = Pipeline([("fill", SimpleImputer()), ("scale", StandardScaler())])
    levels = OneHotEncoder(min_frequency=min_frequency, handle_unknown="infrequent_if_exist")
    words = [
        (name, Words(max_features=it.max_words, min_df=it.min_texts, scale=float(np.sqrt(C / c))))
        for name, it in texts.items()
    ]
    # with many rows and few columns Newton's method is exact in a few steps, lbfgs in ninety
    solver = "lbfgs" if words else "newton-cholesky"
    estimator = (
        Ridge(alpha=1 / c, solver="sparse_cg" if words else "auto", tol=1e-8 if words else 1e-4)
        if task == "regression"
        else LogisticRegression(C=c, solver=solver, max_iter=1000 if words else 100)
    )
    return _fit(frame, label, numbers=numbers, levels=levels, words=words, estimator=estimator)


def fit_trees(  # noqa: PLR0913 - what a fit needs
    frame: pd.DataFrame,
    label: Floats,
    *,
    task: Task,
    trees: Trees,
    seed: int,
    texts: Texts = MappingProxyType({}),
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

    Raises:
        TrainingError: No feature has a value.
    """
    kind = "continuous" if task == "regression" else "binary"
    folds = KFold(min(5, len(label)), shuffle=True, random_state=seed)
    levels = TargetEncoder(target_type=kind, cv=folds)
    cls = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
    estimator = cls(
        **vars(trees), early_stopping=False, categorical_features=None, random_state=seed
    )
    words = [
        (name, WordScore(max_features=it.max_words, min_df=it.min_texts, task=task, seed=seed))
        for name, it in texts.items()
    ]
    numbers = "passthrough"
    return _fit(frame, label, numbers=numbers, levels=levels, words=words, estimator=estimator)


def fit_constant(frame: pd.DataFrame, label: Floats, *, task: Task) -> Pipeline:
    """Fit what says the same of every row: the base rate, or the mean.

    The base rate is shrunk as if one more row, half positive, had been seen (Jeffreys), so that a
    tenant without a positive row is not promised that there will never be one.

    Args:
        frame: n ≥ 1 rows of features, all with a label.
        label: n labels.
        task: What is predicted.
    """
    columns = ColumnTransformer([("none", "drop", [str(name) for name in frame.columns])])
    if task == "regression":
        return Pipeline([("columns", columns), ("estimator", DummyRegressor())]).fit(frame, label)
    pipeline = Pipeline([("columns", columns), ("estimator", DummyClassifier(strategy="prior"))])
    padded = pd.concat([frame, frame.iloc[[0, 0]]], ignore_index=True)
    weights = np.append(np.ones(len(label)), [0.5, 0.5])
    return pipeline.fit(padded, np.append(label, [0.0, 1.0]), estimator__sample_weight=weights)


def _fit(  # noqa: PLR0913 - what a fit needs
    frame: pd.DataFrame,
    label: Floats,
    *,
    numbers: object,
    levels: object,
    words: Sequence[tuple[str, Words | WordScore]],
    estimator: object,
) -> Pipeline:
    """Fit the two steps of a pipeline; `words` gives the encoder of each text."""
    known = known_columns(frame, {name: encoder.min_df for name, encoder in words})
    texts = [(name, encoder) for name, encoder in words if name in known]
    plain = [name for name in known if name not in dict(texts)]
    categories = [name for name in plain if isinstance(frame[name].dtype, pd.StringDtype)]
    values = [name for name in plain if name not in categories]
    parts = [("numbers", numbers, values), ("categories", levels, categories)]
    columns = ColumnTransformer(
        [part for part in parts if part[2]]
        + [(f"words_{name}", encoder, name) for name, encoder in texts]
    )
    pipeline = Pipeline([("columns", columns), ("estimator", estimator)])
    return pipeline.fit(frame[known], label)
