"""Calibration in log-odds: a slope and an intercept, so that explanations stay additive."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from tenantry.bootstrap import standard_error
from tenantry.metrics import Floats, row_losses
from tenantry.models.fitted import FittedModel
from tenantry.models.link import from_link, to_link

MIN_ROWS = 200
"""Labelled rows below which two more parameters do more harm than good."""

Line = tuple[float, float]
"""Slope and intercept."""


def fit_line(predicted: Floats, label: Floats) -> Line | None:
    """Fit the log-odds of labels as a line of the predicted log-odds (Platt, 1999).

    Args:
        predicted: Probabilities by a model that had not seen these rows, shape (n,).
        label: Their labels, 0 or 1.

    Returns:
        Slope and intercept, or None when there are too few rows, one class only, or the line
        falls: then the score would be turned over.
    """
    scores = to_link(predicted)
    if len(label) < MIN_ROWS or len(np.unique(label)) < 2 or np.ptp(scores) < 1e-9:
        return None
    line = LogisticRegression(C=1.0, tol=1e-8).fit(scores[:, None], label)
    slope, intercept = float(line.coef_[0, 0]), float(line.intercept_[0])
    return (slope, intercept) if slope > 0 else None


def is_of_help(
    predicted: Floats, label: Floats, days: NDArray[np.int64], *, metric: str, margin: float
) -> bool:
    """Return whether a line makes predictions of rows better that it was not fitted on.

    The days are cut in the middle; each half is put on the line of the other. The line helps when
    the mean loss falls by more than `margin` standard errors of the paired difference, clustered by
    day: the rule by which candidates are compared.

    Args:
        predicted: Probabilities by a model that had not seen these rows, shape (n,).
        label: Their labels, 0 or 1.
        days: Their local days, whole numbers.
        metric: What is compared; lower is better.
        margin: Standard errors.
    """
    is_late = days > np.median(np.unique(days))
    mended = predicted.copy()
    for half in (is_late, ~is_late):
        line = fit_line(predicted[~half], label[~half])
        if line is None:
            return False
        slope, intercept = line
        scores = intercept + slope * to_link(predicted[half])
        mended[half] = from_link(scores, "classification")
    gains = row_losses(metric, label, predicted) - row_losses(metric, label, mended)
    return bool(gains.mean() > margin * standard_error(gains, days))


def calibrated(model: FittedModel, line: Line | None) -> FittedModel:
    """Return the model with its scores on the line; as it is without one."""
    if line is None:
        return model
    slope, intercept = line
    return replace(
        model,
        slope=slope * model.slope,
        intercept=intercept + slope * model.intercept,
    )
