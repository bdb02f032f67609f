"""How far the columns of windows lie from what a model learnt on, and how unusual that is.

Two measures for every kind of column. The effect, 0 (alike) to 1 (nothing in common), does not grow
with the number of rows: the Kolmogorov-Smirnov distance of numbers, the total variation of
categories, the change in the share of missing values. The p-value says how often the tenant's own
past windows would lie so far off, whatever their size, days and season (`past`).

All windows of a column are compared at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from tenantry.columns import EVENT_TIME, LABEL
from tenantry.monitoring.cells import Cells, Column, count_cells, fit_cells, read_column
from tenantry.monitoring.past import Past, find_p_values, learn_past

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Learnt:
    """One column of what a model learnt on.

    Attributes:
        cells: That its values are counted in.
        values: How far its windows lie apart in values that were seen before.
        kinds: How far they lie apart in what is seen before, new or missing: a season of values
            must not excuse that they are gone.
        numbers: Its values if they are numbers, sorted, without NaN.
        missing: Share of the rows where it is missing.
    """

    cells: Cells
    values: Past
    kinds: Past
    numbers: Floats | None
    missing: float


@dataclass(frozen=True)
class Reference:
    """What a model learnt on.

    Attributes:
        rows: How many rows.
        volumes: Rows of each whole window of the tenant's length in it, shape (windows,).
        columns: Column → what is to be known of it.
        outcomes: Of the known labels of two classes: what predictions are compared with; None for
            values.
    """

    rows: int
    volumes: Floats
    columns: Mapping[str, Learnt]
    outcomes: Learnt | None = None


@dataclass(frozen=True)
class Compared:
    """One column of some windows against what the model learnt on.

    Attributes:
        effect: 0 to 1, shape (windows,); NaN without rows.
        p_value: Shape (windows,); NaN where nothing is known.
        missing: Share of missing values, shape (windows,); NaN without rows.
    """

    effect: Floats
    p_value: Floats
    missing: Floats


def learn_reference(
    frame: pd.DataFrame,
    columns: Iterable[str],
    *,
    until: datetime,
    length: timedelta,
    has_classes: bool,
) -> Reference:
    """Prepare what a model learnt on.

    Args:
        frame: The rows of the training span: `event_time` and the columns, float64 or str.
        columns: Which ones; those that the frame lacks are left out.
        until: The end of the span; the past windows are counted back from it.
        length: Of a window.
        has_classes: Whether the label is 0 or 1 and predictions are its probabilities.
    """
    back = (pd.Timestamp(until) - frame[EVENT_TIME]).to_numpy()
    window = -((-back) // pd.Timedelta(length).to_timedelta64()) - 1
    windows = int(window.max(initial=-1)) + 1
    volumes = np.bincount(window, minlength=windows)[: windows - 1]  # the oldest may not be whole
    names = [name for name in columns if name in frame]
    learnt = {name: learn_column(frame[name], window, windows) for name in names}
    known = frame[LABEL].notna().to_numpy()
    outcomes = learn_column(frame[LABEL][known], window[known], windows) if has_classes else None
    return Reference(len(frame), volumes.astype(np.float64), learnt, outcomes)


def learn_column(column: pd.Series, window: Indices, windows: int) -> Learnt:
    """Prepare a column of what a model learnt on.

    Args:
        column: Past values, shape (n,).
        window: Each row's window, 0 to `windows` - 1, shape (n,).
        windows: How many windows.
    """
    read = read_column(column)
    cells = fit_cells(read)
    counts = count_cells(cells.place(read), window, cells=cells.number, windows=windows)
    gone = read.missing
    return Learnt(
        cells=cells,
        values=learn_past(counts[:, :-2]),
        kinds=learn_past(_count_kinds(counts)),
        numbers=None if read.numbers is None else np.sort(read.numbers[~gone]),
        missing=float(gone.mean()) if len(gone) else 1.0,
    )


def compare_column(learnt: Learnt, column: pd.Series, window: Indices, windows: int) -> Compared:
    """Compare a column of some windows with what the model learnt on.

    Args:
        learnt: What it learnt on.
        column: The windows' values, shape (n,); any kind.
        window: Each row's window, 0 to `windows` - 1, shape (n,).
        windows: How many windows.
    """
    read = read_column(column)
    counts = count_cells(
        learnt.cells.place(read), window, cells=learnt.cells.number, windows=windows
    )
    rows = np.bincount(window, minlength=windows).astype(np.float64)
    missing = counts[:, -1] / np.where(rows > 0, rows, np.nan)
    effect = np.abs(missing - learnt.missing)
    distance = _distances(learnt, read, window, windows)
    return Compared(np.maximum(effect, distance), _find_p_values(learnt, counts), missing)


def measure_effect(before: pd.Series, now: pd.Series) -> float:
    """Return how far one column lies from another, 0 to 1; both must have rows."""
    learnt = learn_column(before, np.zeros(len(before), dtype=np.intp), 1)
    return float(compare_column(learnt, now, np.zeros(len(now), dtype=np.intp), 1).effect[0])


def compare_expected(
    outcomes: Learnt, predicted: Floats, window: Indices, windows: int
) -> Compared:
    """Compare how often windows' predictions expect a label of 1 with how often it was.

    Needs no label of the windows, and does not depend on which model predicted: another one may
    spread its probabilities more or less. Sums of probabilities vary less than labels do, so that
    chance alarms less often than said.

    Args:
        outcomes: The known labels of the past.
        predicted: Probabilities, shape (n,); NaN where there is none.
        window: Each row's window, 0 to `windows` - 1, shape (n,).
        windows: How many windows.
    """
    known = np.isfinite(predicted)
    cells = outcomes.cells.place(read_column(pd.Series([0.0, 1.0])))
    counts = np.zeros((windows, outcomes.cells.number))
    for cell, weight in zip(cells, (1 - predicted[known], predicted[known]), strict=True):
        counts[:, cell] += np.bincount(window[known], weights=weight, minlength=windows)
    rows = counts.sum(axis=1)
    mean = counts[:, cells[1]] / np.maximum(rows, 1)
    past = np.append(outcomes.values.counts, 0.0)  # a class that was never seen is new
    was = past[cells[1]] / max(past.sum(), 1)
    effect = np.where(rows > 0, np.abs(mean - was), np.nan)
    return Compared(effect, _find_p_values(outcomes, counts), np.zeros(windows))


def _count_kinds(counts: Floats) -> Floats:
    """Return how many values of each window were seen before, are new, are missing."""
    return np.column_stack([counts[:, :-2].sum(axis=1), counts[:, -2:]])


def _find_p_values(learnt: Learnt, counts: Floats) -> Floats:
    """Return the smaller p-value of values and kinds, twice: there are two chances of it."""
    kinds = find_p_values(learnt.kinds, _count_kinds(counts))
    values = find_p_values(learnt.values, counts[:, :-2])
    return np.asarray(np.minimum(2 * np.fmin(values, kinds), 1.0))


def _distances(learnt: Learnt, column: Column, window: Indices, windows: int) -> Floats:
    """Return each window's distance on the values that are present; 0 where one side has none."""
    present = ~column.missing
    window = window[present]
    if learnt.missing == 1.0:
        return np.zeros(windows)
    if learnt.numbers is not None and column.numbers is not None:
        return distances_of_numbers(learnt.numbers, column.numbers[present], window, windows)
    if learnt.numbers is None and column.numbers is None:
        return distances_of_categories(learnt.cells, column.texts[present], window, windows)
    return np.where(np.bincount(window, minlength=windows) > 0, 1.0, 0.0)


