"""Training a tenant's challenger: choose, judge on the holdout, fit on all that is known."""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from tenantry.columns import EVENT_TIME
from tenantry.errors import TrainingError
from tenantry.metrics import Floats
from tenantry.models.card import Slice
from tenantry.models.fitted import FittedModel
from tenantry.training.calibrate import Line, calibrated, fit_line, is_of_help
from tenantry.training.candidates import has_one_class
from tenantry.training.evaluate import evaluate, holdout_scores, slices
from tenantry.training.folds import Spans
from tenantry.training.lessons import Lessons
from tenantry.training.pipelines import has_value
from tenantry.training.select import Selection, select_recipe


@dataclass(frozen=True)
class Trained:
    """A tenant's challenger and how it came about.

    Attributes:
        model: What is shipped, fitted on all that was known at `as_of`.
        selection: Why this recipe.
        fell_back: Whether it is less than the tenant's own candidates, for want of rows.
        rows: Labelled rows known at `as_of`.
        positives: How many have the label 1; None for regression.
        span: The first and the last event among them; None without rows.
        dropped: Own features that never had a value.
        evaluation: Predictions of the holdout by models that saw nothing of it.
        holdout: Their metrics.
        slices: The challenger's metrics on parts of the holdout.
    """

    model: FittedModel
    selection: Selection
    fell_back: bool
    rows: int
    positives: int | None
    span: tuple[datetime, datetime] | None
    dropped: tuple[str, ...]
    evaluation: pd.DataFrame
    holdout: dict[str, dict[str, float]]
    slices: tuple[Slice, ...]


def train_tenant(lessons: Lessons, as_of: datetime) -> Trained:
    """Train a tenant's challenger.

    With fewer labelled rows than `model.min_rows` the tenant gets the pooled model, adapted to
    them; with labels that are all the same the pooled model as it is. Where there is none that it
    may have, it gets its own base rate.

    Args:
        lessons: The tenant's rows, as known at `as_of`.
        as_of: The run's logical time.

    Raises:
        TrainingError: Nothing can be fitted: no label, and no pooled model.
    """
    spec, spans = lessons.spec, Spans.of(lessons.spec, as_of)
    known = lessons.known(as_of)
    label = lessons.label[known]
    reason = _too_little(label, lessons)
    selection = (
        _fallback(lessons, as_of, label, reason) if reason else select_recipe(lessons, spans)
    )
    line = _calibration(selection, lessons)
    model = calibrated(lessons.fit(selection.recipe, as_of), line)
    evaluation = evaluate(lessons, selection.recipe, line, spans)
    features = has_value(lessons.until(as_of).frame)
    events = lessons.table[EVENT_TIME][known]
    return Trained(
        model=model,
        selection=selection,
        fell_back=bool(reason),
        rows=len(label),
        positives=int(label.sum()) if spec.label.task == "classification" else None,
        span=(events.min().to_pydatetime(), events.max().to_pydatetime()) if len(events) else None,
        dropped=tuple(name for name, is_there in features.items() if not is_there),
        evaluation=evaluation,
        holdout=holdout_scores(evaluation, spec.model.metric),
        slices=slices(evaluation, lessons, spans),
    )


def _too_little(label: Floats, lessons: Lessons) -> str:
    """Return why the tenant's rows cannot train a model of its own; empty when they can."""
    spec = lessons.spec
    if len(label) < spec.model.min_rows:
        return f"{len(label):,} labelled rows, {spec.model.min_rows:,} needed (model.min_rows)"
    if has_one_class(label, spec.label.task):
        return f"all {len(label):,} labels are the same"
    return ""


def _fallback(lessons: Lessons, as_of: datetime, label: Floats, reason: str) -> Selection:
    offers = {"adapted": "the pooled model, adapted", "pooled": "the pooled model"}
    if not 0 < len(label) < lessons.spec.model.min_rows:
        del offers["adapted"]  # many labels that are all the same may be a fault of theirs
    for name, said in offers.items():
        try:
            lessons.fit(name, as_of)
        except TrainingError:
            continue
        return Selection(name, f"{said}: {reason}")
    if not len(label):
        msg = f"{reason}, and no pooled model; allow pooling.receive or wait for labels"
        raise TrainingError(msg)
    return Selection("prior", f"the base rate, since there is no pooled model: {reason}")


def _calibration(selection: Selection, lessons: Lessons) -> Line | None:
    rules = lessons.spec.model
    if rules.calibration == "none" or selection.predicted is None:
        return None
    predicted, label, days = selection.predicted
    if rules.calibration == "auto" and not is_of_help(
        predicted, label, days, metric=rules.metric, margin=rules.margin
    ):
        return None
    return fit_line(predicted, label)
