"""The first step of pipelines whose features are all numbers, fitted to an array of them.

A ColumnTransformer and each step in it look at the names and types of a frame anew, which takes
several times as long as to fit them to some hundred rows. What they learn of the names alone is
fitted once for all tenants with these features, and copied.
"""

from collections import Counter
from collections.abc import Iterable
from copy import copy
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from tenantry.metrics import Floats
from tenantry.models.encode import fill_in, standardised

NUMBERS = "numbers"
"""The part of a ColumnTransformer that numbers go through."""

_USUAL = 4
"""Sets of features that are worth it."""


def scaled() -> Pipeline:
    """Return what makes missing numbers their mean, and then standardises all."""
    return Pipeline([("fill", SimpleImputer()), ("scale", StandardScaler())])


def fit_columns(
    columns: ColumnTransformer, rows: pd.DataFrame, label: Floats
) -> tuple[ColumnTransformer, Any]:
    """Fit the first step of a pipeline of ours, as its own `fit_transform` does.

    Args:
        columns: Its part `NUMBERS`, if it has one, is ``passthrough`` or `scaled`.
        rows: n rows of the columns that its parts are for; each has a value at least.
        label: n labels.

    Returns:
        The fitted step, and what the estimator is fed: an array, or a sparse matrix.

    Raises:
        ValueError: A number is infinite.
    """
    parts = {name: part for name, part, _ in columns.transformers}
    if set(parts) != {NUMBERS}:
        return columns, columns.fit_transform(rows, label)
    values, names = rows.to_numpy(dtype=np.float64), tuple(map(str, rows.columns))
    if parts[NUMBERS] == "passthrough":
        return fitted_to_names(NUMBERS, "passthrough", names), values
    return _fit_scaled(fitted_to_names(NUMBERS, "scaled", names), values)


@lru_cache(maxsize=64)  # tenants of a product have the same features, but for those without a value
def fitted_to_names(name: str, kind: str, columns: tuple[str, ...]) -> ColumnTransformer:
    """Return a transformer of one part, fitted to a row of zeros; it is shared, and not to change.

    Args:
        name: Of the part.
        kind: ``drop``, ``passthrough`` or ``scaled``.
        columns: Those that it is for.
    """
    row = pd.DataFrame(np.zeros((1, len(columns))), columns=list(columns))
    part = scaled() if kind == "scaled" else kind
    return ColumnTransformer([(name, part, list(columns))]).fit(row)


def learn_names(features: Iterable[tuple[str, ...]]) -> None:
    """Fit what depends on names alone before workers are forked, for the most usual features.

    Args:
        features: The names of each tenant's features.
    """
    for names, _ in Counter(features).most_common(_USUAL):
        fitted_to_names("none", "drop", names)
        fitted_to_names(NUMBERS, "passthrough", names)
        fitted_to_names(NUMBERS, "scaled", names)


def _fit_scaled(known: ColumnTransformer, values: Floats) -> tuple[ColumnTransformer, Floats]:
    ((name, steps, names),) = known.transformers_
    columns, fill = copy(known), copy(steps["fill"])  # they know the names, which an array has not
    fill.statistics_ = SimpleImputer().fit(values).statistics_
    filled = fill_in(fill, values)
    scale = StandardScaler().fit(filled)
    columns.transformers_ = [(name, Pipeline([("fill", fill), ("scale", scale)]), names)]
    return columns, standardised(scale, filled)
