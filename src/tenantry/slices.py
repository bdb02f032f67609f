"""Parts of a tenant's rows: by category, band of hours, weekday and month."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tenantry.columns import EVENT_TIME
from tenantry.specs.features import (
    MONTH,
    CalendarFeature,
    CategoricalFeature,
    Feature,
    has_slices,
)
from tenantry.specs.model import Spec

MOST_VALUES = 12
"""Values up to which a categorical feature is worth slices on a card."""

BAND = 6
"""Hours of a band."""

Slices = Mapping[str, "pd.Series[str]"]
"""Feature (or `month`) → its value as text for each row."""


def card_slices(frame: pd.DataFrame, event_time: "pd.Series[pd.Timestamp]", spec: Spec) -> Slices:
    """Return the slices that a card tells of: few categories, bands of hours, months.

    Args:
        frame: Feature columns, n rows.
        event_time: When each row happened.
        spec: The tenant's spec.
    """
    names = [
        name
        for name, feature in spec.features.items()
        if name in spec.gate.slices or _is_worth_telling(name, feature, frame)
    ]
    return dict(_slices(frame, event_time, spec, [*names, MONTH]))


def gate_slices(frame: pd.DataFrame, event_time: "pd.Series[pd.Timestamp]", spec: Spec) -> Slices:
    """Return the slices that the gate looks at; none of features that the tenant does without.

    Arguments as for `card_slices`.
    """
    names = [name for name in spec.gate.slices if name == MONTH or name in spec.features]
    return dict(_slices(frame, event_time, spec, names))


def divide_rows(frame: pd.DataFrame, spec: Spec) -> "dict[str, pd.Series[str]]":
    """Return each row's category, band of hours and weekday, for every feature that has some.

    Args:
        frame: `event_time` and feature columns, n rows.
        spec: The tenant's spec.
    """
    names = [name for name, feature in spec.features.items() if has_slices(feature)]
    divided = _slices(frame, frame[EVENT_TIME], spec, names)
    return {name: values.where(values != "", "missing") for name, values in divided}


def _is_worth_telling(name: str, feature: Feature, frame: pd.DataFrame) -> bool:
    if isinstance(feature, CategoricalFeature):
        return frame[name].nunique() <= MOST_VALUES
    return isinstance(feature, CalendarFeature) and feature.part == "hour"


def _slices(
    frame: pd.DataFrame, event_time: "pd.Series[pd.Timestamp]", spec: Spec, names: list[str]
) -> "Iterator[tuple[str, pd.Series[str]]]":
    for name in dict.fromkeys(names):
        feature = spec.features.get(name)
        if feature is None:
            yield name, _months(event_time, spec.timezone)
        elif isinstance(feature, CalendarFeature) and feature.part == "hour":
            yield name, _bands(frame[name].reset_index(drop=True))
        elif isinstance(feature, CalendarFeature):
            yield name, frame[name].reset_index(drop=True).astype("int64").astype("str")
        else:
            yield name, frame[name].reset_index(drop=True).astype("str")


def _bands(hours: "pd.Series[float]") -> "pd.Series[str]":
    names = [f"{hour:02d}-{hour + BAND - 1:02d}" for hour in range(0, 24, BAND)]
    return _named(names, np.asarray((hours // BAND).astype("int64"), dtype=np.int64))


def _months(event_time: "pd.Series[pd.Timestamp]", timezone: str) -> "pd.Series[str]":
    local = event_time.dt.tz_convert(timezone).dt.tz_localize(None)
    months, which = np.unique(local.to_numpy().astype("datetime64[M]"), return_inverse=True)
    return _named(months.astype(str).tolist(), which)


def _named(names: Sequence[str], which: NDArray[np.int64]) -> "pd.Series[str]":
    """Return the name of each row, given its number."""
    return pd.Series(pd.array(names, dtype="str").take(which))
