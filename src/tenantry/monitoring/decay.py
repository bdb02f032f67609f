"""Realised quality of a window's predictions, with its uncertainty, against the promise."""

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from tenantry.metrics import Floats, from_mean, roc_auc, row_losses
from tenantry.monitoring.judgements import Quality

Times = npt.NDArray[np.datetime64]

MIN_BLOCKS = 5
"""With fewer days than this, blocks are hours."""


def measure_quality(  # noqa: PLR0913 - what a measurement needs
    predicted: Floats,
    label: Floats,
    event_time: Times,
    *,
    metric: str,
    confidence: float,
    promised: float | None,
) -> Quality | None:
    """Measure predictions against labels; the interval is by blocks of time.

    Rows of one day share weather and crowds, so the interval comes from the spread of whole days
    (hours in a window of fewer than five days): the cluster-robust variance of a mean with a
    Student quantile on blocks - 1 degrees of freedom (Cameron and Miller, 2015, section VI).

    Args:
        predicted: Probabilities (or values), finite; shape (rows,), of K classes (rows, K).
        label: Labels, no NaN; shape (rows,).
        event_time: When each row's event happens; shape (rows,).
        metric: `log_loss`, `brier`, `mae` or `rmse`.
        confidence: Of the two-sided interval, e.g. 0.99.
        promised: The score that the model's card promises.

    Returns:
        The quality; None when there are no rows or only one block, so that nothing is known
        of the spread.
    """
    block = _blocks(event_time)
    blocks = int(block.max()) + 1 if len(block) else 0
    if blocks < 2:
        return None
    mean, error = _mean_and_error(row_losses(metric, label, predicted), block)
    margin = float(stdtrit(blocks - 1, (1 + confidence) / 2)) * error
    bounds = np.array([mean, max(mean - margin, 0.0), mean + margin])
    realised, low, high = from_mean(metric, bounds).tolist()
    if predicted.ndim == 2:  # of several classes: how sure, and how often right
        label, predicted = (predicted.argmax(axis=1) == label) * 1.0, predicted.max(axis=1)
        has_area = False
    else:
        has_area = metric in ("log_loss", "brier")
    return Quality(
        metric=metric,
        realised=realised,
        low=low,
        high=high,
        promised=promised,
        auc=roc_auc(label, predicted) if has_area else None,
        mean_prediction=float(predicted.mean()),
        mean_label=float(label.mean()),
        blocks=blocks,
    )


def is_decayed(quality: Quality, tolerance: float) -> bool:
    """Whether even the good end of the interval is worse than promised by more than `tolerance`."""
    return quality.promised is not None and quality.low > quality.promised + tolerance


def _blocks(event_time: Times) -> npt.NDArray[np.intp]:
    days = event_time.astype("datetime64[D]")
    units = days if len(np.unique(days)) >= MIN_BLOCKS else event_time.astype("datetime64[h]")
    return np.unique(units, return_inverse=True)[1]


def _mean_and_error(loss: Floats, block: npt.NDArray[np.intp]) -> tuple[float, float]:
    mean = float(loss.mean())
    deviation = np.bincount(block, weights=loss - mean)
    blocks = len(deviation)
    variance = float((deviation**2).sum()) * blocks / (blocks - 1) / len(loss) ** 2
    return mean, variance**0.5
