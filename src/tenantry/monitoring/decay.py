"""Realised quality of windows' predictions, with its uncertainty, against the promise.

Everything here works on a loss a row, whatever the task.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from tenantry.monitoring.blocks import Times, find_blocks

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Spread:
    """How much blocks of earlier windows differ, for windows in which there are few.

    Attributes:
        squares: Sum over windows of the squared deviations of blocks from their window's mean.
        degrees: Blocks less windows: the degrees of freedom of that sum.
    """

    squares: float = 0.0
    degrees: int = 0


@dataclass(frozen=True)
class Losses:
    """Losses of windows; all arrays have shape (windows,).

    Attributes:
        mean: Mean loss a row; NaN without rows.
        error: Standard error of the mean, from whole blocks; NaN with fewer than two of them.
        blocks: Blocks of time: days, or hours in a short window.
    """

    mean: Floats
    error: Floats
    blocks: Indices

    def bound(self, confidence: float) -> tuple[Floats, Floats]:
        """Return the ends of each mean's two-sided interval, by a Student quantile."""
        quantile = stdtrit(np.maximum(self.blocks - 1, 1), (1 + confidence) / 2)
        margin = quantile * self.error
        return np.maximum(self.mean - margin, 0.0), self.mean + margin


def measure_losses(loss: Floats, event_time: Times, window: Indices, windows: int) -> Losses:
    """Measure the mean loss of windows; the error is by blocks of time.

    Rows of one day share weather and crowds, so the error comes from the spread of whole days
    (hours in a window of fewer than five days): the cluster-robust variance of a mean (Cameron and
    Miller, 2015, section VI).

    Args:
        loss: Of each row, no NaN, shape (n,).
        event_time: When each row's event happens, shape (n,).
        window: Each row's window, 0 to `windows` - 1, shape (n,).
        windows: How many windows.
    """
    block, home = find_blocks(event_time, window, windows)
    blocks = np.bincount(home, minlength=windows)
    rows = np.bincount(window, minlength=windows)
    mean = np.bincount(window, weights=loss, minlength=windows) / np.maximum(rows, 1)
    deviation = np.bincount(block, weights=loss - mean[window], minlength=len(home))
    squares = np.bincount(home, weights=deviation**2, minlength=windows)
    factor = blocks / np.maximum(blocks - 1, 1)
    error = np.sqrt(squares * factor) / np.maximum(rows, 1)
    return Losses(np.where(rows > 0, mean, np.nan), np.where(blocks > 1, error, np.nan), blocks)


def doubt_promise(losses: Losses, bearable: float, known: Spread) -> tuple[Floats, list[Spread]]:
    """Return how probable such losses are while the model is as good as is bearable.

    One-sided Student tests on blocks. A week has few days, so their spread is pooled over the
    windows by now; a window whose own days differ more is judged by these.

    Args:
        losses: Of the windows, by time.
        bearable: The mean loss that is no decay yet.
        known: The spread in earlier windows of the same model.

    Returns:
        p-values, shape (windows,), NaN where nothing can be said; and what is known of the spread
        after each window.
    """
    p_value, path = np.full(len(losses.mean), np.nan), []
    for place, (mean, error, blocks) in enumerate(
        zip(losses.mean.tolist(), losses.error.tolist(), losses.blocks.tolist(), strict=True)
    ):
        if blocks > 1:
            own = error**2 * blocks
            known = Spread(known.squares + own * (blocks - 1), known.degrees + blocks - 1)
            variance = max(own, known.squares / known.degrees) / blocks
            if variance > 0:
                student = (mean - bearable) / variance**0.5
                p_value[place] = stdtr(known.degrees, -student)
        path.append(known)
    return p_value, path
