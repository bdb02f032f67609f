"""Choosing a recipe by time-ordered validation, in favour of the one that the spec prefers."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tenantry.bootstrap import standard_error
from tenantry.errors import TrainingError
from tenantry.figures import TITLES
from tenantry.metrics import Floats, all_scores, from_mean, row_losses
from tenantry.specs.learning import Model
from tenantry.training.candidates import has_one_class
from tenantry.training.folds import Spans, happened_in
from tenantry.training.lessons import Lessons

MIN_ROWS = 30
"""Labelled validation rows below which nothing is compared: the preferred recipe stands."""


@dataclass(frozen=True)
class Selection:
    """Which recipe was chosen, and on what evidence.

    Attributes:
        recipe: Its name.
        sentence: Why, in words.
        scores: Candidate → metric → value on the validation span.
        refused: Candidate → why it could not be fitted.
        rows: Validation rows.
        predicted: What the chosen one predicted there, with the labels and the local days; None
            without validation.
    """

    recipe: str
    sentence: str
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    predicted: tuple[Floats, Floats, NDArray[np.int64]] | None = None


def select_recipe(lessons: Lessons, spans: Spans) -> Selection:
    """Choose among the spec's candidates, in its order of preference.

    Each is fitted on what was known at the start of the validation span and compared on that span,
    with labels known at its end; the holdout is never touched. A later candidate replaces an
    earlier one only if its mean loss is lower by more than `model.margin` standard errors of the
    paired difference, clustered by local day (the standard-error rule of Breiman et al., 1984, with
    the order of preference in the place of complexity; why two and not one: `docs/models.md`). One
    that is preferred to all that could be compared, and can be fitted only now, stands as well.

    Args:
        lessons: The tenant's rows.
        spans: Where validation and holdout lie.

    Raises:
        TrainingError: No candidate can be fitted, even on all that is known; says why for each.
    """
    spec = lessons.spec
    rows = happened_in(lessons.table, spans.validation, spans.holdout) & lessons.known(
        spans.holdout
    )
    label = lessons.label[rows]
    if len(label) < MIN_ROWS or has_one_class(label, spec.label.task):
        return _preferred(lessons, spans, f"{len(label):,} rows to compare candidates on")
    predictions, refused = _predictions(lessons, spans, rows)
    if not predictions:
        return _preferred(lessons, spans, "no candidate could be fitted before the validation span")
    missed = _preferred_but_missed(lessons, spans, tuple(predictions))
    if missed:
        reason = "it could not be fitted before the validation span, which so says nothing of it"
        return Selection(missed, f"{missed}, the first choice: {reason}", refused=refused)
    losses = {name: row_losses(spec.model.metric, label, p) for name, p in predictions.items()}
    days = lessons.days[rows]
    chosen = _best(losses, days, spec.model.margin)
    metric = spec.model.metric
    means = {name: float(from_mean(metric, loss.mean())) for name, loss in losses.items()}
    return Selection(
        recipe=chosen,
        sentence=_sentence(chosen, means, spec.model, len(label)),
        scores={name: all_scores(metric, label, p) for name, p in predictions.items()},
        refused=refused,
        rows=len(label),
        predicted=(predictions[chosen], label, days),
    )


def _predictions(
    lessons: Lessons, spans: Spans, rows: NDArray[np.bool_]
) -> tuple[dict[str, Floats], dict[str, str]]:
    predictions, refused = {}, {}
    for name in lessons.spec.model.candidates:
        try:
            model = lessons.fit(name, spans.validation)
        except TrainingError as error:
            refused[name] = str(error)
        else:
            predictions[name] = lessons.predict(model, rows)
    return predictions, refused


def _preferred_but_missed(lessons: Lessons, spans: Spans, compared: tuple[str, ...]) -> str:
    """Return the candidate that is preferred to all compared ones and can be fitted only now.

    A tenant that is younger than the validation span had no rows of its own before it: recipes that
    need some would lose to those that do not, without having been worse. Empty when there is none.
    """
    for name in lessons.spec.model.candidates:
        if name == compared[0]:
            break
        with suppress(TrainingError):
            lessons.fit(name, spans.as_of)
            return name
    return ""


def _best(losses: Mapping[str, Floats], days: NDArray[np.int64], margin: float) -> str:
    best, *later = losses
    for name in later:
        gains = losses[best] - losses[name]
        if gains.mean() > margin * standard_error(gains, days):
            best = name
    return best


def _preferred(lessons: Lessons, spans: Spans, reason: str) -> Selection:
    """Choose the first candidate that all that is known allows."""
    refused = {}
    for name in lessons.spec.model.candidates:
        try:
            lessons.fit(name, spans.as_of)
        except TrainingError as error:
            refused[name] = str(error)
        else:
            sentence = f"{name}, the first choice that can be fitted: {reason}"
            return Selection(name, sentence, refused=refused)
    faults = "; ".join(f"{name}: {why}" for name, why in refused.items())
    msg = f"no candidate can be fitted ({faults}); allow more candidates or wait for more rows"
    raise TrainingError(msg)


def _sentence(chosen: str, means: Mapping[str, float], model: Model, rows: int) -> str:
    said = f"{chosen}: {TITLES[model.metric]} {means[chosen]:.4f} on {rows:,} later rows"
    if len(means) == 1:
        return said
    errors = "standard error" if model.margin == 1 else "standard errors"
    bar = f" by {model.margin:g} {errors}" if model.margin else ""
    order = ", ".join(f"{name} {mean:.4f}" for name, mean in means.items())
    return f"{said}; by preference {order}, where a later one must be better{bar}"
