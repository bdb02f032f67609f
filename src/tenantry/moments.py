"""The moments of a row: when it happens, when its features and its label are known."""

from datetime import timedelta
from typing import Any

import pandas as pd

from tenantry.specs.data import KnownAt, Times
from tenantry.values import read_values


def event_times(frame: pd.DataFrame, times: Times) -> "pd.Series[Any]":
    """Return when each row happens, datetime64[us, UTC]; NaT where it cannot be read."""
    return read_values(frame[times.event_time], "time").clean


def known_times(frame: pd.DataFrame, times: Times) -> "pd.Series[Any]":
    """Return when each row's features are known, datetime64[us, UTC]; NaT where nobody can say."""
    return _moments(frame, times, times.known_at)


def label_known_times(frame: pd.DataFrame, times: Times) -> "pd.Series[Any]":
    """Return when each row's label is known, datetime64[us, UTC]; NaT where nobody can say."""
    return _moments(frame, times, times.label_known_at)


def _moments(frame: pd.DataFrame, times: Times, known: KnownAt) -> "pd.Series[Any]":
    if known.column is not None:
        return read_values(frame[known.column], "time").clean
    shift = known.delay if known.delay is not None else -(known.lead or timedelta(0))
    return (event_times(frame, times) + pd.Timedelta(shift)).dt.as_unit("us")
