"""How unusual a window is, by the tenant's own past windows.

A window's counts are compared with those of the past by Freeman-Tukey deviates, which bear cells
that expect less than one row. What chance alone does is known; but rows of one window share
weather, crowds and season, so the past windows lie farther from their whole than chance would
have it. By how much is measured on them (the overdispersion; Rao and Scott, 1984) and taken to grow
with a window's rows, as a shift that all rows of a window share does. The law of the ratio is an
F distribution; the more of the spread is shared, the fewer independent parts the sum has
(Satterthwaite), so its tail gets as heavy as that of one squared Student variable.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import fdtrc, gammaincinv

Floats = npt.NDArray[np.float64]

MIN_WINDOWS = 8
"""Past windows needed to know what is usual."""

SURE = 0.8
"""Confidence of the bound on the overdispersion. All windows of a model are compared with the same
past, so that an error in it is made over and over."""

ERRORS = 2.0
"""Squared standard errors of the past's whole that are allowed for, for the same reason."""

SLIGHT = 0.1
"""A smaller part of the spread that is shared, and so has to be estimated, counts as this much."""


@dataclass(frozen=True)
class Past:
    """A column's past, all that is needed to say how unusual a window is.

    Attributes:
        counts: Rows by cell over all past windows, shape (cells,).
        windows: How many past windows had rows.
        shared: Overdispersion that each row of a window adds, ≥ 0.
        spread: Overdispersion of a past window on average, ≥ 1. Both are upper bounds.
    """

    counts: Floats
    windows: int
    shared: float
    spread: float


def learn_past(counts: Floats) -> Past:
    """Measure how far past windows lie from their whole.

    Args:
        counts: Rows by window and cell, shape (windows, cells).
    """
    counts = counts[counts.sum(axis=1) > 0]
    whole = counts.sum(axis=0)
    if len(counts) < 2 or np.count_nonzero(whole) < 2:  # one cell: nothing to lie apart in
        return Past(whole, len(counts), 0.0, 1.0)
    distance = _distance(counts, whole - counts)
    expected = _expect(counts.sum(axis=1), whole)
    measured = max(float(distance.sum() / expected.sum()), 1.0)
    parts = len(counts) * _count_parts(expected.mean(), measured)
    spread = 1 + (measured - 1) * float(allow_for_few(parts))
    shared = (spread - 1) / float(counts.sum(axis=1).mean())
    return Past(whole, len(counts), float(shared), float(spread))


def find_p_values(past: Past, counts: Floats) -> Floats:
    """Return how probable windows as unusual as these are while nothing changes.

    Args:
        past: The column's past.
        counts: Rows by window and cell, shape (windows, cells).

    Returns:
        p-values, shape (windows,); NaN for a window without rows and where too little is known of
        the past.
    """
    rows = counts.sum(axis=1)
    if past.windows < MIN_WINDOWS:
        return np.full(len(rows), np.nan)
    if np.count_nonzero(past.counts + counts.sum(axis=0)) < 2:
        return np.where(rows > 0, 1.0, np.nan)
    parts = _expect(rows, past.counts)
    spread = 1 + past.shared * rows
    ratio = _distance(counts, past.counts, errors=ERRORS) / (parts * spread)
    shared = max(1 - 1 / past.spread, SLIGHT)
    below = past.windows * _count_parts(_mean_parts(past), past.spread) / shared
    p_value = fdtrc(_count_parts(parts, spread), below, ratio)
    return np.asarray(np.where(rows > 0, p_value, np.nan))


def _distance(counts: Floats, rest: Floats, *, errors: float = 1.0) -> Floats:
    """Return the sum of squared Freeman-Tukey deviates, whose mean is `_expect` by chance.

    The rest is no more than a sample, either; `errors` is how much of its error is allowed for.
    """
    rows, others = counts.sum(axis=1), rest.sum(axis=-1)
    expected = rest * (rows / np.maximum(others, 1))[:, None]
    deviate = np.sqrt(counts) + np.sqrt(counts + 1) - np.sqrt(4 * expected + 1)
    scale = 1 + errors * rows / np.maximum(others, 1)
    return np.asarray((deviate**2).sum(axis=1) / scale)


def _expect(rows: Floats, whole: Floats) -> Floats:
    """Return the mean of `_distance` by chance: nearly 1 for each cell that expects some rows."""
    share = whole / max(whole.sum(), 1)
    filled = 1 - np.exp(-2.2 * rows[:, None] * share)
    return np.asarray(np.maximum((filled * (1 - share)).sum(axis=1), 1.0))


def _mean_parts(past: Past) -> float:
    rows = np.array([past.counts.sum() / past.windows])
    return float(_expect(rows, past.counts)[0])


def _count_parts(parts: Floats | float, spread: Floats | float) -> Floats:
    """Return how many independent parts of equal size a distance is like.

    By chance it has `parts` of size one; what is shared adds to one of them.
    """
    largest = 1 + (np.asarray(spread) - 1) * parts
    return np.asarray((largest + parts - 1) ** 2 / (largest**2 + parts - 1))


def allow_for_few(parts: Floats | float) -> Floats:
    """Return by how much a variance of so many independent parts may be underestimated."""
    return np.asarray(parts / (2 * gammaincinv(parts / 2, 1 - SURE)))
