"""A fitted model: how a tenant's own pipeline and the pooled one together score rows."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, TargetEncoder

from tenantry.columns import POOLED_SCORE
from tenantry.features.recipe import own_frame, pooled_frame
from tenantry.models.card import Form, Task
from tenantry.models.encode import encode, rows_for
from tenantry.models.leaves import with_node_values
from tenantry.models.link import centred, from_link, log_chances, to_link
from tenantry.models.words import Words, WordScore
from tenantry.specs.model import Spec

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class FittedModel:
    """A model that scores a tenant's feature table.

    Every pipeline has two steps: `columns`, a ColumnTransformer, and `estimator`. Scores live in
    link space: log-odds for classification, the value itself for regression. Before calibration
    the score is, by `form`:

    - ``own``: link(own);
    - ``pooled``: link(pooled);
    - ``blend``: (1 - weight) · link(pooled) + weight · link(own);
    - ``stack``: link(own), fed the tenant's own features and the column `pooled_score`, which is
      link(pooled).

    With `leaves`, link(pooled) is that of the pooled trees with these values in their nodes: splits
    are all tenants', values the tenant's own. The calibrated score is
    ``intercept + slope · score``; both are the identity's unless the spec asks for calibration.

    Attributes:
        recipe: Name of the candidate.
        task: What it predicts.
        form: How the two pipelines make a score.
        own: The pipeline fitted on the tenant's rows; None for ``pooled``.
        pooled: The pipeline fitted on all tenants' rows; None for ``own``.
        weight: Of the tenant's own pipeline in a ``blend``, 0 to 1.
        slope: Of the calibration, in link space.
        intercept: Of the calibration, in link space.
        classes: Names of the K classes of ``multiclass``, in the order of their scores.
        leaves: Values of the pooled trees' nodes, adapted to the tenant; None for the pooled ones.

    Raises:
        ValueError: A pipeline that the form needs is missing, or leaves have no pooled trees.
    """

    recipe: str
    task: Task
    form: Form
    own: Pipeline | None = None
    pooled: Pipeline | None = None
    weight: float = 0.0
    slope: float = 1.0
    intercept: float = 0.0
    classes: tuple[str, ...] = ()
    leaves: Scores | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        lacks_own = self.own is None and self.form != "pooled"
        lacks_pooled = self.pooled is None and self.form != "own"
        if lacks_own or lacks_pooled:
            msg = f"a model of form {self.form!r} needs its {'own' if lacks_own else 'pooled'} part"
            raise ValueError(msg)
        if self.leaves is not None and self.pooled is None:
            msg = "leaf values need the pooled trees that they are for"
            raise ValueError(msg)

    @cached_property
    def shared(self) -> Pipeline | None:
        """The pooled pipeline as it serves this tenant: with its own leaf values, if it has any."""
        if self.pooled is None or self.leaves is None:
            return self.pooled
        return with_node_values(self.pooled, self.leaves)

    def score(self, table: pd.DataFrame, spec: Spec) -> Scores:
        """Score a feature table in link space: log-odds, or the value for regression.

        Args:
            table: The tenant's feature table, n rows.
            spec: The tenant's spec.

        Returns:
            n scores, in the order of the rows; of K classes (n, K), each row's sum 0.
        """
        own = own_frame(table, spec) if self.own is not None else None
        pooled = pooled_frame(table, spec) if self.pooled is not None else None
        return self.score_frames(own, pooled)

    def score_frames(self, own: pd.DataFrame | None, pooled: pd.DataFrame | None) -> Scores:
        """Score rows whose frames were already selected; see `score`.

        Args:
            own: Rows as `features.recipe.own_frame` gives them; unused by ``pooled``.
            pooled: The same rows as `features.recipe.pooled_frame` gives them; unused by ``own``.

        Raises:
            ValueError: A frame that the form needs is missing.
        """
        shared = np.zeros(0) if self.pooled is None else link_scores(self.shared, pooled)
        return self.score_with(own, shared)

    def score_with(self, own: pd.DataFrame | None, shared: Scores) -> Scores:
        """Score rows that the pooled pipeline, as it serves this tenant, has scored; see `score`.

        Args:
            own: Rows as `features.recipe.own_frame` gives them; unused by ``pooled``.
            shared: What `shared` says of the same rows in link space; unused by ``own``.

        Raises:
            ValueError: The frame is missing, and the form needs it.
        """
        if self.form == "pooled":
            return self._calibrated(shared)
        if self.form == "stack":
            return self._calibrated(link_scores(self.own, with_pooled_score(own, shared)))
        mine = link_scores(self.own, own)
        if self.form == "own":
            return self._calibrated(mine)
        return self._calibrated((1 - self.weight) * shared + self.weight * mine)

    def predict(self, table: pd.DataFrame, spec: Spec) -> Scores:
        """Return each row's probability or value; of K classes K probabilities, (n, K).

        Args:
            table: The tenant's feature table, n rows.
            spec: The tenant's spec.
        """
        return from_link(self.score(table, spec), self.task)

    def _calibrated(self, scores: Scores) -> Scores:
        if self.slope == 1.0 and self.intercept == 0.0:
            return scores
        return self.intercept + self.slope * scores


def with_pooled_score(own: pd.DataFrame | None, scores: Scores) -> pd.DataFrame:
    """Return the tenant's own frame with the pooled score beside it, as a stack is fed.

    Raises:
        ValueError: There is no frame.
    """
    if own is None:
        msg = "a stacked model needs the tenant's own frame"
        raise ValueError(msg)
    return own.assign(**{POOLED_SCORE: scores})


def link_scores(pipeline: Pipeline | None, frame: pd.DataFrame | None) -> Scores:
    """Score rows by one pipeline in link space.

    Args:
        pipeline: Two steps, `columns` and `estimator`.
        frame: n rows that hold the columns the pipeline was fitted on, and maybe others.

    Returns:
        n scores: log-odds of a classifier, values of a regressor; of K > 2 classes (n, K): log
        probabilities less their mean over the classes.

    Raises:
        ValueError: Pipeline or frame are missing, or the frame lacks a column.
    """
    if pipeline is None or frame is None:
        msg = "scoring needs a pipeline and a frame"
        raise ValueError(msg)
    rows = rows_for(pipeline, frame)
    if frame.empty:
        return np.zeros((len(frame), *_classes_shape(pipeline)))
    fed, estimator = encode(pipeline[0], rows), pipeline[-1]
    if hasattr(estimator, "decision_function"):
        return centred(np.asarray(estimator.decision_function(fed), dtype=np.float64))
    if hasattr(estimator, "predict_proba"):
        chances = np.asarray(estimator.predict_proba(fed), dtype=np.float64)
        if chances.shape[1] > 2:
            return log_chances(chances)
        return to_link(chances[:, 1])
    return np.asarray(estimator.predict(fed), dtype=np.float64)


def _classes_shape(pipeline: Pipeline) -> tuple[int, ...]:
    number = len(getattr(pipeline["estimator"], "classes_", ()))
    return (number,) if number > 2 else ()


def source_features(pipeline: Pipeline) -> tuple[str, ...]:
    """Name the source feature of each column that the estimator sees, in their order.

    A one-hot encoder makes several columns of one feature, the words of a text many, an imputer
    adds flags of what was missing; every other step keeps one column a feature.

    Args:
        pipeline: Two steps, `columns` (fitted) and `estimator`.
    """
    outputs: list[str] = []
    for _, transformer, columns in pipeline["columns"].transformers_:
        if transformer == "drop":
            continue
        names = [columns] if isinstance(columns, str) else [str(name) for name in columns]
        steps = transformer if isinstance(transformer, Pipeline) else [transformer]
        for step in steps:
            names = _names_after(step, names)
        outputs += names
    return tuple(outputs)


def _names_after(step: object, names: list[str]) -> list[str]:
    """Return the source feature of each column that a fitted step makes of columns of `names`."""
    if isinstance(step, SimpleImputer):
        empty = pd.isna(step.statistics_) & (not step.keep_empty_features)
        flags = step.indicator_.features_ if step.indicator_ is not None else ()
        kept = [name for name, is_empty in zip(names, empty, strict=True) if not is_empty]
        return kept + [names[place] for place in flags]
    if isinstance(step, TargetEncoder) and step.target_type_ == "multiclass":
        return [name for name in names for _ in step.classes_]
    if isinstance(step, WordScore):
        return names * step.width
    if isinstance(step, Words):
        return names * len(step.vocabulary_)
    if not isinstance(step, OneHotEncoder):
        return names
    # infrequent_categories_ exists only where the encoder was told to group rare levels
    rare = getattr(step, "infrequent_categories_", [None] * len(names))
    widths = (
        len(levels) - (0 if few is None else len(few) - 1)
        for levels, few in zip(step.categories_, rare, strict=True)
    )
    return [name for name, width in zip(names, widths, strict=True) for _ in range(width)]
