"""What is usual for a tenant: how far its own past windows lay from their whole.

All windows of a feature are compared at once: two sorts a feature, no loop over windows.
"""

from collections.abc import Iterable
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from tenantry.columns import EVENT_TIME

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

USUAL = 0.95
"""Share of the past windows whose effects count as usual."""

MIN_WINDOWS = 8
"""Past windows needed to know what is usual."""

MIN_ROWS = 30
"""Rows that a past window needs to count."""


def measure_usual(
    frame: pd.DataFrame, features: Iterable[str], length: timedelta
) -> dict[str, float]:
    """Return the effect that the past windows of each feature reach against all rows.

    Args:
        frame: Past rows: `event_time` and the features, float64 or str.
        features: Which ones; those that the frame lacks are left out.
        length: Of a window; windows are counted back from the last row.

    Returns:
        Feature → the effect that 95 % of the windows stay below; 0 for fewer than eight windows
        of thirty rows.
    """
    names = [name for name in features if name in frame]
    window, rows = _number_windows(frame, length)
    if len(rows) < MIN_WINDOWS:
        return dict.fromkeys(names, 0.0)
    kept = frame[window >= 0]
    window = window[window >= 0]
    effects = {name: window_effects(kept[name], window, rows) for name in names}
    return {name: float(np.quantile(effect, USUAL)) for name, effect in effects.items()}


def window_effects(column: pd.Series, window: Indices, rows: Indices) -> Floats:
    """Return the effect of every window of a column against the whole column.

    Args:
        column: n values, float64 or str.
        window: Each row's window, 0 to k - 1; shape (n,).
        rows: Each window's rows; shape (k,).

    Returns:
        k effects, as `drift.measure_effect` gives them for one window.
    """
    missing = column.isna().to_numpy()
    appeared: Floats = np.abs(
        np.bincount(window[missing], minlength=len(rows)) / rows - missing.mean()
    )
    present = column[~missing]
    if present.empty:
        return appeared
    inside = window[~missing]
    if pd.api.types.is_numeric_dtype(column.dtype):
        values = present.to_numpy(dtype=np.float64)
        distances = _distances_of_numbers(values, inside, len(rows))
    else:
        distances = _distances_of_shares(pd.factorize(present)[0], inside, len(rows))
    return np.asarray(np.maximum(appeared, distances))


def _number_windows(frame: pd.DataFrame, length: timedelta) -> tuple[Indices, Indices]:
    """Number each row's window, -1 where it has too few rows; return the windows' rows, too."""
    if frame.empty:
        return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
    age = (frame[EVENT_TIME].max() - frame[EVENT_TIME]) // pd.Timedelta(length)
    _, window, rows = np.unique(age.to_numpy(), return_inverse=True, return_counts=True)
    enough = rows >= MIN_ROWS
    number = np.where(enough, np.cumsum(enough) - 1, -1)
    return number[window], rows[enough]


def _distances_of_numbers(values: Floats, window: Indices, windows: int) -> Floats:
    """Return each window's Kolmogorov-Smirnov distance from all values."""
    order = np.lexsort((values, window))
    values, window = values[order], window[order]
    whole = np.sort(values)
    size = np.bincount(window, minlength=windows)
    place = np.arange(len(values)) - (np.cumsum(size) - size)[window]
    fresh = np.r_[True, (values[1:] != values[:-1]) | (window[1:] != window[:-1])]
    last = np.r_[fresh[1:], True]
    below = np.searchsorted(whole, values, side="left") / len(whole) - place / size[window]
    upto = np.searchsorted(whole, values, side="right") / len(whole) - (place + 1) / size[window]
    gap = np.maximum(np.where(fresh, np.abs(below), 0.0), np.where(last, np.abs(upto), 0.0))
    distance = np.zeros(windows)
    np.maximum.at(distance, window, gap)
    return distance


def _distances_of_shares(codes: Indices, window: Indices, windows: int) -> Floats:
    """Return each window's total variation from all values."""
    kinds = int(codes.max()) + 1
    counts = np.bincount(window * kinds + codes, minlength=windows * kinds).reshape(windows, kinds)
    size = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(size, 1)
    whole = counts.sum(axis=0) / counts.sum()
    distance = np.abs(shares - whole).sum(axis=1) / 2
    return np.where(size[:, 0] > 0, distance, 0.0)
