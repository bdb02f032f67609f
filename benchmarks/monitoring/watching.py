"""Watch a tenant over many windows with the library's own functions, all windows at once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from tenantry.columns import EVENT_TIME, LABEL
from tenantry.metrics import row_losses
from tenantry.monitoring.bets import no_evidence
from tenantry.monitoring.decay import Spread, doubt_promise, measure_losses
from tenantry.monitoring.drift import learn_reference
from tenantry.monitoring.streams import PREDICTION, QUALITY, ROWS, compare_windows, find_bars
from tenantry.monitoring.watch import watch
from tenantry.predictions import Receipt
from tenantry.specs.model import Spec
from tenantry.specs.operation import Monitor
from tenantry.times import Window

RULES = Monitor()
METRIC = "log_loss"


@dataclass(frozen=True)
class Alarms:
    """Which streams alarmed in which window.

    Attributes:
        names: Of the streams, the quality last.
        alarmed: Shape (streams, windows).
    """

    names: tuple[str, ...]
    alarmed: np.ndarray

    @property
    def any(self) -> np.ndarray:
        """Whether anything alarmed, by window."""
        return np.asarray(self.alarmed.any(axis=0))


@dataclass(frozen=True)
class Plan:
    """A tenant's time line: what is learnt on, and the windows that are looked at.

    Attributes:
        until: End of what is learnt on, start of the first window.
        length: Of a window.
        looks: How many windows are looked at.
        looks_a_year: How many of them make a year.
    """

    until: datetime
    length: timedelta
    looks: int
    looks_a_year: float


def split(rows: pd.DataFrame, plan: Plan) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """Return the rows before and after `plan.until`, and the window of each of the latter."""
    until = pd.Timestamp(plan.until)
    late = (rows[EVENT_TIME] >= until).to_numpy()
    now = rows[late].reset_index(drop=True)
    window = ((now[EVENT_TIME] - until) // pd.Timedelta(plan.length)).to_numpy()
    return rows[~late], now, np.minimum(window, plan.looks - 1)


def watch_tenant(  # noqa: PLR0913 - a time line
    past: pd.DataFrame,
    now: pd.DataFrame,
    window: np.ndarray,
    plan: Plan,
    features: tuple[str, ...],
    *,
    promised: float | None = None,
) -> Alarms:
    """Watch windows; what is promised is the mean loss of the past unless said otherwise."""
    columns = (*features, LABEL)
    reference = learn_reference(
        past, columns, until=plan.until, length=plan.length, task="classification"
    )
    streams = compare_windows(reference, now, window, plan.looks, start=plan.until)
    limits = {LABEL: RULES.label_threshold, PREDICTION: RULES.label_threshold}
    limits[ROWS] = RULES.volume_threshold
    drift = watch(
        streams.effect,
        streams.p_value,
        won=no_evidence(len(streams.names)),
        threshold=np.array([limits.get(name, RULES.drift_threshold) for name in streams.names]),
        bar=find_bars(streams.names, RULES.false_alarms),
        windows_a_year=plan.looks_a_year,
    )
    bearable = (mean_loss(past) if promised is None else promised) + RULES.tolerance
    decay = watch_quality(now, window, plan, bearable)
    return Alarms((*streams.names, QUALITY), np.vstack([drift.alarmed, decay]))


def watch_quality(now: pd.DataFrame, window: np.ndarray, plan: Plan, bearable: float) -> np.ndarray:
    """Return in which windows the quality alarms, shape (1, windows)."""
    losses = measure_losses(
        loss_of(now), now[EVENT_TIME].dt.tz_localize(None).to_numpy(), window, plan.looks
    )
    p_value, _ = doubt_promise(losses, bearable, Spread())
    enough = np.bincount(window, minlength=plan.looks) >= RULES.min_rows
    return watch(
        (losses.mean - bearable)[None],
        np.where(enough, p_value, np.nan)[None],
        won=no_evidence(1),
        threshold=np.zeros(1),
        bar=find_bars((QUALITY,), RULES.false_alarms),
        windows_a_year=plan.looks_a_year,
    ).alarmed


def loss_of(rows: pd.DataFrame) -> np.ndarray:
    """Return each row's loss."""
    return row_losses(
        METRIC, rows[LABEL].to_numpy(dtype=np.float64), rows[PREDICTION].to_numpy(dtype=np.float64)
    )


def make_receipt(spec: Spec, rows: int, start: datetime, length: timedelta) -> Receipt:
    """Make the receipt of predictions that are out of sample."""
    return Receipt(
        product=spec.product,
        tenant=spec.tenant,
        window=Window(start, start + length).id,
        model="bench",
        model_digest="0" * 64,
        trained_until=start,
        snapshot="0" * 64,
        features="0" * 64,
        as_of=start + length,
        rows=rows,
        decided=0,
        threshold=0.5,
        mean_probability=None,
        in_sample=False,
    )


def mean_loss(rows: pd.DataFrame) -> float:
    """Return the mean loss; NaN without rows."""
    return float(loss_of(rows).mean()) if len(rows) else float("nan")
