"""Measure how good the predictions of one window were, and what is to be remembered of that."""

from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from tenantry.columns import EVENT_TIME, LABEL
from tenantry.evaluations import predictions_in
from tenantry.metrics import from_mean, roc_auc, row_losses
from tenantry.monitoring.bets import no_evidence
from tenantry.monitoring.decay import Losses, Spread, doubt_promise, measure_losses
from tenantry.monitoring.drift import Reference
from tenantry.monitoring.feed import Delivery
from tenantry.monitoring.judgements import Quality
from tenantry.monitoring.memory import Memory
from tenantry.monitoring.streams import PREDICTION, QUALITY, find_bars
from tenantry.monitoring.watch import Watched, watch
from tenantry.predictions import HIGH, LOW, Receipt
from tenantry.specs.model import Spec

Floats = npt.NDArray[np.float64]

YEAR = timedelta(days=365)

_LARGEST = 1e140


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
        delivery: How its rows came.
    """

    receipt: Receipt
    rows: pd.DataFrame
    reference: Reference
    promised: float | None
    overtaken: str = ""
    delivery: Delivery = field(default_factory=Delivery)


def read_numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with numbers, or NaN, for labels and predictions, whatever they held.

    Infinities and numbers whose squares a float cannot hold are none, save as an interval's end.
    """
    names = [str(name) for name in rows.columns if _holds_numbers(str(name))]
    read = {name: _read_numbers(rows[name], is_end=name in (LOW, HIGH)) for name in names}
    changed = {name: values for name, values in read.items() if values is not None}
    return rows.assign(**changed) if changed else rows


def _holds_numbers(name: str) -> bool:
    return name in (LABEL, PREDICTION, LOW, HIGH) or name.startswith(f"{PREDICTION}[")


def _read_numbers(column: pd.Series, *, is_end: bool) -> pd.Series | None:
    """Return a column as numbers that can be used; None when it holds no other."""
    read = column.dtype != np.float64
    values = pd.to_numeric(column, errors="coerce").astype(np.float64) if read else column
    array = values.to_numpy()
    usable = np.abs(array) < _LARGEST
    if is_end or (usable | np.isnan(array)).all():
        return values if read else None
    return values.where(usable)


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
        p_value=known(p_value[0]),
        evidence=float(watched.evidence[0, -1]),
        **_interval(metric, losses, spec.monitor.confidence),
    )
    return quality, bool(watched.alarmed[0, -1]), memory


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
        won=recall_bets(memory, (QUALITY,)),
        threshold=np.zeros(1),
        bar=find_bars((QUALITY,), spec.monitor.false_alarms),
        windows_a_year=windows_a_year(spec),
    )


def recall_bets(memory: Memory, names: tuple[str, ...]) -> Floats:
    """Return what the bets on each stream had won before the window, shape (streams, bets)."""
    won = no_evidence(len(names))
    for place, name in enumerate(names):
        if name in memory.won:
            won[place] = memory.won[name]
    return won


def windows_a_year(spec: Spec) -> float:
    """Return how many windows of the spec a year has."""
    return YEAR / spec.predict.window


def _to_mean(metric: str, promised: float | None, tolerance: float) -> float:
    """Return the mean loss that is no decay yet; NaN without a promise."""
    if promised is None:
        return float("nan")
    return (promised + tolerance) ** (2 if metric == "rmse" else 1)


def _interval(metric: str, losses: Losses, confidence: float) -> dict[str, float]:
    means = np.concatenate([losses.mean, *losses.bound(confidence)])
    return dict(zip(("realised", "low", "high"), from_mean(metric, means).tolist(), strict=True))


def known(value: float) -> float | None:
    """Return a number that a record can hold; None for NaN and infinities."""
    return float(value) if np.isfinite(value) else None
