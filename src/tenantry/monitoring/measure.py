"""Measure one window by its evidence: its quality, its shifts, and what is to be remembered."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from tenantry.columns import EVENT_TIME, LABEL
from tenantry.metrics import from_mean, roc_auc, row_losses
from tenantry.monitoring.bets import no_evidence
from tenantry.monitoring.cells import is_number
from tenantry.monitoring.decay import Losses, Spread, doubt_promise, measure_losses
from tenantry.monitoring.drift import Reference
from tenantry.monitoring.judgements import Memory, Quality, Shift, ShiftKind
from tenantry.monitoring.past import MIN_WINDOWS
from tenantry.monitoring.streams import (
    HIGH,
    KINDS,
    LOW,
    PREDICTION,
    QUALITY,
    ROWS,
    Streams,
    compare_windows,
    find_bars,
)
from tenantry.monitoring.watch import Watched, watch
from tenantry.predictions import Receipt
from tenantry.specs.model import Spec
from tenantry.training.evaluate import predictions_in

Floats = npt.NDArray[np.float64]

YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Evidence:
    """All that a window is judged by.

    Attributes:
        receipt: The predictions' receipt, out of sample.
        rows: The predicted rows: event time, `prediction`, label and features; the label is NaN
            where it is not known, features are NaN where the row is gone from the source.
        reference: What the model learnt on.
        promised: The score on the model's card, in the spec's metric.
        overtaken: Why nothing follows from how good the model was, in a sentence; else empty.
    """

    receipt: Receipt
    rows: pd.DataFrame
    reference: Reference
    promised: float | None
    overtaken: str = ""


def measure_quality(
    spec: Spec, labelled: pd.DataFrame, promised: float | None, memory: Memory
) -> tuple[Quality | None, bool, Memory]:
    """Measure how good the predictions of a window were.

    Args:
        spec: The tenant's spec.
        labelled: The rows whose label and prediction are known.
        promised: The score on the model's card.
        memory: What is remembered of the model.

    Returns:
        The quality, None when there are too few rows or they fall into one hour; whether the model
        has decayed; and the memory with this window in it.
    """
    if len(labelled) < spec.monitor.min_rows:
        return None, False, memory
    label = labelled[LABEL].to_numpy(dtype=np.float64)
    predicted = predictions_in(labelled, PREDICTION)
    metric = spec.model.metric
    loss = row_losses(metric, label, predicted)
    times = labelled[EVENT_TIME].dt.tz_localize(None).to_numpy()
    losses = measure_losses(loss, times, np.zeros(len(loss), dtype=np.intp), 1)
    if losses.blocks[0] < 2:
        return None, False, memory
    bearable = _to_mean(metric, promised, spec.monitor.tolerance)
    p_value, spread = doubt_promise(losses, bearable, Spread(memory.squares, memory.degrees))
    watched = _watch_quality(spec, losses.mean - bearable, p_value, memory)
    won = memory.won | {QUALITY: tuple(watched.won[0, -1].tolist())}
    memory = memory.model_copy(
        update={"won": won, "squares": spread[-1].squares, "degrees": spread[-1].degrees}
    )
    was, said = label, predicted
    if predicted.ndim == 2:  # of several classes: how often right, and how sure
        was, said = predicted.argmax(axis=1) == label, predicted.max(axis=1)
    quality = Quality(
        metric=metric,
        promised=promised,
        auc=roc_auc(label, predicted) if spec.label.task == "classification" else None,
        mean_prediction=float(said.mean()),
        mean_label=float(was.mean()),
        coverage=_coverage(labelled),
        blocks=int(losses.blocks[0]),
        p_value=_known(p_value[0]),
        evidence=float(watched.evidence[0, -1]),
        **_interval(metric, losses, spec.monitor.confidence),
    )
    return quality, bool(watched.alarmed[0, -1]), memory


def measure_shifts(
    spec: Spec, evidence: Evidence, memory: Memory
) -> tuple[tuple[Shift, ...], Memory]:
    """Measure how far each stream of a window lies from what the model learnt on.

    Returns:
        The streams, features in the spec's order first, and the memory with this window in it.
    """
    reference, rows = evidence.reference, evidence.rows
    streams = compare_windows(reference, rows, np.zeros(len(rows), dtype=np.intp), 1)
    names = streams.names
    watched = watch(
        streams.effect,
        streams.p_value,
        won=_won(memory, names),
        threshold=np.array([_threshold(spec, name) for name in names]),
        bar=find_bars(names, spec.monitor.false_alarms),
        windows_a_year=_windows_a_year(spec),
    )
    shifts = {name: _shift(evidence, streams, watched, place) for place, name in enumerate(names)}
    unknown = (name for name in (*spec.features, LABEL) if name not in shifts)
    shifts |= {name: _not_learnt(name) for name in unknown}
    won = {name: tuple(watched.won[place, -1].tolist()) for place, name in enumerate(names)}
    order = [*spec.features, LABEL, *(name for name in (PREDICTION, ROWS) if name in shifts)]
    kept = memory.model_copy(update={"won": memory.won | won})
    return tuple(shifts[name] for name in order), kept


def _coverage(labelled: pd.DataFrame) -> float | None:
    """Return the share of labels within the predictions' intervals; None without any."""
    if LOW not in labelled:
        return None
    rows = labelled[labelled[LOW].notna()]
    within = (rows[LABEL] >= rows[LOW]) & (rows[LABEL] <= rows[HIGH])
    return float(within.mean()) if len(rows) else None


