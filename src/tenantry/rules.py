"""From predictions to decisions and intervals: what the spec asks for, settled for one model.

A model's holdout, predicted by its recipe as fitted before it (``evaluation.parquet``), says how
its scores and errors are distributed on rows that it has not seen.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tenantry import layout
from tenantry.columns import LABEL
from tenantry.evaluations import CHALLENGER, predictions_in
from tenantry.metrics import Floats
from tenantry.models.card import Task
from tenantry.parquet import from_parquet
from tenantry.predictions import Interval
from tenantry.records import Record
from tenantry.specs.model import Spec
from tenantry.specs.operation import Costs, TargetRate, Threshold
from tenantry.store.contract import ObjectStore

if TYPE_CHECKING:
    import pandas as pd

MIN_ROWS = 30
"""Scored rows of the holdout below which a share of them says little."""


class Rules(Record):
    """What a model's predictions are turned into.

    Attributes:
        threshold: The probability from which the decision is yes, or the most probable class; None
            for regression.
        interval: Of a regression whose spec asks for one; None where the holdout is too small.
    """

    threshold: float | None = None
    interval: Interval | None = None


def settle_rules(spec: Spec, evaluation: pd.DataFrame | None) -> Rules:
    """Settle what a spec asks for, for the model of an evaluation.

    Args:
        spec: The tenant's spec.
        evaluation: The holdout's labelled rows as `train` left them; None without one.
    """
    return settle(
        spec.label.task, spec.predict.threshold, spec.predict.interval, evaluation=evaluation
    )


def settle(
    task: Task,
    threshold: Threshold,
    interval: float | None,
    *,
    evaluation: pd.DataFrame | None,
) -> Rules:
    """Settle rules for the model of an evaluation.

    Args:
        task: What it predicts.
        threshold: What its threshold follows from.
        interval: The share of labels that an interval is to hold; None for no interval.
        evaluation: See `settle_rules`.
    """
    scores = np.zeros(0) if evaluation is None else predictions_in(evaluation, CHALLENGER)
    if scores.ndim == 2:
        scores = scores.max(axis=1)
    if task != "regression":
        return Rules(threshold=_threshold(threshold, scores))
    if interval is None:
        return Rules()
    if evaluation is None:
        return Rules(interval=conformal_interval(scores, interval))
    residuals = evaluation[LABEL].to_numpy(dtype=np.float64) - scores
    return Rules(interval=conformal_interval(residuals, interval))


def needs_evaluation(spec: Spec) -> bool:
    """Whether a spec's rules depend on the model's holdout."""
    return rests_on_evaluation(spec.predict.threshold, spec.predict.interval)


def rests_on_evaluation(threshold: Threshold, interval: float | None) -> bool:
    """Whether a threshold or an interval depends on the model's holdout."""
    return isinstance(threshold, TargetRate) or interval is not None


def read_rules(store: ObjectStore, spec: Spec, version: str) -> Rules:
    """Settle the rules of a model in the store; its holdout is read only where they need it.

    Raises:
        ObjectMissingError: The model's evaluation is gone.
    """
    if not needs_evaluation(spec):
        return settle_rules(spec, None)
    return settle_rules(spec, read_evaluation(store, spec.product, spec.tenant, version))


def read_evaluation(store: ObjectStore, product: str, tenant: str, version: str) -> pd.DataFrame:
    """Read the holdout of a model's training, with its predictions.

    Raises:
        ObjectMissingError: It is gone.
    """
    folder = layout.model_folder(product, tenant, version)
    return from_parquet(store.get(f"{folder}evaluation.parquet").content)


def _threshold(rule: float | Costs | TargetRate, scores: Floats) -> float:
    """Return the threshold of a rule, given what was said of the holdout; NaN are left out."""
    if isinstance(rule, Costs):
        return rule.threshold
    if isinstance(rule, TargetRate):
        known = scores[np.isfinite(scores)]
        if len(known) < MIN_ROWS:
            return rule.otherwise
        return float(np.quantile(known, 1 - rule.target_rate, method="higher"))
    return rule


def conformal_interval(residuals: Floats, level: float) -> Interval | None:
    """Return the interval that holds a new label with probability `level`, at least.

    Split conformal prediction on signed residuals, half of the rest on either side, so that an
    error that is skewed, as delays are, gets a skewed interval (Vovk et al., 2005; Linusson et
    al., 2014, "Signed-error conformal regression"). It holds for rows that are exchangeable with
    those of the residuals: not when the world has moved on.

    Args:
        residuals: Label less prediction on rows that the model has not seen; NaN are left out.
        level: Between 0 and 1.

    Returns:
        The interval; None when so few residuals bound nothing at that level.
    """
    known = np.sort(residuals[np.isfinite(residuals)])
    rows = len(known)
    place = math.floor((rows + 1) * (1 - level) / 2 + 1e-9)  # 1 is the smallest residual
    if place < 1:
        return None
    return Interval(level=level, low=known[place - 1], high=known[rows - place], rows=rows)
