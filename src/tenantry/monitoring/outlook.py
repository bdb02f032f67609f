"""Whether predictions expect what the past has been: their drift, before any label is known.

Needs no label of the windows, and does not depend on which model predicted: another one may spread
its predictions more or less. Means of predictions vary less than labels do, so that chance alarms
less often than said.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import stdtr

from tenantry.monitoring.cells import read_column
from tenantry.monitoring.drift import (
    Compared,
    Indices,
    Reference,
    classes_in,
    find_column_p_values,
)
from tenantry.monitoring.past import MIN_WINDOWS, find_p_values

Floats = npt.NDArray[np.float64]


def compare_outlook(
    reference: Reference, predicted: Floats, window: Indices, windows: int
) -> Compared:
    """Compare what windows' predictions expect with the labels that the model learnt on.

    Args:
        reference: What it learnt on.
        predicted: Probabilities or values, shape (n,), of K classes (n, K); NaN where there is
            none, which counts as missing.
        window: Each row's window, 0 to `windows` - 1, shape (n,).
        windows: How many windows.
    """
    if reference.task == "regression":
        return _compare_values(reference, predicted, window, windows)
    counts = _count_classes(reference, predicted, window, windows)
    return _compare_classes(reference, counts)


def _is_known(predicted: Floats) -> npt.NDArray[np.bool_]:
    return np.isfinite(predicted if predicted.ndim == 1 else predicted.sum(axis=1))


def _count_classes(
    reference: Reference, predicted: Floats, window: Indices, windows: int
) -> Floats:
    """Return how many rows of each class are expected, by window and cell, the last if missing."""
    outcomes, known = reference.outcomes, _is_known(predicted)
    gone = np.bincount(window[~known], minlength=windows)
    predicted, window = predicted[known], window[known]
    if predicted.ndim == 1:
        predicted = np.stack([1 - predicted, predicted], axis=1)
    codes = pd.Series(np.arange(predicted.shape[1], dtype=np.float64))
    named = codes if outcomes.numbers is not None else classes_in(codes)
    counts = np.zeros((windows, outcomes.cells.number))
    for cell, weight in zip(outcomes.cells.place(read_column(named)), predicted.T, strict=True):
        counts[:, cell] += np.bincount(window, weights=weight, minlength=windows)
    counts[:, -1] += gone
    return counts


def _compare_classes(reference: Reference, counts: Floats) -> Compared:
    """Compare how often each class is expected with how often it was."""
    outcomes, windows = reference.outcomes, len(counts)
    rows, known = counts.sum(axis=1), counts[:, :-1].sum(axis=1)
    now = counts[:, :-1] / np.maximum(known, 1)[:, None]
    past = np.append(outcomes.values.counts, 0.0)  # a class that was never seen is new
    distance = np.abs(now - past / max(past.sum(), 1)).sum(axis=1) / 2
    effect = np.maximum(np.where(known > 0, distance, 0.0), counts[:, -1] / np.maximum(rows, 1))
    p_value = find_column_p_values(outcomes, counts)
    return Compared(np.where(rows > 0, effect, np.nan), p_value, np.zeros(windows))


def _compare_values(
    reference: Reference, predicted: Floats, window: Indices, windows: int
) -> Compared:
    """Compare the mean prediction with the mean label.

    The effect is the share of the labels that lie between the two. How far the mean labels of the
    tenant's past windows lie apart says, by a Student variable, how unusual that is; a smaller
    window may lie farther off.
    """
    every, known = np.bincount(window, minlength=windows), _is_known(predicted)
    predicted, window = predicted[known], window[known]
    rows = np.bincount(window, minlength=windows)
    sums = np.bincount(window, weights=predicted, minlength=windows)
    mean = np.where(rows > 0, sums / np.maximum(rows, 1), np.nan)
    levels, labels = reference.levels[np.isfinite(reference.levels)], reference.outcomes.numbers
    if labels is None or not len(labels):
        return Compared(np.full(windows, np.nan), np.full(windows, np.nan), np.zeros(windows))
    was, found = np.searchsorted(labels, [float(labels.mean())]), np.searchsorted(labels, mean)
    gone = (every - rows) / np.maximum(every, 1)
    effect = np.maximum(np.where(rows > 0, np.abs(found - was) / len(labels), 0.0), gone)
    effect = np.where(every > 0, effect, np.nan)
    if len(levels) < MIN_WINDOWS:
        return Compared(effect, np.full(windows, np.nan), np.zeros(windows))
    smaller = np.sqrt(np.maximum(reference.volumes.mean() / np.maximum(rows, 1), 1.0))
    spread = max(float(levels.std(ddof=1)), 1e-12) * np.sqrt(1 + 1 / len(levels)) * smaller
    p_value = 2 * stdtr(len(levels) - 1, -np.abs(mean - levels.mean()) / spread)
    kinds = np.column_stack([rows, np.zeros(windows), every - rows]).astype(np.float64)
    missed = find_p_values(reference.outcomes.kinds, kinds)
    return Compared(
        effect, np.where(gone > 0, np.fmin(p_value, missed), p_value), np.zeros(windows)
    )
