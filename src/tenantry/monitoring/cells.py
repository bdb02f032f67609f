"""Cells that a column's values are counted in, fitted on a tenant's own past.

Numbers fall into tenths of the past values, categories into the most frequent ones and a rest.
Two cells more: what was never seen (far outside the past's range, a new category, another type)
and what is missing. So every value of every kind has a cell, and one test serves all columns.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

TENTHS = 10
"""Cells of a column of numbers."""

CATEGORIES = 20
"""Categories that have a cell of their own; the others share one."""

RECORD = 0.1
"""So large a part of the past's range a number may lie outside it and still be no news: in every
year some day is the hottest, and all rows of that day share it."""

_NO_CATEGORIES = pd.Index([])
_NO_TEXTS = np.zeros(0, dtype=object)


@dataclass(frozen=True)
class Column:
    """A column taken out of pandas once.

    Attributes:
        numbers: Its values if they are numbers, NaN where missing, shape (n,); else None.
        texts: Its values if they are categories, shape (n,); else none.
        missing: Where it has none, shape (n,).
    """

    numbers: Floats | None
    texts: npt.NDArray[np.object_]
    missing: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Cells:
    """Cells of one column; the last two are for what is new and what is missing.

    Attributes:
        number: How many cells there are, with the last two.
        edges: Of numbers: m + 1 rising edges of m cells, each without its left edge; else None.
        categories: Distinct categories, sorted; none for numbers.
        shares: Share of each category among those that are present.
        cell_of: Cell of each category.
    """

    number: int
    edges: Floats | None
    categories: pd.Index
    shares: Floats
    cell_of: Indices

    def place(self, column: Column) -> Indices:
        """Return each value's cell, shape (n,); never raises for what the column holds."""
        new, missing = self.number - 2, self.number - 1
        cell = np.full(len(column.missing), new)
        if self.edges is not None and column.numbers is not None:
            found = np.searchsorted(self.edges, column.numbers, side="left") - 1
            cell = np.where(self._is_far(column.numbers), new, np.clip(found, 0, new - 1))
        elif self.edges is None and column.numbers is None:
            code = self.categories.get_indexer(pd.Index(column.texts))
            cell = np.where(code < 0, new, np.append(self.cell_of, new)[code])
        cell[column.missing] = missing
        return cell

    def _is_far(self, numbers: Floats) -> npt.NDArray[np.bool_]:
        """Return which numbers lie farther outside the past's range than a record is wont to."""
        if self.edges is None:
            return np.zeros(len(numbers), dtype=bool)
        low, high = self.edges[0], self.edges[-1]
        with np.errstate(over="ignore", invalid="ignore"):
            margin = RECORD * (high - low) if len(self.edges) > 2 else 0.0
            return np.asarray((numbers <= low - margin) | (numbers > high + margin))


def read_column(column: pd.Series) -> Column:
    """Take a column out of pandas, whatever it holds."""
    if is_number(column):
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return Column(numbers, _NO_TEXTS, np.isnan(numbers))
    return Column(None, column.to_numpy(dtype=object), column.isna().to_numpy())


def fit_cells(column: Column) -> Cells:
    """Fit cells on past values, with or without missing ones."""
    if column.numbers is None:
        return _fit_categories(column.texts[~column.missing])
    return fit_numbers(np.sort(column.numbers[~column.missing]))


def fit_numbers(values: Floats) -> Cells:
    """Fit cells on past numbers, sorted and none missing, shape (n,)."""
    if not len(values):
        return _cells_of_numbers(np.zeros(1))
    upper = values[np.ceil(np.arange(1, TENTHS + 1) * len(values) / TENTHS).astype(int) - 1]
    with np.errstate(over="ignore"):  # below the smallest number lies minus infinity
        lowest = np.nextafter(values[0], -np.inf)
    return _cells_of_numbers(np.append(lowest, np.unique(upper)))


def count_cells(cell: Indices, window: Indices, *, cells: int, windows: int) -> Floats:
    """Count rows by window and cell.

    Args:
        cell: Each row's cell, shape (n,).
        window: Each row's window, 0 to `windows` - 1, shape (n,).
        cells: How many cells.
        windows: How many windows.

    Returns:
        Counts, shape (windows, cells).
    """
    counts = np.bincount(window * cells + cell, minlength=windows * cells)
    return counts.reshape(windows, cells).astype(np.float64)


def is_number(column: pd.Series) -> bool:
    """Whether a column holds numbers (else categories)."""
    return pd.api.types.is_numeric_dtype(column.dtype)


def _cells_of_numbers(edges: Floats) -> Cells:
    return Cells(len(edges) + 1, edges, _NO_CATEGORIES, np.zeros(0), np.zeros(0, dtype=np.intp))


def _fit_categories(present: npt.NDArray[np.object_]) -> Cells:
    code, found = pd.factorize(present, sort=True)
    categories = pd.Index(found)
    counts = np.bincount(code, minlength=len(categories))
    own = min(len(categories), CATEGORIES)
    cell_of = np.full(len(categories), own)
    cell_of[np.argsort(-counts, kind="stable")[:own]] = np.arange(own)
    number = own + int(len(categories) > own) + 2
    return Cells(number, None, categories, counts / max(len(present), 1), cell_of)
