"""Reasons in words: what a contribution says to a person who reads one prediction."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from tenantry.columns import POOLED_SCORE, TENANT
from tenantry.specs.features import (
    CalendarFeature,
    CategoricalFeature,
    Feature,
    MissingFeature,
    TextFeature,
)

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TITLES = {TENANT: "tenant", POOLED_SCORE: "score of the pooled model"}


@dataclass(frozen=True)
class Reason:
    """One feature's part in one prediction.

    Attributes:
        feature: The feature's column in the table.
        title: The feature in words.
        value: Its value in words, with its unit.
        contribution: Signed, in log-odds (or in the label's unit for regression).
    """

    feature: str
    title: str
    value: str
    contribution: float


def row_reasons(
    parts: Mapping[str, float],
    row: Mapping[str, object],
    features: Mapping[str, Feature],
    *,
    top: int,
    tenant: str = "",
) -> list[Reason]:
    """Choose the reasons of one row that weigh most, without NumPy or pandas.

    Args:
        parts: Column of the feature table → its part in the row's score: `columns` of
            `PackedModel.parts_row`.
        row: The row of the feature table, by column.
        features: Column of the table → feature: titles and units.
        top: How many at most; what contributes nothing is no reason.
        tenant: Its name, the value of what the pooled model knows of it.

    Returns:
        The largest absolute contribution first; ties by the order of the columns.
    """
    weighty = sorted((name for name in parts if parts[name]), key=lambda name: -abs(parts[name]))
    return [
        Reason(
            name,
            title(name, features.get(name)),
            value_in_words(row.get(name, tenant if name == TENANT else ""), features.get(name)),
            parts[name],
        )
        for name in weighty[:top]
    ]


def title(name: str, feature: Feature | None) -> str:
    """Return a feature in words: its title, else its name with spaces."""
    if feature is not None and feature.title:
        return feature.title
    return _TITLES.get(name, name.removeprefix("pooled.").replace("_", " "))


def value_in_words(value: object, feature: Feature | None) -> str:
    """Write a feature's value for people: ``23.4 min``, ``25%``, ``17:35``, ``missing``."""
    if isinstance(feature, TextFeature):
        return f"“{value}”" if value else "no known word"
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return "missing" if feature is not None else ""
    if isinstance(feature, CategoricalFeature) or not isinstance(value, float | int):
        return str(value)
    return number_in_words(float(value), feature)


def number_in_words(value: float, feature: Feature | None) -> str:
    """Write a number that is there for people; see `value_in_words`."""
    if isinstance(feature, MissingFeature):
        return "yes" if value else "no"
    if isinstance(feature, CalendarFeature):
        return _on_the_clock(int(value), feature.part)
    return _measured(value + 0.0, feature.unit if feature is not None else "")


def _measured(value: float, unit: str) -> str:
    if unit == "share":
        return f"{value:.0%}"
    return f"{_number(value)} {unit}".strip()


def _on_the_clock(value: int, part: str) -> str:
    if part == "weekday":
        return _DAYS[value % 7]
    minutes = value * 60 if part == "hour" else value
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _number(value: float) -> str:
    if abs(value) >= 1:
        text = f"{value:,.2f}"
        return text.rstrip("0").rstrip(".")
    return f"{value:.3g}"
