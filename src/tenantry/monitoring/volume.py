"""Whether a window has as many rows as the tenant's windows usually have."""

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

from tenantry.monitoring.drift import Compared
from tenantry.monitoring.past import MIN_WINDOWS

Floats = npt.NDArray[np.float64]


def compare_volume(past: Floats, rows: Floats) -> Compared:
    """Compare the rows of windows with those of past windows.

    The sums of neighbouring square roots spread alike whatever their mean (Freeman and Tukey,
    1950): by one when rows come independently, by more when they do not. A Student variable says
    how unusual a window is.

    Args:
        past: Rows of each whole past window, shape (k,).
        rows: Rows of each window, shape (windows,).

    Returns:
        The effect is the share of rows too few or too many, 0 to 1; the p-value is NaN where too
        little is known of the past.
    """
    nothing = np.zeros(len(rows))
    if len(past) < MIN_WINDOWS:
        return Compared(nothing, nothing + np.nan, nothing)
    usual = past.mean()
    effect = np.abs(rows - usual) / np.maximum(np.maximum(rows, usual), 1)
    spread = max(float(_even(past).std(ddof=1)), 1.0) * np.sqrt(1 + 1 / len(past))
    off = np.abs(_even(rows) - _even(past).mean()) / spread
    return Compared(effect, 2 * stdtr(len(past) - 1, -off), nothing)


def _even(rows: Floats) -> Floats:
    return np.asarray(np.sqrt(rows) + np.sqrt(rows + 1))