def distances_of_numbers(
    reference: Floats, values: Floats, window: Indices, windows: int
) -> Floats:
    """Return the Kolmogorov-Smirnov distance of each window's values from a sorted sample.

    Between two neighbours of the window its distribution function is flat and the other's rises,
    so the largest gap lies at one of its values, or just before one.
    """
    order = np.lexsort((values, window))
    values, window = values[order], window[order]
    size = np.bincount(window, minlength=windows)
    place = np.arange(len(values)) - (np.cumsum(size) - size)[window]
    fresh = np.append(True, (values[1:] != values[:-1]) | (window[1:] != window[:-1]))[: len(place)]
    last = np.append(fresh[1:], True)[: len(place)]
    of = len(reference)
    below = np.searchsorted(reference, values, side="left") / of - place / size[window]
    upto = np.searchsorted(reference, values, side="right") / of - (place + 1) / size[window]
    gap = np.maximum(np.where(fresh, np.abs(below), 0.0), np.where(last, np.abs(upto), 0.0))
    distance = np.zeros(windows)
    np.maximum.at(distance, window, gap)
    return distance


def distances_of_categories(
    learnt: Cells, texts: npt.NDArray[np.object_], window: Indices, windows: int
) -> Floats:
    """Return the total variation of each window's categories from shares that were learnt."""
    code = learnt.categories.get_indexer(pd.Index(texts))
    known = len(learnt.categories)
    counts = count_cells(np.where(code < 0, known, code), window, cells=known + 1, windows=windows)
    size = counts.sum(axis=1, keepdims=True)
    distance = np.abs(counts / np.maximum(size, 1) - np.append(learnt.shares, 0.0)).sum(axis=1) / 2
    return np.asarray(np.where(size[:, 0] > 0, distance, 0.0))
