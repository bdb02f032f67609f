"""Judge one window: quality, drift, and what both mean, in one sentence."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from tenantry.columns import EVENT_TIME, LABEL
from tenantry.figures import TITLES, figure
from tenantry.monitoring.decay import is_decayed, measure_quality
from tenantry.monitoring.drift import Reference, make_profile, measure_drift
from tenantry.monitoring.judgements import FeatureDrift, Judgement, JudgementStatus, Quality
from tenantry.predictions import Receipt
from tenantry.specs.model import Spec
from tenantry.times import Window
from tenantry.training.evaluate import predictions_in

LOW, HIGH = "low", "high"
"""The ends of a prediction's interval; only where the spec asked for one."""

PREDICTION = "prediction"
"""The column that holds what was predicted: a probability, or a value; of several classes that of
the most probable one, and there is a column ``prediction[0]``, … a class beside it."""

_REVOKED = " The model was rolled back since."


@dataclass(frozen=True)
class Evidence:
    """All that a window is judged by.

    Attributes:
        receipt: The predictions' receipt, out of sample.
        rows: The predicted rows: event time, `prediction`, label and features; the label is NaN
            where it is not known, features are NaN where the row is gone from the source.
        reference: What the model learnt on.
        promised: The score on the model's card, in the spec's metric.
        is_revoked: Whether the model was rolled back since: nothing then follows from how good it
            was.
    """

    receipt: Receipt
    rows: pd.DataFrame
    reference: Reference
    promised: float | None
    is_revoked: bool = False


def judge_unseen(spec: Spec, as_of: datetime, window: Window, receipt: Receipt | None) -> Judgement:
    """Say why a window without evidence cannot be judged.

    Args:
        spec: The tenant's spec.
        as_of: When it is judged.
        window: Which one.
        receipt: The receipt of in-sample predictions; None when there is none.
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
    )


def judge_window(spec: Spec, as_of: datetime, evidence: Evidence) -> Judgement:
    """Judge a window by its evidence; never raises for what the rows hold."""
    receipt, rows = evidence.receipt, evidence.rows
    labelled = rows[rows[LABEL].notna() & np.isfinite(rows[PREDICTION])]
    quality = _quality(spec, labelled, evidence.promised)
    drift = _drift(spec, evidence)
    status = _status(spec, quality, drift, rows=len(rows), labelled=len(labelled))
    sentence = _sentence(spec, quality, drift, rows=len(rows), labelled=len(labelled))
    asks = status in ("decayed", "drifted") and not evidence.is_revoked
    return Judgement(
        product=spec.product,
        tenant=spec.tenant,
        window=receipt.window,
        as_of=as_of,
        model=receipt.model,
        status=status,
        sentence=sentence + (_REVOKED if evidence.is_revoked else ""),
        action=spec.monitor.on_decay if asks else "none",
        rows=len(rows),
        labelled=len(labelled),
        quality=quality,
        drift=drift,
    )


def _quality(spec: Spec, labelled: pd.DataFrame, promised: float | None) -> Quality | None:
    if len(labelled) < spec.monitor.min_rows:
        return None
    quality = measure_quality(
        predictions_in(labelled, PREDICTION),
        labelled[LABEL].to_numpy(dtype=np.float64),
        labelled[EVENT_TIME].dt.tz_localize(None).to_numpy(),
        metric=spec.model.metric,
        confidence=spec.monitor.confidence,
        promised=promised,
    )
    covered = _coverage(labelled)
    if quality is None or covered is None:
        return quality
    return quality.model_copy(update={"coverage": covered})


def _coverage(labelled: pd.DataFrame) -> float | None:
    """Return the share of labels within the predictions' intervals; None without any."""
    if LOW not in labelled:
        return None
    rows = labelled[labelled[LOW].notna()]
    within = (rows[LABEL] >= rows[LOW]) & (rows[LABEL] <= rows[HIGH])
    return float(within.mean()) if len(rows) else None


