"""The measures of quality that selection, gate and monitor share; lower is better, except ROC AUC.

Every metric is the mean of a loss a row, so that it can be resampled by blocks; only the root of
the mean squared error takes one more step, `from_mean`.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TITLES = {
    "log_loss": "log loss",
    "brier": "Brier score",
    "mae": "mean absolute error",
    "rmse": "root mean squared error",
}
"""The metrics by name, in words."""

_EDGE = 1e-15
"""A probability of 0 or 1 that is wrong costs 34.5, not infinity."""


def row_losses(metric: str, label: Floats, predicted: Floats) -> Floats:
    """Return each row's loss.

    Args:
        metric: A key of `TITLES`.
        label: Labels, 0 or 1 for classification; shape (n,), no NaN.
        predicted: Probabilities (or values), shape (n,), no NaN.

    Returns:
        n losses; their mean, passed through `from_mean`, is the metric.
    """
    if metric == "log_loss":
        sure = np.clip(predicted, _EDGE, 1 - _EDGE)
        return np.asarray(-(label * np.log(sure) + (1 - label) * np.log1p(-sure)))
    error = predicted - label
    return np.asarray(np.abs(error) if metric == "mae" else error**2)


def from_mean(metric: str, mean: Floats) -> Floats:
    """Turn means of `row_losses` into values of the metric, whatever the shape."""
    return np.asarray(np.sqrt(mean) if metric == "rmse" else mean)


def measure(metric: str, label: Floats, predicted: Floats) -> float:
    """Return the metric over n rows, n ≥ 1; arguments as for `row_losses`."""
    return float(from_mean(metric, row_losses(metric, label, predicted).mean()))


def roc_auc(label: Floats, predicted: Floats) -> float | None:
    """Return the area under the ROC curve, ties counted half; None with one class only."""
    positive = label > 0.5
    positives = int(positive.sum())
    negatives = len(label) - positives
    if not positives or not negatives:
        return None
    _, place, count = np.unique(predicted, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]
    area = rank[positive].sum() - positives * (positives + 1) / 2
    return float(area / (positives * negatives))
