"""Any scikit-learn estimator as a tenant's own model: encoded as the library's own ones are."""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tenantry.errors import TrainingError
from tenantry.metrics import Floats
from tenantry.models.fitted import FittedModel, with_pooled_score
from tenantry.models.words import Words
from tenantry.training.candidates import Material, has_one_class
from tenantry.training.pipelines import Texts, fit_steps, known_columns

MIN_FREQUENCY = 20
"""Rows that a category needs for a column of its own."""

MIN_ROWS = 100
"""Rows with a pooled score that a stacked estimator needs."""


def fit_estimator(
    name: str, material: Material, estimator: BaseEstimator, *, stacked: bool = False
) -> FittedModel:
    """Fit an estimator to the tenant's own rows.

    Args:
        name: Of the recipe.
        material: The tenant's rows.
        estimator: A classifier or a regressor, which is given numbers: means for missing ones,
            standardised; a column for each category with enough rows; the TF-IDF of words. Or a
            pipeline of two steps that begins with a ColumnTransformer, which is given the features
            as they are (float64 and str) and encodes them its own way. A clone is fitted.
        stacked: Whether it also sees the pooled model's score, as it was before the pooled model
            had seen the row; then only rows with such a score are learnt from.

    Raises:
        TrainingError: All labels are the same, a class of several has no row, no feature has a
            value; or, stacked, there is no
            pooled model or too few rows have a score.
    """
    frame, label = _scored_rows(material) if stacked else (material.frame, material.label)
    if has_one_class(label, material.task):
        msg = f"all {len(label):,} labels are the same; nothing can be told apart"
        raise TrainingError(msg)
    unseen = material.classes - len(np.unique(label))
    if material.classes and unseen:
        msg = f"{unseen} of {material.classes} classes have no row, which only our own recipes bear"
        raise TrainingError(msg)
    words = {name: item.min_texts for name, item in material.texts.items()}
    frame = frame[known_columns(frame, words)]
    own = fit_steps(_pipeline(frame, material.texts, clone(estimator)), frame, label)
    if stacked:
        return FittedModel(name, material.task, "stack", own=own, pooled=material.pooled)
    return FittedModel(name, material.task, "own", own=own)


def _scored_rows(material: Material) -> tuple[pd.DataFrame, Floats]:
    """Return the rows that the pooled model had scored before it saw them, with that score."""
    scores = material.out_of_fold()
    scored = np.isfinite(scores)
    if material.pooled is None or scored.sum() < MIN_ROWS:
        msg = f"fewer than {MIN_ROWS} rows have a score of a pooled model that had not seen them"
        raise TrainingError(msg)
    frame = with_pooled_score(material.frame[scored], scores[scored])
    return frame, material.label[scored]


def _pipeline(frame: pd.DataFrame, texts: Texts, estimator: BaseEstimator) -> Pipeline:
    """Return the two steps that all our pipelines have."""
    if isinstance(estimator, Pipeline) and len(estimator) == 2:
        columns, last = estimator[0], estimator[1]
        if isinstance(columns, ColumnTransformer):
            return Pipeline([("columns", columns), ("estimator", last)])
    plain = [name for name in frame if name not in texts]
    categories = [name for name in plain if isinstance(frame[name].dtype, pd.StringDtype)]
    numbers = [name for name in plain if name not in categories]
    levels = OneHotEncoder(
        min_frequency=MIN_FREQUENCY, handle_unknown="infrequent_if_exist", sparse_output=False
    )
    filled = Pipeline([("fill", SimpleImputer()), ("scale", StandardScaler())])
    parts = [("numbers", filled, numbers), ("categories", levels, categories)]
    words = [
        (f"words_{name}", Words(max_features=item.max_words, min_df=item.min_texts), name)
        for name, item in texts.items()
        if name in frame
    ]
    columns = ColumnTransformer([part for part in parts if part[2]] + words, sparse_threshold=0)
    return Pipeline([("columns", columns), ("estimator", estimator)])
