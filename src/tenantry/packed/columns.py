"""What packed models read: numbers, and categories that are looked up.

Scoring single rows imports NumPy only: a serving process needs neither pandas nor scikit-learn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Row = Mapping[str, float | str | None]
"""Feature → its value in one row; a missing number is NaN or None."""


@dataclass(frozen=True)
class Columns:
    """Columns of a frame under the names of features, and others beside them; nothing is copied.

    Attributes:
        frame: The frame.
        names: Feature → its column there.
        beside: Feature → its values; one text where all rows have that.
    """

    frame: Frame
    names: Mapping[str, str]
    beside: Mapping[str, Floats | str]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.frame)

    def __getitem__(self, name: str) -> pd.Series[Any] | Floats | str:
        """Return a feature's column.

        Raises:
            KeyError: There is none.
        """
        return self.beside[name] if name in self.beside else self.frame[self.names[name]]


Frame: TypeAlias = "pd.DataFrame | Columns"
"""Rows of a feature table, by feature."""


@dataclass(frozen=True)
class Lookup:
    """A category that stands for a number: its shrunk mean label, or its coefficient.

    Attributes:
        name: The feature.
        values: Category → number.
        other: The number of all other categories.
    """

    name: str
    values: Mapping[str, float]
    other: float

    def of_row(self, row: Row) -> float:
        """Return the number of a row's category.

        Raises:
            KeyError: The row lacks the feature.
        """
        return self.values.get(row[self.name], self.other)  # type: ignore[arg-type] # any value

    def of_rows(self, frame: Frame) -> Floats:
        """Return the number of each row's category; of a missing one, that of all others.

        Raises:
            KeyError: The frame lacks the feature.
            ValueError: It is not a text.
        """
        column = frame[self.name]
        if isinstance(column, str):
            return np.full(len(frame), self.values.get(column, self.other))
        if isinstance(column, np.ndarray) or column.dtype.kind != "O":
            msg = f"{self.name} is not a category"
            raise ValueError(msg)
        codes, different = column.factorize()
        told = [self.values.get(level, self.other) for level in different]
        return np.array([*told, self.other]).take(codes)


def number_in(row: Row, name: str) -> float:
    """Return a row's number; NaN for None.

    Raises:
        KeyError: The row lacks the feature.
        ValueError: It is a text.
    """
    value = row[name]
    return math.nan if value is None else float(value)


def numbers_in(frame: Frame, names: tuple[str, ...]) -> Floats:
    """Return the numbers of n rows, shape (names, n).

    Raises:
        KeyError: The frame lacks a feature.
        ValueError: One is a text.
    """
    found = np.empty((len(names), len(frame)))
    for place, name in enumerate(names):
        column = frame[name]
        if isinstance(column, str) or column.dtype.kind == "O":
            msg = f"{name} is not a number"
            raise ValueError(msg)
        found[place] = column
    return found
