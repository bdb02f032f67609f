"""All that is watched of a tenant besides its quality: features, label, predictions, the feed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from tenantry.columns import EVENT_TIME, LABEL
from tenantry.evaluations import predictions_in
from tenantry.monitoring.blocks import Times, find_blocks
from tenantry.monitoring.drift import Reference, classes_in, compare_column
from tenantry.monitoring.feed import compare_arrival, compare_silence
from tenantry.monitoring.judgements import ShiftKind
from tenantry.monitoring.memory import Arrival
from tenantry.monitoring.outlook import compare_outlook
from tenantry.monitoring.volume import compare_volume

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

PREDICTION = "prediction"
"""The column that holds what was predicted: a probability, or a value; of several classes that of
the most probable one, and there is a column ``prediction[0]``, … a class beside it."""

ROWS = "rows"
"""The stream of a tenant's volume."""

FRESHNESS = "freshness"
"""The stream of the silence at the end of a window."""

LATE = "late"
"""The stream of rows that came after their window had been predicted."""

SCHEMA = "schema"
"""The form that rows come in; it has no p-value."""

QUALITY = "quality"
"""The stream of the realised loss."""

_SHARES = {QUALITY: 0.5, LABEL: 0.25}
"""What part of a tenant's false alarms a stream may cause; all others share the rest."""

KINDS: dict[str, ShiftKind] = {
    LABEL: "label",
    PREDICTION: "prediction",
    ROWS: "volume",
    FRESHNESS: "freshness",
    LATE: "late",
    SCHEMA: "schema",
}
"""What a stream is about; every other one is a feature."""


@dataclass(frozen=True)
class Streams:
    """A tenant's windows, stream by stream.

    Attributes:
        names: Of the streams.
        effect: Shape (streams, windows).
        p_value: Shape (streams, windows); NaN where nothing can be said.
        missing: Share of missing values, shape (streams, windows).
    """

    names: tuple[str, ...]
    effect: Floats
    p_value: Floats
    missing: Floats

    def with_late(self, past: Sequence[Arrival], now: Arrival | None) -> "Streams":
        """Return these streams of a single window with the rows that came late as one more."""
        effect, p_value = compare_arrival(past, now) if now else (0.0, float("nan"))
        return Streams(
            names=(*self.names, LATE),
            effect=np.vstack([self.effect, [effect]]),
            p_value=np.vstack([self.p_value, [p_value]]),
            missing=np.vstack([self.missing, [0.0]]),
        )


def find_bars(names: Sequence[str], false_alarms: float) -> Floats:
    """Return the evidence from which each stream alarms.

    A weighted mean over streams is evidence, too, however they depend on each other; it passes the
    tenant's bar when a single stream passes its own. So all streams together cause a false alarm
    with a probability of at most `false_alarms` a year.

    Args:
        names: Of the streams; `QUALITY` may be among them or not.
        false_alarms: The chance of a false alarm in a year.
    """
    rest = 1 - sum(_SHARES.values())
    others = max(sum(name not in _SHARES for name in names), 1)
    weights = np.array([_SHARES.get(name, rest / others) for name in names])
    return np.asarray(1 / (weights * false_alarms))


def compare_windows(
    reference: Reference, rows: pd.DataFrame, window: Indices, windows: int, *, start: datetime
) -> Streams:
    """Compare windows with what their model learnt on.

    Args:
        reference: What it learnt on; its columns are the streams, with predictions, volume and
            freshness.
        rows: The windows' rows; a column that is not there counts as missing throughout.
        window: Each row's window, 0 to `windows` - 1, shape (n,).
        windows: How many windows.
        start: Of the first window; they follow each other.
    """
    when = rows[EVENT_TIME].dt.tz_localize(None).to_numpy()
    blocks = find_blocks(when, window, windows)
    found = {
        name: compare_column(
            learnt,
            _column(reference, rows, name),
            window,
            windows,
            None if name == LABEL else blocks,  # a day's share of labels is bounded
        )
        for name, learnt in reference.columns.items()
    }
    predicted = predictions_in(rows, PREDICTION)
    found[PREDICTION] = compare_outlook(reference, predicted, window, windows)
    volume = np.bincount(window, minlength=windows).astype(np.float64)
    found[ROWS] = compare_volume(reference.volumes, volume)
    silence = _find_silence(when, window, windows, start=start, length=reference.length)
    found[FRESHNESS] = compare_silence(reference.silences, silence)
    return Streams(
        names=tuple(found),
        effect=np.stack([one.effect for one in found.values()]),
        p_value=np.stack([one.p_value for one in found.values()]),
        missing=np.stack([one.missing for one in found.values()]),
    )


def _find_silence(
    when: Times, window: Indices, windows: int, *, start: datetime, length: timedelta
) -> Floats:
    """Return from the last row of each window to its end, as a share of it; 1 without rows."""
    first = pd.Timestamp(start).tz_localize(None).to_datetime64()
    since = (when - first) / pd.Timedelta(length).to_timedelta64()
    silence = np.ones(windows)
    np.minimum.at(silence, window, window + 1 - since)
    return np.clip(silence, 0.0, 1.0)


def _column(reference: Reference, rows: pd.DataFrame, name: str) -> pd.Series:
    if name not in rows:
        return pd.Series(np.nan, index=rows.index)
    return classes_in(rows[name]) if _has_codes(reference, name) else rows[name]


def _has_codes(reference: Reference, name: str) -> bool:
    return name == LABEL and reference.task == "multiclass"
