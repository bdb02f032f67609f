"""Packed linear models: logistic regression in log-odds, ridge regression in values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from tenantry.packed.columns import Floats, Lookup, Row, number_in, numbers_in

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class PackedLinear:
    """A linear model of filled and standardised numbers, and of one-hot categories.

    Its score is the intercept, and of each number ``coefficient · (value - mean) / scale``, where
    `fill` stands for a missing value, and of each category its coefficient. Without terms it is a
    constant.

    Attributes:
        intercept: Of the model.
        names: Its m numbers.
        fill: What a missing number counts as, shape (m,).
        mean: Subtracted, shape (m,).
        scale: Divided by, shape (m,).
        coefficients: Shape (m,).
        lookups: Of its categories.
    """

    intercept: float
    names: tuple[str, ...]
    fill: Floats
    mean: Floats
    scale: Floats
    coefficients: Floats
    lookups: tuple[Lookup, ...]

    def score(self, frame: pd.DataFrame) -> Floats:
        """Return the scores of n rows in link space.

        Raises:
            KeyError: The frame lacks a feature.
            ValueError: A number is a text.
        """
        total = np.full(len(frame), self.intercept)
        if self.names:
            values = numbers_in(frame, self.names)
            filled = np.where(np.isnan(values), self.fill, values)
            total += ((filled - self.mean) / self.scale) @ self.coefficients
        for lookup in self.lookups:
            total += lookup.of_rows(frame)
        return total

    def score_row(self, row: Row) -> float:
        """Return the score of one row; see `score`."""
        total = self.intercept
        for name, fill, mean, scale, coefficient in self._terms:
            value = number_in(row, name)
            known = fill if math.isnan(value) else value
            total += (known - mean) / scale * coefficient
        for lookup in self.lookups:
            total += lookup.of_row(row)
        return total

    @cached_property
    def _terms(self) -> list[tuple[str, float, float, float, float]]:
        """The numbers' terms in Python's floats, of which a handful are quicker than arrays."""
        arrays = (self.fill, self.mean, self.scale, self.coefficients)
        return list(zip(self.names, *(array.tolist() for array in arrays), strict=True))