def _watch_quality(spec: Spec, worse: Floats, p_value: Floats, memory: Memory) -> Watched:
    return watch(
        worse[None],
        p_value[None],
        won=_won(memory, (QUALITY,)),
        threshold=np.zeros(1),
        bar=find_bars((QUALITY,), spec.monitor.false_alarms),
        windows_a_year=_windows_a_year(spec),
    )


def _won(memory: Memory, names: tuple[str, ...]) -> Floats:
    won = no_evidence(len(names))
    for place, name in enumerate(names):
        if name in memory.won:
            won[place] = memory.won[name]
    return won


def _threshold(spec: Spec, name: str) -> float:
    rules = spec.monitor
    by_kind: dict[ShiftKind, float] = {
        "data": rules.drift_threshold,
        "label": rules.label_threshold,
        "prediction": rules.label_threshold,
        "volume": rules.volume_threshold,
    }
    return by_kind[KINDS.get(name, "data")]


def _windows_a_year(spec: Spec) -> float:
    return YEAR / spec.predict.window


def _to_mean(metric: str, promised: float | None, tolerance: float) -> float:
    """Return the mean loss that is no decay yet; NaN without a promise."""
    if promised is None:
        return float("nan")
    return (promised + tolerance) ** (2 if metric == "rmse" else 1)


def _interval(metric: str, losses: Losses, confidence: float) -> dict[str, float]:
    means = np.concatenate([losses.mean, *losses.bound(confidence)])
    return dict(zip(("realised", "low", "high"), from_mean(metric, means).tolist(), strict=True))


def _shift(evidence: Evidence, streams: Streams, watched: Watched, place: int) -> Shift:
    name = streams.names[place]
    return Shift(
        name=name,
        kind=KINDS.get(name, "data"),
        effect=_known(streams.effect[place, -1]),
        p_value=_known(streams.p_value[place, -1]),
        evidence=float(watched.evidence[place, -1]),
        drifted=bool(watched.alarmed[place, -1]),
        note=_note(evidence, name, float(streams.missing[place, -1])),
    )


def _not_learnt(name: str) -> Shift:
    return Shift(
        name=name,
        kind=KINDS.get(name, "data"),
        effect=None,
        p_value=None,
        evidence=0.0,
        drifted=False,
        note="not in the reference",
    )


def _note(evidence: Evidence, name: str, missing: float) -> str:
    past = len(evidence.reference.volumes)
    few = f"{past} whole past windows, {MIN_WINDOWS} are needed" if past < MIN_WINDOWS else ""
    learnt, rows = evidence.reference.columns.get(name), evidence.rows
    if learnt is None:
        return few
    if name not in rows:
        return "not in the window"
    gone = _note_missing(learnt.missing, missing)
    if not gone and len(rows) and is_number(rows[name]) != (learnt.numbers is not None):
        return "numbers where text was" if learnt.numbers is None else "text where numbers were"
    return gone or few


def _note_missing(before: float, now: float) -> str:
    if before == now == 1.0:
        return "missing in both"
    if now == 1.0:
        return "all missing in the window"
    if before == 1.0:
        return "all missing in the reference"
    return f"{now:.0%} missing, {before:.0%} before" if abs(now - before) >= 0.1 else ""


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
