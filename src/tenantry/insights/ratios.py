"""Ratios of sums over days, with errors from whole days, and which of many stand out.

Rows of one day share weather and crowds, so what varies is a day: the linearised, cluster-robust
variance of a ratio (Cameron and Miller, 2015, section II), with Student's quantiles.
"""

from dataclasses import dataclass, replace

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

    def bound_shares(self, rows: Floats) -> tuple[Floats, Floats]:
        """Return the ends of the intervals of shares of rows; NaN where there is no error.

        Wilson's interval of so many independent rows as would have the same error, at most as many
        as there are (Franco et al., 2019): where all rows are alike the error is 0, but no proof.

        Args:
            rows: How many each is a share of, shape (k,).
        """
        share = np.clip(self.value, 0.0, 1.0)  # no label that is none can break a page
        worth = np.array(rows, dtype=np.float64)
        spread = np.flatnonzero(self.error > 0)
        most = share[spread] * (1 - share[spread]) / self.error[spread] ** 2
        worth[spread] = np.minimum(worth[spread], np.maximum(most, 1.0))
        student = stdtrit(np.maximum(self.degrees, 1), (1 + CONFIDENCE) / 2) ** 2 / worth
        middle = (share + student / 2) / (1 + student)
        margin = np.sqrt(share * (1 - share) * student + student**2 / 4) / (1 + student)
        known = np.where(np.isfinite(self.error), 1.0, np.nan)
        return np.maximum(middle - margin, 0.0) * known, np.minimum(middle + margin, 1.0) * known

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


def compare_means(numerator: Floats, denominator: Floats, variance: float) -> Ratios:
    """Measure by how much each part's mean differs from that of all other parts together.

    No error is less than independent rows would have: where nothing rare happened in a small part
    its days are all alike, which is no evidence that it is calm.

    Args:
        numerator: Sums by day and part, shape (days, k).
        denominator: Numbers of rows, the same shape. The parts make the whole.
        variance: Of single rows.
    """
    others = numerator.sum(axis=1, keepdims=True) - numerator
    rest = denominator.sum(axis=1, keepdims=True) - denominator
    value, influence = _influence(numerator, denominator)
    other_value, other_influence = _influence(others, rest)
    days = (denominator > 0).sum(axis=0)
    found = _with_error(value - other_value, influence - other_influence, days)
    with np.errstate(divide="ignore", invalid="ignore"):  # there may be no others
        least = np.sqrt(variance * (1 / denominator.sum(axis=0) + 1 / rest.sum(axis=0)))
    return replace(found, error=np.maximum(found.error, least))


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
