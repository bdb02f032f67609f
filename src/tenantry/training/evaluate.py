"""What a challenger is worth: its recipe, fitted before the holdout, on the holdout."""

from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd

from tenantry.bootstrap import Gain
from tenantry.columns import EVENT_TIME, LABEL, RESERVED
from tenantry.errors import TrainingError
from tenantry.evaluations import CHALLENGER, POOLED, PRIOR, as_columns, predictions_in
from tenantry.floors import Sliced, compare_slices
from tenantry.metrics import Floats, all_scores, measure
from tenantry.models.card import Slice
from tenantry.slices import Slices, card_slices
from tenantry.specs.model import Spec
from tenantry.training.calibrate import Line, calibrated
from tenantry.training.folds import Spans, local_days
from tenantry.training.lessons import Lessons

_SLICE_ROWS = 30
"""Labelled rows below which a slice has no figures."""


def evaluate(lessons: Lessons, recipe: str, line: Line | None, spans: Spans) -> pd.DataFrame:
    """Predict the holdout by what could be fitted before it.

    Args:
        lessons: The tenant's rows.
        recipe: The chosen candidate.
        line: Its calibration, from the validation span.
        spans: Where the holdout lies.

    Returns:
        The labelled rows of [holdout, as_of): key, reserved columns, and `challenger`, `pooled`,
        `prior`; NaN where there was no such model yet.
    """
    spec, rows = lessons.spec, lessons.held_out(spans)
    columns: dict[str, Any] = {
        name: lessons.table[name].array[rows] for name in (*spec.key, *RESERVED)
    }
    number = int(rows.sum())
    for column, name in ((CHALLENGER, recipe), (POOLED, POOLED), (PRIOR, PRIOR)):
        shape = (number, len(spec.classes)) if spec.classes else (number,)
        predicted = np.full(shape, np.nan)
        with suppress(TrainingError):
            model = lessons.fit(name, spans.holdout)
            chosen = calibrated(model, line) if column == CHALLENGER else model
            predicted = lessons.predict(chosen, rows)
        columns |= as_columns(column, predicted)
    return pd.DataFrame(columns)


def holdout_scores(evaluation: pd.DataFrame, metric: str) -> dict[str, dict[str, float]]:
    """Return the metrics of each model that predicted the holdout."""
    label = evaluation[LABEL].to_numpy(dtype="float64")
    scores = {}
    for name in (CHALLENGER, POOLED, PRIOR):
        predicted = predictions_in(evaluation, name)
        if len(label) and np.isfinite(predicted).all():
            scores[name] = all_scores(metric, label, predicted)
    return scores


def slices(evaluation: pd.DataFrame, lessons: Lessons, spans: Spans) -> tuple[Slice, ...]:
    """Return the challenger's quality by category, hour band and month of the holdout.

    Slices with too few rows to say anything are there, too, without figures.

    Args:
        evaluation: What `evaluate` returned.
        lessons: The tenant's rows.
        spans: Where the holdout lies.
    """
    challenger, pooled = (predictions_in(evaluation, name) for name in (CHALLENGER, POOLED))
    if not len(evaluation) or np.isnan(challenger).any():
        return ()
    found, spec = [], lessons.spec
    held_out = lessons.own_frame[lessons.held_out(spans)]
    divided = card_slices(held_out, evaluation[EVENT_TIME], spec)
    gains = _gains_over_pooled(evaluation, divided, spec)
    label = evaluation[LABEL].to_numpy(dtype="float64")
    for feature, values in divided.items():
        which, named = pd.factorize(values, sort=True)
        for number, value in enumerate(named):
            places = np.flatnonzero(which == number)
            scores = _slice_scores(
                label[places], challenger[places], pooled[places], spec.model.metric
            )
            gain = gains.get((feature, value))
            bounds = {"gain_low": gain.low, "gain_high": gain.high} if gain else {}
            found.append(Slice(feature=feature, value=value, rows=len(places), **scores, **bounds))
    return tuple(found)


def _gains_over_pooled(
    evaluation: pd.DataFrame, divided: Slices, spec: Spec
) -> dict[tuple[str, str], Gain]:
    """Return the gain over the pooled model by feature and value, where there is evidence."""
    challenger, pooled = (predictions_in(evaluation, name) for name in (CHALLENGER, POOLED))
    if not np.isfinite(pooled).all() or (challenger == pooled).all():
        return {}
    rows = Sliced(
        label=evaluation[LABEL].to_numpy(dtype="float64"),
        day=local_days(evaluation[EVENT_TIME], spec.timezone),
        slices={name: values.to_numpy(dtype=np.str_) for name, values in divided.items()},
    )
    found = compare_slices(rows, challenger, pooled, gate=spec.gate, metric=spec.model.metric)
    return {(one.feature, one.value): one.gain for one in found}


def _slice_scores(label: Floats, challenger: Floats, pooled: Floats, metric: str) -> dict[str, Any]:
    """Return the metrics of a slice; nothing of one with too few rows."""
    if len(label) < _SLICE_ROWS:
        return {}
    is_there = np.isfinite(pooled).all()
    return {
        "metrics": all_scores(metric, label, challenger),
        "pooled": measure(metric, label, pooled) if is_there else None,
    }
