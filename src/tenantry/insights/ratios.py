"""Ratios of sums over days, with errors from whole days, and which of many stand out.

Rows of one day share weather and crowds, so what varies is a day: the linearised, cluster-robust
variance of a ratio (Cameron and Miller, 2015, section II), with Student's quantiles.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import stdtr, stdtrit

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

CONFIDENCE = 0.95
"""Of intervals."""

MIN_DAYS = 10
"""Days with rows below which their spread says little."""


@dataclass(frozen=True)
class Ratios:
    """Ratios and their errors; all arrays have shape (k,).

    Attributes:
        value: The ratio; NaN where the denominator is 0.
        error: Its standard error; NaN with fewer than `MIN_DAYS` days.
        degrees: Days less one.
    """

    value: Floats
    error: Floats
    degrees: Floats

    def bound(self) -> tuple[Floats, Floats]:
        """Return the ends of the intervals; NaN where there is no error."""
        margin = stdtrit(np.maximum(self.degrees, 1), (1 + CONFIDENCE) / 2) * self.error
        return self.value - margin, self.value + margin

    def p_values(self) -> Floats:
        """Return how often chance alone lies so far from 0, two-sided; NaN without an error."""
        student = np.abs(self.value) / np.where(self.error > 0, self.error, np.nan)
        return np.asarray(2 * stdtr(np.maximum(self.degrees, 1), -student))


def measure_ratios(numerator: Floats, denominator: Floats) -> Ratios:
    """Measure ratios of sums.

    Args:
        numerator: By day and ratio, shape (days, k).
        denominator: The same; what is divided by, ≥ 0. Days without any count as none.
    """
    value, influence = _influence(numerator, denominator)
    return _with_error(value, influence, (denominator > 0).sum(axis=0))


def compare_ratios(numerator: Floats, denominator: Floats) -> Ratios:
    """Measure by how much each part's ratio differs from that of all other parts together.

    Args:
        numerator: By day and part, shape (days, k).
        denominator: The same. The parts make the whole.
    """
    others = numerator.sum(axis=1, keepdims=True) - numerator
    rest = denominator.sum(axis=1, keepdims=True) - denominator
    value, influence = _influence(numerator, denominator)
    other_value, other_influence = _influence(others, rest)
    days = (denominator > 0).sum(axis=0)
    return _with_error(value - other_value, influence - other_influence, days)


def subtract(now: Ratios, before: Ratios) -> Ratios:
    """Return by how much independent ratios differ."""
    error = np.sqrt(now.error**2 + before.error**2)
    return Ratios(now.value - before.value, error, np.minimum(now.degrees, before.degrees))


def adjust(p_values: Floats) -> Floats:
    """Adjust p-values for their number (Benjamini and Hochberg, 1995).

    Those that are at most q after it are false in a share q at most, on average, where tests are
    independent or depend positively, as tests of overlapping parts of the same rows do.

    Args:
        p_values: Shape (n,); NaN are left out, and stay.
    """
    adjusted = np.full(len(p_values), np.nan)
    known = np.flatnonzero(np.isfinite(p_values))
    order = known[np.argsort(-p_values[known], kind="stable")]
    ranks = np.arange(len(order), 0, -1)
    steps = np.minimum.accumulate(p_values[order] * len(order) / ranks)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def number_days(times: "pd.Series[pd.Timestamp]") -> Indices:
    """Number the days (UTC) of rows: 0 to d - 1, shape (n,)."""
    return np.asarray(pd.factorize(times.dt.floor("D"), sort=True)[0], dtype=np.intp)


def sum_by_day(values: Floats, day: Indices, part: Indices | None = None) -> Floats:
    """Sum values by day and part.

    Args:
        values: Shape (n,).
        day: Each row's day, 0 to d - 1.
        part: Each row's part, 0 to k - 1; all rows are one part when None.

    Returns:
        Shape (d, k).
    """
    part = np.zeros(len(day), dtype=np.intp) if part is None else part
    days, parts = int(day.max(initial=-1)) + 1, int(part.max(initial=-1)) + 1
    cells = np.bincount(day * parts + part, weights=values, minlength=days * parts)
    return np.asarray(cells, dtype=np.float64).reshape(days, parts)


def _influence(numerator: Floats, denominator: Floats) -> tuple[Floats, Floats]:
    """Return ratios, and how each day moves them."""
    whole = denominator.sum(axis=0)
    divisor = np.where(whole > 0, whole, np.nan)
    value = numerator.sum(axis=0) / divisor
    return value, (numerator - value * denominator) / divisor


def _with_error(value: Floats, influence: Floats, days: Indices) -> Ratios:
    factor = days / np.maximum(days - 1, 1)
    error = np.sqrt((influence**2).sum(axis=0) * factor)
    return Ratios(value, np.where(days >= MIN_DAYS, error, np.nan), (days - 1).astype(np.float64))
