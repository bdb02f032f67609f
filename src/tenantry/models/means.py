"""What explanations of linear models count from: the means of what they were fitted on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_MEANS = "encoded_means_"
"""Kept beside the coefficients, in the model's file."""


def keep_means(estimator: object, fed: Any, weights: Floats | None = None) -> None:  # noqa: ANN401
    """Keep the means of the encoded columns that a linear estimator was fitted on.

    Args:
        estimator: Fitted; one without coefficients stays as it is.
        fed: What it was fed, shape (n, columns): an array, or a sparse matrix.
        weights: Of the rows; all alike when None.
    """
    if hasattr(estimator, "coef_"):
        weights = np.ones(fed.shape[0]) if weights is None else weights
        setattr(estimator, _MEANS, np.asarray(weights @ fed, dtype=np.float64) / weights.sum())


def encoded_means(estimator: Any) -> Floats:  # noqa: ANN401
    """Return the means of the encoded columns of a linear estimator's fit.

    Models of others, and of before they were kept, have none: they count from 0, which is the mean
    of a standardised number and no category.
    """
    return np.asarray(getattr(estimator, _MEANS, np.zeros(np.shape(estimator.coef_)[-1])))
