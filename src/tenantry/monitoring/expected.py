"""The quality that predictions promise by themselves, before any label is known."""

import numpy as np

from tenantry.metrics import Floats, row_losses


def expect_quality(metric: str, predicted: Floats) -> float | None:
    """Return the metric's mean over labels drawn from the predictions' own probabilities.

    For the log loss that is their mean entropy, for the Brier score their mean variance. It is as
    true as the probabilities are: a model that does not see that the world has changed expects as
    much of itself as before.

    Args:
        metric: `log_loss` or `brier`; a value does not say how far off it may be.
        predicted: Probabilities, shape (n,), of K classes (n, K), finite.
    """
    if metric not in ("log_loss", "brier") or not len(predicted):
        return None
    weights = predicted if predicted.ndim == 2 else np.stack([1 - predicted, predicted], axis=1)
    losses = [
        row_losses(metric, np.full(len(predicted), float(label)), predicted)
        for label in range(weights.shape[1])
    ]
    return float((weights * np.stack(losses, axis=1)).sum(axis=1).mean())
