"""Link space: log-odds of probabilities, the value itself of a regression."""

import numpy as np
from numpy.typing import NDArray

from tenantry.models.card import Task

Scores = NDArray[np.float64]

_EDGE = 1e-9
"""Estimators without a decision function never say 0 or 1, whose log-odds are infinite."""


def from_link(scores: Scores, task: Task) -> Scores:
    """Turn scores in link space into probabilities (classification) or values (regression)."""
    if task == "regression":
        return scores
    if task == "multiclass":
        grown = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(grown / grown.sum(axis=1, keepdims=True), dtype=np.float64)
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * scores)), dtype=np.float64)


def to_link(probabilities: Scores) -> Scores:
    """Turn probabilities into log-odds; 0 and 1 become ±20.7."""
    inside = np.clip(probabilities, _EDGE, 1 - _EDGE)
    return np.asarray(np.log(inside) - np.log1p(-inside), dtype=np.float64)


def log_chances(probabilities: Scores) -> Scores:
    """Turn probabilities of classes, (n, K), into their logarithms less their mean."""
    return centred(np.log(np.clip(probabilities, _EDGE, 1)))


def centred(scores: Scores) -> Scores:
    """Return scores of classes, (n, K), less their mean: softmax does not tell the difference."""
    return scores - scores.mean(axis=1, keepdims=True) if scores.ndim == 2 else scores
