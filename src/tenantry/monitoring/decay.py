"""Realised quality of a window's predictions, with its uncertainty, against the promise."""

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from tenantry.monitoring.judgements import Quality

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.datetime64]

MIN_BLOCKS = 5
"""With fewer days than this, blocks are hours."""

_CLIP = 1e-15


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
        predicted: Probabilities (or values), finite; shape (rows,).
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
    loss = _loss(predicted, label, metric)
    mean, error = _mean_and_error(loss, block)
    margin = float(stdtrit(blocks - 1, (1 + confidence) / 2)) * error
    low, high = max(mean - margin, 0.0), mean + margin
    if metric == "rmse":
        mean, low, high = mean**0.5, low**0.5, high**0.5
    return Quality(
        metric=metric,
        realised=mean,
        low=low,
        high=high,
        promised=promised,
        auc=roc_auc(predicted, label) if metric in ("log_loss", "brier") else None,
        mean_prediction=float(predicted.mean()),
        mean_label=float(label.mean()),
        blocks=blocks,
    )


def is_decayed(quality: Quality, tolerance: float) -> bool:
    """Whether even the good end of the interval is worse than promised by more than `tolerance`."""
    return quality.promised is not None and quality.low > quality.promised + tolerance


def roc_auc(predicted: Floats, label: Floats) -> float | None:
    """Return the area under the ROC curve, ties counted half; None with one class only."""
    positive = label > 0.5
    positives = int(positive.sum())
    negatives = len(label) - positives
    if not positives or not negatives:
        return None
    _, place, count = np.unique(predicted, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    rank = (last - (count - 1) / 2)[place]
    area = rank[positive].sum() - positives * (positives + 1) / 2
    return float(area / (positives * negatives))


def _loss(predicted: Floats, label: Floats, metric: str) -> Floats:
    if metric == "log_loss":
        sure = np.clip(predicted, _CLIP, 1 - _CLIP)
        return -(label * np.log(sure) + (1 - label) * np.log1p(-sure))
    error = predicted - label
    return np.abs(error) if metric == "mae" else error**2


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
