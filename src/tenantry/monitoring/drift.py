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
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from tenantry.columns import EVENT_TIME, LABEL
from tenantry.monitoring.blocks import MIN_BLOCKS
from tenantry.monitoring.cells import (
    Cells,
    Column,
    count_cells,
    fit_cells,
    fit_numbers,
    is_number,
    read_column,
)
from tenantry.monitoring.past import Past, find_p_values, learn_past

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

Task = Literal["classification", "regression", "multiclass"]


Blocks = tuple[Indices, Indices]

DOUBTFUL = 0.05
"""A window with a smaller p-value must stay unusual whichever block is left out."""


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
        outcomes: Of the known labels: what predictions are compared with. Classes are categories.
        length: Of a window.
        silences: From the last row of each such window to its end, as a share of it, shape
            (windows,).
        levels: Mean of the known labels of each such window, NaN without any, shape (windows,).
        task: What is predicted.
    """

    rows: int
    volumes: Floats
    columns: Mapping[str, Learnt]
    outcomes: Learnt
    length: timedelta
    silences: Floats
    levels: Floats
    task: Task = "classification"


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
    task: Task = "classification",
) -> Reference:
    """Prepare what a model learnt on.

    Args:
        frame: The rows of the training span: `event_time` and the columns, float64 or str.
        columns: Which ones; those that the frame lacks are left out.
        until: The end of the span; the past windows are counted back from it.
        length: Of a window.
        task: What is predicted: a label of 0 or 1, a number, or the code of a class.
    """
    label = classes_in(frame[LABEL]) if task == "multiclass" else frame[LABEL]
    back = (pd.Timestamp(until) - frame[EVENT_TIME]).to_numpy()
    span = pd.Timedelta(length).to_timedelta64()
    window = -((-back) // span) - 1
    windows = int(window.max(initial=-1)) + 1
    whole = max(windows - 1, 0)  # the oldest may not be whole
    silences = np.ones(windows)
    np.minimum.at(silences, window, back / span - window)
    read = {name: label if name == LABEL else frame[name] for name in columns if name in frame}
    learnt = {name: learn_column(column, window, windows) for name, column in read.items()}
    known = label.notna().to_numpy()
    outcomes = learnt.get(LABEL) if known.all() else None
    return Reference(
        rows=len(frame),
        volumes=np.bincount(window, minlength=windows)[:whole].astype(np.float64),
        columns=learnt,
        outcomes=outcomes or learn_column(label[known], window[known], windows),
        length=length,
        silences=silences[:whole],
        levels=_levels(label[known], window[known], windows)[:whole],
        task=task,
    )


def classes_in(codes: pd.Series) -> pd.Series:
    """Return codes of classes as categories, which have no order; missing ones stay missing."""
    return codes.map("{:g}".format, na_action="ignore").astype("str")


def _levels(label: pd.Series, window: Indices, windows: int) -> Floats:
    """Return the mean label of each window, NaN without any or where labels are categories."""
    if not is_number(label):
        return np.full(windows, np.nan)
    sums = np.bincount(window, weights=label.to_numpy(dtype=np.float64), minlength=windows)
    rows = np.bincount(window, minlength=windows)
    return np.where(rows > 0, sums / np.maximum(rows, 1), np.nan)


def learn_column(column: pd.Series, window: Indices, windows: int) -> Learnt:
    """Prepare a column of what a model learnt on.

    Args:
        column: Past values, shape (n,).
        window: Each row's window, 0 to `windows` - 1, shape (n,).
        windows: How many windows.
    """
    read = read_column(column)
    gone = read.missing
    numbers = None if read.numbers is None else np.sort(read.numbers[~gone])
    cells = fit_cells(read) if numbers is None else fit_numbers(numbers)
    counts = count_cells(cells.place(read), window, cells=cells.number, windows=windows)
    return Learnt(
        cells=cells,
        values=learn_past(counts[:, :-2]),
        kinds=learn_past(_count_kinds(counts)),
        numbers=numbers,
        missing=float(gone.mean()) if len(gone) else 1.0,
    )


def compare_column(
    learnt: Learnt, column: pd.Series, window: Indices, windows: int, blocks: Blocks | None = None
) -> Compared:
    """Compare a column of some windows with what the model learnt on.

    Args:
        learnt: What it learnt on.
        column: The windows' values, shape (n,); any kind.
        window: Each row's window, 0 to `windows` - 1, shape (n,).
        windows: How many windows.
        blocks: Each row's block and each block's window; no single one makes a window unusual.
            None when nothing is known of them.
    """
    read = read_column(column)
    cell = learnt.cells.place(read)
    counts = count_cells(cell, window, cells=learnt.cells.number, windows=windows)
    rows = np.bincount(window, minlength=windows).astype(np.float64)
    missing = counts[:, -1] / np.where(rows > 0, rows, np.nan)
    effect = np.abs(missing - learnt.missing)
    distance = _distances(learnt, read, window, windows)
    p_value = find_column_p_values(learnt, counts)
    if blocks is not None and (p_value < DOUBTFUL).any():
        block, home = blocks
        parts = count_cells(cell, block, cells=learnt.cells.number, windows=len(home))
        p_value = forgive_blocks(learnt, counts, parts, home, p_value)
    return Compared(np.maximum(effect, distance), p_value, missing)


def forgive_blocks(
    learnt: Learnt, counts: Floats, parts: Floats, home: Indices, p_value: Floats
) -> Floats:
    """Return the p-values of windows without the block without which they are least unusual.

    One day of broken weather, or the hottest of the year, is seen by all of its rows; what changed
    for good is seen on the other days, too.

    Args:
        learnt: The column's past.
        counts: Rows by window and cell, shape (windows, cells).
        parts: Rows by block and cell, shape (blocks, cells).
        home: Each block's window, rising, shape (blocks,).
        p_value: Of whole windows, shape (windows,); those that are not unusual stay as they are.
    """
    found = p_value.copy()
    for window in np.flatnonzero(p_value < DOUBTFUL):
        first, last = np.searchsorted(home, [window, window + 1])
        if last - first >= MIN_BLOCKS:
            without = counts[window] - parts[first:last]
            least = find_column_p_values(learnt, without)
            found[window] = np.nanmax(least, initial=p_value[window])
    return found


def measure_effect(before: pd.Series, now: pd.Series) -> float:
    """Return how far one column lies from another, 0 to 1; both must have rows."""
    learnt = learn_column(before, np.zeros(len(before), dtype=np.intp), 1)
    return float(compare_column(learnt, now, np.zeros(len(now), dtype=np.intp), 1).effect[0])


def _count_kinds(counts: Floats) -> Floats:
    """Return how many values of each window were seen before, are new, are missing."""
    return np.column_stack([counts[:, :-2].sum(axis=1), counts[:, -2:]])


def find_column_p_values(learnt: Learnt, counts: Floats) -> Floats:
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
