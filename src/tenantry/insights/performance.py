"""How good a tenant's predictions were, against saying the mean outcome each time."""

import numpy as np
import pandas as pd

from tenantry.columns import EVENT_TIME, LABEL
from tenantry.evaluations import predictions_in
from tenantry.insights.ratios import Floats, measure_ratios, number_days, sum_by_day
from tenantry.insights.record import Performance
from tenantry.insights.segments import estimate, estimate_share
from tenantry.metrics import measure, roc_auc
from tenantry.monitoring.streams import PREDICTION
from tenantry.predictions import HIGH, LOW
from tenantry.specs.model import Spec


def measure_performance(rows: pd.DataFrame, spec: Spec) -> Performance:
    """Measure how good predictions were.

    Args:
        rows: The rows whose outcome is known, at least one: `event_time`, `label`, predictions.
        spec: The tenant's spec: metric and task.
    """
    label = rows[LABEL].to_numpy(dtype=np.float64)
    predicted = predictions_in(rows, PREDICTION)
    metric, task = spec.model.metric, spec.label.task
    realised = measure(metric, label, predicted)
    baseline = measure(metric, label, _say_the_mean(label, predicted))
    was, said = label, predicted
    if predicted.ndim == 2:
        was, said = (predicted.argmax(axis=1) == label).astype(np.float64), predicted.max(axis=1)
    day = number_days(rows[EVENT_TIME])
    daily = sum_by_day(np.ones(len(rows)), day)
    outcome = measure_ratios(sum_by_day(was, day), daily)
    return Performance(
        rows=len(rows),
        days=len(daily),
        metric=metric,
        realised=realised,
        baseline=baseline,
        skill=1 - realised / baseline if baseline else None,
        auc=roc_auc(label, predicted) if task == "classification" else None,
        mean_prediction=float(said.mean()),
        outcome=estimate(outcome, 0)
        if task == "regression"
        else estimate_share(outcome, 0, daily.sum(axis=0)),
        coverage=_coverage(rows),
    )


def _say_the_mean(label: Floats, predicted: Floats) -> Floats:
    """Return what somebody says who knows no more than the outcomes' mean, or classes' shares."""
    if predicted.ndim == 1:
        return np.full(len(label), label.mean())
    shares = np.bincount(label.astype(np.int64), minlength=predicted.shape[1]) / len(label)
    return np.tile(shares, (len(label), 1))


def _coverage(rows: pd.DataFrame) -> float | None:
    if LOW not in rows:
        return None
    told = rows[rows[LOW].notna()]
    within = (told[LABEL] >= told[LOW]) & (told[LABEL] <= told[HIGH])
    return float(within.mean()) if len(told) else None
