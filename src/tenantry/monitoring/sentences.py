"""What a judgement says in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tenantry.figures import TITLES, figure
from tenantry.monitoring.judgements import OF_THE_FEED, Quality, Shift
from tenantry.monitoring.memory import Feed, Memory
from tenantry.monitoring.past import MIN_WINDOWS
from tenantry.monitoring.streams import QUALITY, find_bars
from tenantry.specs.model import Spec
from tenantry.times import format_duration, format_moment

_TOLD = 3
"""Streams that a sentence names."""


def say_quality(spec: Spec, quality: Quality, *, decayed: bool) -> str:
    """Say how good the predictions were, beside the promise."""
    name = TITLES[quality.metric]
    interval = f"{figure(quality.low)} to {figure(quality.high)}"
    measured = f"{name} {figure(quality.realised)} ({interval})"
    one_class = quality.auc is None and spec.label.task == "classification"
    note = " All labels are of one class, so there is no AUC." if one_class else ""
    if quality.coverage is not None:
        note = f" The intervals held {quality.coverage:.0%} of the labels.{note}"
    if quality.promised is None:
        return f"Realised {measured}; the model's card promises no {name}.{note}"
    against = f"{measured} against the promised {figure(quality.promised)}"
    if decayed:
        bar = float(find_bars((QUALITY,), spec.monitor.false_alarms)[0])
        proof = f"evidence {quality.evidence:,.0f}, {bar:,.0f} is enough"
        return f"Decayed: {against} ({proof}).{note}"
    if quality.realised > quality.promised + spec.monitor.tolerance:
        return f"Not clearly worse than promised: {against}.{note}"
    return f"As promised: {against}.{note}"


@dataclass(frozen=True)
class Counts:
    """Rows of a window.

    Attributes:
        rows: All.
        labelled: Those with a label and a usable prediction.
        predicted: Those with a usable prediction.
    """

    rows: int
    labelled: int
    predicted: int


def say_too_small(spec: Spec, counts: Counts) -> str:
    """Say why the quality cannot be measured."""
    rows, labelled, needed = counts.rows, counts.labelled, spec.monitor.min_rows
    if not counts.predicted:
        return f"None of the {rows:,} rows has a usable prediction, so quality cannot be measured."
    if not labelled:
        return f"None of the {rows:,} rows has a label, so quality cannot be measured."
    if labelled >= needed:
        return f"All {labelled:,} labelled rows fall into one hour, so nothing is known of spread."
    return f"{labelled:,} labelled rows of {rows:,}, {needed:,} are needed to judge quality."


def say_expected(
    metric: str, quality: Quality | None, expected: float | None, memory: Memory
) -> str:
    """Say what the probabilities promise where no label does, and how far off that was before."""
    if quality is not None or expected is None:
        return ""
    said = f"By its own probabilities a {TITLES[metric]} of {figure(expected)} is expected"
    if not memory.windows:
        return f"{said}."
    times = f"{memory.windows} {'window' if memory.windows == 1 else 'windows'}"
    way = "worse" if memory.surprise > 0 else "better"
    return f"{said}; over {times} it was {figure(abs(memory.surprise))} {way} than that."


def say_shifts(drift: Sequence[Shift], past: int) -> str:
    """Say which streams drifted, and whether drift could be judged at all.

    Args:
        drift: All streams, the form among them.
        past: How many whole past windows are known.
    """
    judged = [one for one in drift if one.p_value is not None]
    learnt = [one for one in judged if one.kind not in OF_THE_FEED]
    unjudged = ""
    if not learnt and past < MIN_WINDOWS:
        unjudged = (
            f"Drift is not judged: {past} whole past windows are known, {MIN_WINDOWS} needed."
        )
    worst = sorted((one for one in judged if one.drifted), key=lambda one: -(one.effect or 0))
    if not worst:
        is_quiet = learnt and not any(one.drifted for one in drift)
        return "Nothing drifted." if is_quiet else unjudged
    names = ", ".join(f"{one.name} by {one.effect:.2f}" for one in worst[:_TOLD])
    more = f" and {len(worst) - _TOLD} more" if len(worst) > _TOLD else ""
    said = f"Drifted: {names}{more}, of {len(judged)} that are watched."
    return f"{said} {unjudged}".strip()


def say_age(spec: Spec, trained_until: datetime, as_of: datetime, past: int) -> str:
    """Say that drift is not judged since the model is old; empty when that is not why.

    Rows are read as far back as a training needs them, so of a model that was trained long ago
    (rolled back to, pinned, kept) most of what it learnt on is not read any more.

    Args:
        spec: The tenant's spec.
        trained_until: The end of the span that the model learnt on.
        as_of: When it is judged.
        past: How many whole past windows are known.
    """
    read = spec.train.history - (as_of - trained_until)
    if past >= MIN_WINDOWS or read > MIN_WINDOWS * spec.predict.window:
        return ""
    history = format_duration(spec.train.history)
    until = format_moment(trained_until)
    return f"The model learnt until {until}; rows are read {history} back (train.history)."


def say_changes(feed: Feed) -> str:
    """Say how the form of the rows changed, and which part of the contract they break."""
    if not feed.changes:
        return ""
    more = len(feed.changes) - _TOLD
    also = f", and {more} more" if more > 0 else ""
    return f"Their form changed: {', '.join(feed.changes[:_TOLD])}{also}."
