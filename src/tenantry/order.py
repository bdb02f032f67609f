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
    equal = np.ones(max(len(frame) - 1, 0), dtype=bool)  # whether rows so far equal the one after
    for values in arrays:
        # others than numbers take longer to compare than to choose from
        some = slice(None) if isinstance(values, np.ndarray) else np.flatnonzero(equal)
        before, after = values[:-1][some], values[1:][some]
        if (equal[some] & np.asarray(before > after, dtype=bool)).any():
            return False
        equal[some] &= np.asarray(before == after, dtype=bool)
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
