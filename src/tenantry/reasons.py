"""Reasons in words: what a contribution says to a person who reads one prediction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from tenantry.columns import POOLED_SCORE
from tenantry.features.recipe import TENANT, table_features
from tenantry.specs.features import (
    CalendarFeature,
    CategoricalFeature,
    Feature,
    MissingFeature,
    TextFeature,
)
from tenantry.specs.model import Spec

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


def top_reasons(
    contributions: pd.DataFrame,
    table: pd.DataFrame,
    spec: Spec,
    *,
    top: int,
    words: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> list[list[Reason]]:
    """Choose the reasons that weigh most, for every row.

    Args:
        contributions: n rows, one column a feature; from `explain.contributions`.
        table: The n rows of the feature table that they explain, in the same order.
        spec: The tenant's spec: titles and units.
        top: How many at most; what contributes nothing is no reason.
        words: Text → for each row the words that weigh most: they are its value.

    Returns:
        n lists, largest absolute contribution first; ties by the order of the columns.
    """
    names = [str(name) for name in contributions.columns]
    features = table_features(spec)
    weights = contributions.to_numpy()
    order = np.argsort(-np.abs(weights), axis=1, kind="stable")[:, :top]
    columns = {name: table[name].to_numpy() for name in names if name in table.columns}
    columns |= {name: np.array(said, dtype=object) for name, said in words.items()}
    titles = {name: title(name, features.get(name)) for name in names}

    def reason(row: int, place: int) -> Reason:
        name = names[place]
        value = columns[name][row] if name in columns else spec.tenant if name == TENANT else ""
        words = value_in_words(value, features.get(name))
        return Reason(name, titles[name], words, float(weights[row, place]))

    return [
        [reason(row, place) for place in places if weights[row, place]]
        for row, places in enumerate(order.tolist())
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
    if value is None or value == "" or (isinstance(value, float) and np.isnan(value)):
        return "missing" if feature is not None else ""
    if isinstance(feature, CategoricalFeature) or not isinstance(value, float | int):
        return str(value)
    if isinstance(feature, MissingFeature):
        return "yes" if value else "no"
    if isinstance(feature, CalendarFeature):
        return _on_the_clock(int(value), feature.part)
    return _measured(float(value), feature.unit if feature is not None else "")


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
