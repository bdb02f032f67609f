"""Packed linear models: logistic regression in log-odds, ridge regression in values."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tenantry.packed.columns import Floats, Frame, Lookup, Row, number_in, numbers_in
from tenantry.packed.parts import Parts


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
        centre: Mean of each term over the rows of the fit, numbers before categories: what
            explanations count from, shape (m + lookups,).
    """

    intercept: float
    names: tuple[str, ...]
    fill: Floats
    mean: Floats
    scale: Floats
    coefficients: Floats
    lookups: tuple[Lookup, ...]
    centre: Floats

    def score(self, frame: Frame) -> Floats:
        """Return the scores of n rows in link space.

        Raises:
            KeyError: The frame lacks a feature.
            ValueError: A number is a text.
        """
        total = np.full(len(frame), self.intercept)
        for term in self._columns(frame):
            total += term
        return total

    def score_row(self, row: Row) -> float:
        """Return the score of one row; see `score`."""
        total = self.intercept
        for term in self._number_terms(row):
            total += term
        for lookup in self.lookups:
            total += lookup.of_row(row)
        return total

    def parts(self, frame: Frame) -> Parts[Floats]:
        """Take the scores of n rows apart: feature → its term in each, less its mean in the fit.

        For a sum of terms these are the Shapley values when what is not known of a row is averaged
        over the rows of the fit.

        Raises:
            KeyError: The frame lacks a feature.
            ValueError: A number is a text.
        """
        terms = self._columns(frame)
        centred = (term - mean for term, mean in zip(terms, self.centre.tolist(), strict=True))
        return Parts(self.base, dict(zip(self.features, centred, strict=True)))

    def parts_row(self, row: Row) -> Parts[float]:
        """Take the score of one row apart; see `parts`."""
        terms = [*self._number_terms(row), *(lookup.of_row(row) for lookup in self.lookups)]
        centred = (term - mean for term, mean in zip(terms, self.centre.tolist(), strict=True))
        return Parts(self.base, dict(zip(self.features, centred, strict=True)))

    def line(self, name: str) -> tuple[float, float]:
        """Return slope and offset of a number's part: ``offset + slope · value``.

        Raises:
            ValueError: It reads no such number.
        """
        place = self.names.index(name)
        slope = float(self.coefficients[place] / self.scale[place])
        return slope, -slope * float(self.mean[place]) - float(self.centre[place])

    @cached_property
    def explained_bytes(self) -> int:
        """Build what parts are looked up in; return its bytes, which are none to speak of."""
        self.parts_row(dict.fromkeys(self.features))
        return 0

    @cached_property
    def base(self) -> float:
        """What the parts of a row count from: the mean score of the rows of the fit."""
        return self.intercept + math.fsum(self.centre.tolist())

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The features that it reads, numbers before categories."""
        return (*self.names, *(lookup.name for lookup in self.lookups))

    def _columns(self, frame: Frame) -> Iterator[Floats]:
        """Yield the terms of n rows, one by one: a row's do not hang on those beside it."""
        values = numbers_in(frame, self.names)
        for column, (_, fill, mean, scale, coefficient) in zip(values, self._terms, strict=True):
            np.copyto(column, fill, where=np.isnan(column))
            np.subtract(column, mean, out=column)
            np.divide(column, scale, out=column)
            yield np.multiply(column, coefficient, out=column)
        for lookup in self.lookups:
            yield lookup.of_rows(frame)

    def _number_terms(self, row: Row) -> Iterator[float]:
        for name, fill, mean, scale, coefficient in self._terms:
            value = number_in(row, name)
            known = fill if math.isnan(value) else value
            yield (known - mean) / scale * coefficient

    @cached_property
    def _terms(self) -> list[tuple[str, float, float, float, float]]:
        """The numbers' terms in Python's floats, of which a handful are quicker than arrays."""
        arrays = (self.fill, self.mean, self.scale, self.coefficients)
        return list(zip(self.names, *(array.tolist() for array in arrays), strict=True))
