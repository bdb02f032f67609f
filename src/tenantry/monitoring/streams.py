"""All that is watched of a tenant besides its quality: features, label, predictions, volume."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tenantry.columns import LABEL
from tenantry.monitoring.drift import Reference, compare_column, compare_expected
from tenantry.monitoring.judgements import ShiftKind
from tenantry.monitoring.volume import compare_volume

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

PREDICTION = "prediction"
"""The column that holds what was predicted: a probability, or a value; of several classes that of
the most probable one, and there is a column ``prediction[0]``, … a class beside it."""

LOW, HIGH = "low", "high"
"""The ends of a prediction's interval; only where the spec asked for one."""

ROWS = "rows"
"""The stream of a tenant's volume."""

QUALITY = "quality"
"""The stream of the realised loss."""

_SHARES = {QUALITY: 0.5, LABEL: 0.25}
"""What part of a tenant's false alarms a stream may cause; all others share the rest."""

KINDS: dict[str, ShiftKind] = {LABEL: "label", PREDICTION: "prediction", ROWS: "volume"}
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
    reference: Reference, rows: pd.DataFrame, window: Indices, windows: int
) -> Streams:
    """Compare windows with what their model learnt on.

    Args:
        reference: What it learnt on; its columns are the streams, with predictions and volume.
        rows: The windows' rows; a column that is not there counts as missing throughout.
        window: Each row's window, 0 to `windows` - 1, shape (n,).
        windows: How many windows.
    """
    found = {
        name: compare_column(learnt, _column(rows, name), window, windows)
        for name, learnt in reference.columns.items()
    }
    if reference.outcomes:
        predicted = rows[PREDICTION].to_numpy(dtype=np.float64)
        found[PREDICTION] = compare_expected(reference.outcomes, predicted, window, windows)
    volume = np.bincount(window, minlength=windows).astype(np.float64)
    found[ROWS] = compare_volume(reference.volumes, volume)
    return Streams(
        names=tuple(found),
        effect=np.stack([one.effect for one in found.values()]),
        p_value=np.stack([one.p_value for one in found.values()]),
        missing=np.stack([one.missing for one in found.values()]),
    )


def _column(rows: pd.DataFrame, name: str) -> pd.Series:
    return rows[name] if name in rows else pd.Series(np.nan, index=rows.index)
