"""The moments of a row: when it happens, when its features and its label are known."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tenantry.columns import EVENT_TIME, KNOWN_AT, LABEL_KNOWN_AT
from tenantry.specs.data import KnownAt, Times
from tenantry.times import Window
from tenantry.values import TIME, read_values

Rows = pd.DataFrame | Mapping[str, "pd.Series[Any]"]
"""A frame, or columns of the same rows."""


def event_times(frame: Rows, times: Times) -> "pd.Series[Any]":
    """Return when each row happens, datetime64[us, UTC]; NaT where it cannot be read."""
    return read_values(frame[times.event_time], "time").clean


def known_times(frame: Rows, times: Times) -> "pd.Series[Any]":
    """Return when each row's features are known, datetime64[us, UTC]; NaT where nobody can say."""
    return _moments(frame, event_times(frame, times), times.known_at)


def row_moments(frame: Rows, times: Times) -> "dict[str, pd.Series[Any]]":
    """Return all three as `event_time`, `known_at` and `label_known_at`, by the rows' index."""
    event = event_times(frame, times)
    return {
        EVENT_TIME: event,
        KNOWN_AT: _moments(frame, event, times.known_at),
        LABEL_KNOWN_AT: _moments(frame, event, times.label_known_at),
    }


def moments_until(moments: "pd.Series[Any]", as_of: datetime) -> NDArray[np.bool_]:
    """Return which moments are at `as_of` or before it; of a missing one nobody can say so."""
    return np.asarray(moments.to_numpy("datetime64[us]") <= instant(as_of))


def rows_within(frame: pd.DataFrame, times: Times, span: Window) -> pd.DataFrame:
    """Return the rows that happen in a span, and those of which nobody can say when they do."""
    happens = event_times(frame, times).to_numpy("datetime64[us]")
    outside = (happens < instant(span.start)) | (happens >= instant(span.end))
    return frame[~outside] if outside.any() else frame


def instant(moment: datetime) -> np.datetime64:
    """Return a moment as NumPy has it, which knows of UTC only."""
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")


def _moments(frame: Rows, event: "pd.Series[Any]", known: KnownAt) -> "pd.Series[Any]":
    if known.column is not None:
        return read_values(frame[known.column], "time").clean
    shift = known.delay if known.delay is not None else -(known.lead or timedelta(0))
    return _shifted(event, shift)


def _shifted(event: "pd.Series[Any]", shift: timedelta) -> "pd.Series[Any]":
    """Return moments that lie later by `shift`, as NumPy adds them; it is earlier if below zero.

    Raises:
        OverflowError: One lies where no moment can be told.
    """
    times = event.to_numpy("datetime64[us]")
    moved = times + np.timedelta64(shift)
    if ((moved < times) if shift > timedelta(0) else (moved > times)).any():
        raise OverflowError(f"moments {shift} away from others are out of bounds")
    return pd.Series(moved.view(np.int64), index=event.index, dtype=TIME, copy=False)