def _drift(spec: Spec, evidence: Evidence) -> tuple[FeatureDrift, ...]:
    if min(len(evidence.rows), evidence.reference.profile.rows) < spec.monitor.min_rows:
        return ()
    current = make_profile(evidence.rows, spec.features)
    threshold = spec.monitor.drift_threshold
    return measure_drift(evidence.reference, current, spec.features, threshold)


def _has_drifted(spec: Spec, drift: tuple[FeatureDrift, ...]) -> bool:
    judged = [one for one in drift if one.effect is not None]
    drifted = sum(one.drifted for one in judged)
    return drifted > 0 and drifted >= spec.monitor.drift_share * len(judged)


def _status(
    spec: Spec,
    quality: Quality | None,
    drift: tuple[FeatureDrift, ...],
    *,
    rows: int,
    labelled: int,
) -> JudgementStatus:
    if not rows:
        return "no_rows"
    if quality and is_decayed(quality, spec.monitor.tolerance):
        return "decayed"
    if _has_drifted(spec, drift):
        return "drifted"
    if quality is None:
        return "too_small" if labelled else "no_labels"
    return "ok" if quality.promised is not None else "no_promise"


def _sentence(
    spec: Spec,
    quality: Quality | None,
    drift: tuple[FeatureDrift, ...],
    *,
    rows: int,
    labelled: int,
) -> str:
    if not rows:
        return "No row was predicted in this window."
    first = (
        _say_quality(spec, quality)
        if quality
        else _say_too_small(spec, rows=rows, labelled=labelled)
    )
    return f"{first} {_say_drift(spec, drift)}".strip()


def _say_quality(spec: Spec, quality: Quality) -> str:
    name = TITLES[quality.metric]
    interval = f"{figure(quality.low)} to {figure(quality.high)}"
    measured = f"{name} {figure(quality.realised)} ({interval})"
    one_class = quality.auc is None and spec.label.task == "classification"
    note = " All labels are of one class, so there is no AUC." if one_class else ""
    if quality.coverage is not None:
        note = f" The intervals held {quality.coverage:.0%} of the labels.{note}"
    if quality.promised is None:
        return f"Realised {measured}; the model's card promises no {name}.{note}"
    promise = f"the promised {figure(quality.promised)}"
    tolerance = spec.monitor.tolerance
    if is_decayed(quality, tolerance):
        return (
            f"Decayed: {measured} is worse than {promise} by more than {figure(tolerance)}.{note}"
        )
    if quality.realised > quality.promised + tolerance:
        return f"Not clearly worse than promised: {measured} against {promise}.{note}"
    return f"As promised: {measured} against {promise}.{note}"


def _say_too_small(spec: Spec, *, rows: int, labelled: int) -> str:
    if not labelled:
        return f"None of the {rows:,} rows has a label, so quality cannot be measured."
    if labelled >= spec.monitor.min_rows:
        return f"All {labelled:,} labelled rows fall into one hour, so nothing is known of spread."
    needed = spec.monitor.min_rows
    return f"{labelled:,} labelled rows of {rows:,}, {needed:,} are needed to judge quality."


def _say_drift(spec: Spec, drift: tuple[FeatureDrift, ...]) -> str:
    judged = [one for one in drift if one.effect is not None]
    if not judged:
        return ""
    worst = sorted((one for one in judged if one.drifted), key=lambda one: -(one.effect or 0))
    if not worst:
        return f"None of {len(judged)} features drifted."
    names = ", ".join(f"{one.feature} {one.effect:.2f}" for one in worst[:3])
    more = f" and {len(worst) - 3} more" if len(worst) > 3 else ""
    verdict = "The inputs drifted" if _has_drifted(spec, drift) else "Some inputs moved"
    return f"{verdict}: {len(worst)} of {len(judged)} features ({names}{more})."
