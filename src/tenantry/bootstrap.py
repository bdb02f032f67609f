"""How sure is it that one model is better than another: paired, rows of one day as one block."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from tenantry.metrics import Floats, from_mean, row_losses


@dataclass(frozen=True)
class Gain:
    """By how much a challenger is better than a rival on the same rows.

    Attributes:
        challenger: The challenger's metric.
        rival: The rival's metric.
        low: Lower bound of the gain's interval.
        high: Upper bound of the gain's interval.
        rows: Rows compared.
        days: Different days among them.
    """

    challenger: float
    rival: float
    low: float
    high: float
    rows: int
    days: int

    @property
    def gain(self) -> float:
        """The rival's metric less the challenger's: positive when the challenger is better."""
        return self.rival - self.challenger


def compare(  # noqa: PLR0913 - what a comparison needs
    label: Floats,
    challenger: Floats,
    rival: Floats,
    *,
    day: NDArray[np.int64],
    metric: str,
    confidence: float,
    resamples: int,
    seed: int,
) -> Gain:
    """Compare two models on the same rows; the interval resamples whole days.

    Rows of one day share weather and crowds, so days are drawn, with all their rows and both
    models' losses on them (Künsch, 1989; paired, so that what is hard for both cancels out). With
    few days the percentile interval is too short; its quantiles are moved out as a Student
    interval's would be (Hesterberg, 2015, "What teachers should know about the bootstrap", §4.4).

    Args:
        label: Labels, shape (n,), no NaN.
        challenger: The challenger's predictions, shape (n,).
        rival: The rival's predictions, shape (n,).
        day: The day of each row, any whole numbers, shape (n,); at least 2 different ones.
        metric: `log_loss`, `brier`, `mae` or `rmse`.
        confidence: Of the two-sided interval, e.g. .95.
        resamples: How many.
        seed: Of the resampling; equal arguments give equal intervals.

    Raises:
        ValueError: Fewer than two days, which say nothing of the spread.
    """
    block, days = _blocks(day)
    losses = [row_losses(metric, label, predicted) for predicted in (challenger, rival)]
    sums = np.stack([np.bincount(block, weights=column) for column in losses], axis=1)
    rows = np.bincount(block)
    whole = from_mean(metric, sums.sum(axis=0) / rows.sum())
    drawn = _draw(days, resamples, seed)
    resampled = from_mean(metric, (drawn @ sums) / (drawn @ rows)[:, None])
    tail = _tail(confidence, days)
    low, high = np.quantile(resampled[:, 1] - resampled[:, 0], [tail, 1 - tail])
    return Gain(float(whole[0]), float(whole[1]), float(low), float(high), len(label), days)


@lru_cache(maxsize=8)  # rivals, and tenants with rows of as many days, draw the same days
def _draw(days: int, resamples: int, seed: int) -> NDArray[np.int64]:
    """Return how often each resample draws each day, shape (resamples, days)."""
    drawn = np.random.default_rng(seed).multinomial(days, np.full(days, 1 / days), size=resamples)
    drawn.setflags(write=False)
    return drawn


def compare_in_part(  # noqa: PLR0913 - what a comparison needs
    label: Floats,
    challenger: Floats,
    rival: Floats,
    *,
    day: NDArray[np.int64],
    metric: str,
    confidence: float,
) -> Gain:
    """Compare two models on a part of the rows; the interval is Student's over days.

    For many parts at once: their confidences are so high that resampling would know the tails from
    a handful of draws. The standard error is that of the paired losses, clustered by day; that of
    a root mean squared error is linearised (the delta method).

    Args and errors are those of `compare`.
    """
    _, days = _blocks(day)
    losses = [row_losses(metric, label, predicted) for predicted in (challenger, rival)]
    mine, other = (float(from_mean(metric, loss.mean())) for loss in losses)
    slopes = [_slope(metric, value) for value in (mine, other)]
    error = standard_error(slopes[1] * losses[1] - slopes[0] * losses[0], day)
    reach = float(stdtrit(days - 1, (1 + confidence) / 2)) * error
    return Gain(mine, other, other - mine - reach, other - mine + reach, len(label), days)


def level_interval(
    label: Floats, predicted: Floats, *, day: NDArray[np.int64], metric: str, confidence: float
) -> tuple[float, float]:
    """Return the interval of a model's metric itself: Student's over days, as `compare_in_part`.

    Args and errors are those of `compare`.
    """
    _, days = _blocks(day)
    loss = row_losses(metric, label, predicted)
    value = float(from_mean(metric, loss.mean()))
    error = standard_error(_slope(metric, value) * loss, day)
    reach = float(stdtrit(days - 1, (1 + confidence) / 2)) * error
    return max(value - reach, 0.0), value + reach


def _slope(metric: str, value: float) -> float:
    """Return how much the metric moves with the mean of its row losses."""
    if metric != "rmse":
        return 1.0
    return 1 / (2 * value) if value else 0.0


def standard_error(differences: Floats, days: NDArray[np.int64]) -> float:
    """Return the standard error of a mean, rows clustered by day; infinite with one day only.

    Args:
        differences: One value a row, shape (n,).
        days: The day of each row, any whole numbers, shape (n,).
    """
    block = np.unique(days, return_inverse=True)[1]
    number = int(block.max(initial=-1)) + 1
    if number < 2:
        return float("inf")
    sums = np.bincount(block, weights=differences - differences.mean())
    return float(np.sqrt(np.sum(sums**2) * number / (number - 1)) / len(differences))


def _blocks(day: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Number the days from 0 on: each row's number, and how many days there are.

    Raises:
        ValueError: Fewer than two, which say nothing of the spread.
    """
    block = np.unique(day, return_inverse=True)[1]
    days = int(block.max(initial=-1)) + 1
    if days < 2:
        msg = f"an interval over days needs at least 2 of them; there are {days}"
        raise ValueError(msg)
    return block, days


def _tail(confidence: float, blocks: int) -> float:
    """Return the share of resamples to leave out at each end, for so many blocks."""
    student = stdtrit(blocks - 1, (1 - confidence) / 2)
    return float(ndtr(np.sqrt(blocks / (blocks - 1)) * student))
