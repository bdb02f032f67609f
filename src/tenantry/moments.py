"""The moments of a row: when it happens, when its features and its label are known."""

from datetime import timedelta
from typing import Any

import pandas as pd

from tenantry.columns import EVENT_TIME, KNOWN_AT, LABEL_KNOWN_AT
from tenantry.specs.data import KnownAt, Times
from tenantry.values import read_values


def event_times(frame: pd.DataFrame, times: Times) -> "pd.Series[Any]":
    """Return when each row happens, datetime64[us, UTC]; NaT where it cannot be read."""
    return read_values(frame[times.event_time], "time").clean


def known_times(frame: pd.DataFrame, times: Times) -> "pd.Series[Any]":
    """Return when each row's features are known, datetime64[us, UTC]; NaT where nobody can say."""
    return _moments(frame, event_times(frame, times), times.known_at)


def row_moments(frame: pd.DataFrame, times: Times) -> pd.DataFrame:
    """Return all three as `event_time`, `known_at` and `label_known_at`, by the frame's index."""
    event = event_times(frame, times)
    return pd.DataFrame(
        {
            EVENT_TIME: event,
            KNOWN_AT: _moments(frame, event, times.known_at),
            LABEL_KNOWN_AT: _moments(frame, event, times.label_known_at),
        }
    )


def _moments(frame: pd.DataFrame, event: "pd.Series[Any]", known: KnownAt) -> "pd.Series[Any]":
    if known.column is not None:
        return read_values(frame[known.column], "time").clean
    shift = known.delay if known.delay is not None else -(known.lead or timedelta(0))
    return (event + pd.Timedelta(shift)).dt.as_unit("us")
