"""What a pipeline's estimator is fed, without scikit-learn's checks of what can be looked up."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler, TargetEncoder

Floats = NDArray[np.float64]


def rows_for(pipeline: Pipeline, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that a pipeline was fitted on, in its order.

    Raises:
        ValueError: The frame lacks one.
    """
    names = list(pipeline.feature_names_in_)
    if names == list(frame.columns):
        return frame
    if lacking := [name for name in names if name not in frame.columns]:
        msg = f"the model needs features that the table lacks: {', '.join(lacking)}"
        raise ValueError(msg)
    return frame[names]


def encode(columns: ColumnTransformer, frame: pd.DataFrame) -> Any:  # noqa: ANN401 - or sparse
    """Return what the estimator of a pipeline is fed.

    Numbers pass through or are filled and scaled, and for trees categories become their shrunk mean
    label. All that is looked up here, with the same result: scikit-learn looks at names and types
    of a frame in every step, and goes through all categories of the fit each time, which takes
    longer than the trees when tenants' names are among them. Whatever else a pipeline has goes
    scikit-learn's way.

    Args:
        columns: The fitted first step of a pipeline.
        frame: n rows with the columns that it was fitted on.

    Returns:
        Shape (n, columns of the estimator), as `columns.transform` gives them: an array, or a
        sparse matrix of many categories.
    """
    steps = [step for step in columns.transformers_ if not isinstance(step[1], str)]
    if not all(_is_looked_up(step, frame, names) for _, step, names in steps):
        return columns.transform(frame)
    parts = [np.zeros((len(frame), 0))]  # all that a constant is fed
    for _, step, names in steps:
        if isinstance(step, TargetEncoder):
            parts += [_means(step, at, frame[name])[:, None] for at, name in enumerate(names)]
        else:
            values = _numbers(frame, names)
            is_scaled = isinstance(step, Pipeline)
            parts.append(standardised(step[1], fill_in(step[0], values)) if is_scaled else values)
    return np.column_stack(parts) if len(parts) != 2 else parts[1]


def _is_looked_up(transformer: object, frame: pd.DataFrame, names: Any) -> bool:  # noqa: ANN401
    if not isinstance(names, list) or not names or not set(names) <= set(frame.columns):
        return False  # a text, or what a recipe of others may select by
    if isinstance(transformer, FunctionTransformer):
        return transformer.func is None  # "passthrough"
    if isinstance(transformer, Pipeline):
        return _is_filled_and_scaled(transformer)
    if not isinstance(transformer, TargetEncoder) or transformer.target_type_ == "multiclass":
        return False
    return all(isinstance(frame[name].dtype, pd.StringDtype) for name in names)


def _is_filled_and_scaled(steps: Pipeline) -> bool:
    if [type(step) for step in steps] != [SimpleImputer, StandardScaler]:
        return False
    fill, scale = steps
    adds_or_drops = fill.add_indicator or pd.isna(fill.statistics_).any()
    is_plain = pd.isna(fill.missing_values) and scale.with_mean and scale.with_std
    return bool(is_plain and not adds_or_drops)


def _numbers(frame: pd.DataFrame, names: list[str]) -> Floats:
    """Return some columns, one behind the other in memory; a frame's own are a step of pandas."""
    if names == list(frame.columns):
        return frame.to_numpy(np.float64)
    return np.array([frame[name].to_numpy(np.float64) for name in names]).T


def fill_in(fill: SimpleImputer, values: Floats) -> Floats:
    """Return numbers, shape (n, columns), with what was fitted in place of missing ones."""
    return np.where(np.isnan(values), fill.statistics_, values)


def standardised(scale: StandardScaler, values: Floats) -> Floats:
    """Return numbers, shape (n, columns), less their fitted mean, in fitted standard deviations."""
    return np.asarray((values - scale.mean_) / scale.scale_, dtype=np.float64)


def _means(encoder: TargetEncoder, place: int, values: "pd.Series[str]") -> Floats:
    """Return the shrunk mean of each value; that of all labels for values the fit never saw."""
    levels, means = encoder.categories_[place], encoder.encodings_[place]
    codes, different = pd.factorize(values)
    sought = different.to_numpy(dtype=object)
    where = np.minimum(np.searchsorted(levels, sought), len(levels) - 1)
    told = np.where(levels[where] == sought, means[where], encoder.target_mean_)
    return np.append(told, encoder.target_mean_)[codes]  # the last is for code -1, a missing one
