"""What computes each feature of one row: of its own fields, its local time, or the published past.

Nothing here imports pandas.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from tenantry.errors import ServingError
from tenantry.scalars import Value
from tenantry.serving.past import Asked, Congestion, History
from tenantry.serving.state import State
from tenantry.specs.features import (
    CalendarFeature,
    CategoricalFeature,
    CongestionFeature,
    Feature,
    HistoryFeature,
    MissingFeature,
    NumericFeature,
    TextFeature,
)


class Clock(NamedTuple):
    """The local time of an event, looked up once a row."""

    hour: int
    weekday: int
    minute: int

    def part(self, name: str | None) -> int:
        """Return the hour, the weekday or the minute of the day; the hour for no name."""
        if name == "minute_of_day":
            return self.hour * 60 + self.minute
        return self.weekday if name == "weekday" else self.hour


Compute = Callable[[Asked, Clock], float | str | None]
"""Returns a feature of a row that is asked of, by its fields, its past and its local time."""

Named = tuple[str, Compute | None]
"""A feature's name and what computes it; None where it is the field of its name."""

_Plain = CalendarFeature | MissingFeature | CategoricalFeature | TextFeature | NumericFeature


def feature_of(name: str, feature: Feature, *, state: State | None, back: int, early: int) -> Named:
    """Return a feature's name and what computes it."""
    match feature:
        case HistoryFeature():
            history = History.of(_required(state), feature, back + early)
            same = feature.same
            return name, lambda asked, clock: history.value(asked, clock.part(same))
        case CongestionFeature():
            congestion = Congestion.of(_required(state), feature, back)
            return name, lambda asked, _: congestion.value(asked)
        case _:
            return _plain_feature(name, feature)


@lru_cache(maxsize=1 << 12)
def _plain_feature(name: str, feature: _Plain) -> Named:
    """Return a feature of the row alone, the same object for all tenants that have it.

    A feature that is the field of its name has nothing that computes it.
    """
    match feature:
        case CalendarFeature():
            part = feature.part
            return name, lambda _, clock: float(clock.part(part))
        case MissingFeature():
            column = feature.column
            return name, lambda asked, _: 1.0 if asked.fields[column] is None else 0.0
        case CategoricalFeature() | TextFeature():
            text = feature.column or name
            return name, lambda asked, _: _as_category(asked.fields[text])
        case _:
            field = feature.column or name
            return name, None if field == name else lambda asked, _: asked.fields[field]


def _required(state: State | None) -> State:
    if state is None:
        msg = "no past is published of this tenant yet; the next run does"
        raise ServingError(msg)
    return state


def _as_category(value: Value) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else _number_as_text(float(value))


@lru_cache(maxsize=1 << 12)
def _number_as_text(value: float) -> str:
    """As `features.plain.as_category` writes it."""
    return np.format_float_positional(value, trim="-")
