"""Frames in order of some columns: most come in it, which is quicker to see than to sort."""

from typing import Any

import numpy as np
import pandas as pd


def sort_rows(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return a frame sorted by columns, equal rows as they came, with a fresh index."""
    if not is_sorted(frame, columns):
        return frame.sort_values(list(columns), kind="stable", ignore_index=True)
    index = pd.RangeIndex(len(frame))
    return frame if frame.index.equals(index) else frame.set_axis(index)


def is_sorted(frame: pd.DataFrame, columns: tuple[str, ...]) -> bool:
    """Say whether a frame is sorted by columns; where a value of them is missing, no."""
    arrays = [_comparable(frame[name]) for name in columns]
    if any(pd.isna(values).any() for values in arrays):
        return False
    equal = None  # rows that are so far equal to the one after; None for all
    for values in arrays:
        before, after = values[:-1], values[1:]
        if equal is not None:
            before, after = before[equal], after[equal]
        if (before > after).any():
            return False
        same = np.flatnonzero(before == after)
        equal = same if equal is None else equal[same]
    return True


def _comparable(values: pd.Series) -> Any:  # noqa: ANN401 - an array of pandas or NumPy
    """Return numbers and moments as NumPy has them, which compares them quicker."""
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return values.to_numpy(f"datetime64[{values.dtype.unit}]")
    return values.to_numpy() if values.dtype.kind in "biuf" else values.array


def is_rising(values: pd.Series) -> bool:
    """Say whether each number or moment is above the one before, so that none repeats another."""
    array = values.to_numpy()
    return array.dtype.kind in "fiM" and bool(np.all(array[1:] > array[:-1]))
