"""Judge one window: what its quality and its shifts mean, and what is asked for."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from tenantry.columns import LABEL
from tenantry.evaluations import predictions_in
from tenantry.monitoring.expected import expect_quality
from tenantry.monitoring.history import JudgementStatus, Reaction
from tenantry.monitoring.judgements import OF_THE_FEED, Judgement, Quality, Shift
from tenantry.monitoring.measure import Evidence, measure_quality, read_numbers
from tenantry.monitoring.memory import Memory
from tenantry.monitoring.sentences import (
    Counts,
    say_age,
    say_changes,
    say_expected,
    say_quality,
    say_shifts,
    say_too_small,
)
from tenantry.monitoring.shifts import measure_feed, measure_shifts
from tenantry.monitoring.streams import PREDICTION
from tenantry.predictions import Receipt
from tenantry.specs.model import Spec
from tenantry.times import Window, format_duration, format_moment

_WORDS: dict[Reaction, str] = {
    "retrain": "It is to be trained again",
    "rollback": "It is to be rolled back",
    "tell": "It is told, nothing is done",
}

_COVERS: dict[Reaction, tuple[Reaction, ...]] = {
    "retrain": ("retrain", "rollback"),
    "rollback": ("retrain", "rollback"),
    "tell": ("retrain", "rollback", "tell"),
}
"""Having asked for one of these makes asking again needless for a while."""


def judge_unseen(
    spec: Spec, as_of: datetime, window: Window, receipt: Receipt | None, memory: Memory
) -> Judgement:
    """Say why a window without evidence cannot be judged.

    Args:
        spec: The tenant's spec.
        as_of: When it is judged.
        window: Which one.
        receipt: The receipt of in-sample predictions; None when there is none.
        memory: What the judgement of the window before left; it is passed on.
    """
    status: JudgementStatus = "in_sample" if receipt else "not_predicted"
    sentence = (
        "The model had seen these days in training, so they prove nothing."
        if receipt
        else "Nothing was predicted here, so there is nothing to judge; it stays due."
    )
    return Judgement(
        product=spec.product,
        tenant=spec.tenant,
        window=window.id,
        as_of=as_of,
        model=receipt.model if receipt else "",
        status=status,
        sentence=sentence,
        rows=receipt.rows if receipt else 0,
        memory=memory,
    )


def judge_window(spec: Spec, as_of: datetime, evidence: Evidence, memory: Memory) -> Judgement:
    """Judge a window by its evidence; never raises for what the rows hold.

    Args:
        spec: The tenant's spec.
        as_of: When it is judged.
        evidence: What it is judged by.
        memory: What the judgement of the window before left.
    """
    evidence = replace(evidence, rows=read_numbers(evidence.rows))
    receipt, rows = evidence.receipt, evidence.rows
    memory = memory.of(receipt.model)
    before = memory
    labelled = rows[rows[LABEL].notna() & np.isfinite(rows[PREDICTION])]
    quality, decayed, memory = measure_quality(spec, labelled, evidence.promised, memory)
    shifts, memory = measure_shifts(spec, evidence, memory)
    form, feed, memory = measure_feed(spec, evidence, shifts, memory)
    drift = (*shifts, form)
    past = len(evidence.reference.volumes)
    sure = rows[np.isfinite(rows[PREDICTION])]
    expected = expect_quality(spec.model.metric, predictions_in(sure, PREDICTION))
    drifted = any(one.drifted for one in drift)
    counts = Counts(len(rows), len(labelled), len(sure))
    has_labels = bool(rows[LABEL].notna().any())
    status = _status(
        quality, decayed=decayed, drifted=drifted, has_rows=len(rows) > 0, has_labels=has_labels
    )
    action, words = _react(spec, status, drift, evidence, memory)
    said = (
        _say(spec, quality, decayed=decayed, counts=counts),
        say_expected(spec.model.metric, quality, expected, before),
        say_shifts(drift, past),
        say_age(spec, receipt.trained_until, as_of, past),
        say_changes(feed),
        words,
    )
    return Judgement(
        product=spec.product,
        tenant=spec.tenant,
        window=receipt.window,
        as_of=as_of,
        model=receipt.model,
        status=status,
        sentence=" ".join(part for part in said if part),
        action=action,
        rows=len(rows),
        labelled=len(labelled),
        quality=quality,
        expected=expected,
        drift=drift,
        feed=feed,
        memory=_remember(memory, receipt.span, action, quality, expected),
    )


def _status(
    quality: Quality | None, *, decayed: bool, drifted: bool, has_rows: bool, has_labels: bool
) -> JudgementStatus:
    if decayed:
        return "decayed"
    if drifted:
        return "drifted"
    if not has_rows:
        return "no_rows"
    if quality is None:
        return "too_small" if has_labels else "no_labels"
    return "ok" if quality.promised is not None else "no_promise"


def _react(
    spec: Spec,
    status: JudgementStatus,
    drift: Sequence[Shift],
    evidence: Evidence,
    memory: Memory,
) -> tuple[Reaction, str]:
    """Return what is asked for by the spec's policy, and why in a sentence."""
    rules = spec.monitor
    if status not in ("decayed", "drifted"):
        return "none", ""
    name: str
    action: Reaction
    name, action = "on_decay", rules.on_decay
    if status == "drifted":
        name, action = "on_drift", rules.on_drift
        if all(one.kind in OF_THE_FEED for one in drift if one.drifted):
            action = "tell"
    if evidence.overtaken:
        return "none", evidence.overtaken
    start = evidence.receipt.span.start
    asked = [when for one, when in memory.asked.items() if one in _COVERS[action]]
    if asked and max(asked) <= start < max(asked) + rules.pause:
        since = f"it was in the window from {format_moment(max(asked))}"
        return (
            "none",
            f"Not asked for again: {since} (monitor.pause: {format_duration(rules.pause)}).",
        )
    if action != getattr(rules, name):
        return action, f"{_WORDS[action]}: a feed is mended, not learnt from."
    return action, f"{_WORDS[action]} (monitor.{name}: {action})."


def _remember(
    memory: Memory,
    window: Window,
    action: Reaction,
    quality: Quality | None,
    expected: float | None,
) -> Memory:
    asked = memory.asked if action == "none" else memory.asked | {action: window.start}
    memory = memory.model_copy(update={"asked": asked})
    if quality is None or expected is None:
        return memory
    windows = memory.windows + 1
    off = quality.realised - expected
    surprise = memory.surprise + (off - memory.surprise) / windows
    return memory.model_copy(update={"windows": windows, "surprise": surprise})


def _say(spec: Spec, quality: Quality | None, *, decayed: bool, counts: Counts) -> str:
    if not counts.rows:
        return "No row was predicted in this window."
    if quality is None:
        return say_too_small(spec, counts)
    partly = ""
    if counts.labelled < counts.rows:
        partly = f" {counts.labelled:,} of the {counts.rows:,} rows have a label."
    return say_quality(spec, quality, decayed=decayed) + partly
