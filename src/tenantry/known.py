"""What of a tenant's rows is known at a time."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tenantry.columns import KNOWN_AT, LABEL_KNOWN_AT
from tenantry.moments import instant, moments_until, row_moments
from tenantry.specs.data import Times

Columns = dict[str, "pd.Series[Any]"]
"""Columns of the same rows, quicker to take one by one than those of a frame."""


def known_rows(
    given: Columns, outcomes: Iterable[str], times: Times, as_of: datetime
) -> tuple[Columns, Columns, int]:
    """Return the rows known by `as_of`, outcomes hidden until known; their moments; how many not.

    A row of which nobody can say when it is known stays, and is a bad row later.

    Args:
        given: Columns of any type, those of times among them.
        outcomes: The columns that are known only with the label.
        times: What says when a row and its label are known.
        as_of: Nothing known later is looked at.
    """
    known = {name: _numbered(column) for name, column in given.items()}
    moments = row_moments(known, times)
    later = moments[KNOWN_AT].to_numpy("datetime64[us]") > instant(as_of)
    if later.any():
        known, moments = (
            {name: column[~later].reset_index(drop=True) for name, column in columns.items()}
            for columns in (known, moments)
        )
    hidden = ~moments_until(moments[LABEL_KNOWN_AT], as_of)
    if hidden.any():
        known |= {name: _masked(known[name], hidden) for name in outcomes}
        if times.label_known_at.column is not None:
            moments[LABEL_KNOWN_AT] = _masked(moments[LABEL_KNOWN_AT], hidden)
    return known, moments, int(later.sum())


def _numbered(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return a column whose rows are numbered from 0; mostly they are."""
    is_numbered = isinstance(column.index, pd.RangeIndex) and column.index.equals(
        pd.RangeIndex(len(column))
    )
    return column if is_numbered else column.reset_index(drop=True)


def _masked(column: "pd.Series[Any]", hidden: NDArray[np.bool_]) -> "pd.Series[Any]":
    """Return a column without some of its values; of numbers that is quickly done."""
    if column.dtype == np.float64:
        shown = np.where(hidden, np.nan, column.to_numpy())
        return pd.Series(shown, index=column.index, copy=False)
    return column.mask(hidden)
