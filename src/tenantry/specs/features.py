"""The features that a spec may declare, by kind."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from tenantry.specs.parts import ColumnName, SpecPart
from tenantry.times import PositiveDuration


class _Feature(SpecPart):
    title: str = ""
    """The feature in words, for reasons and pages."""
    unit: str = ""
    """Its unit, for reasons and pages."""


class NumericFeature(_Feature):
    """A column as a number."""

    kind: Literal["numeric"]
    column: ColumnName | None = None
    """The column; the feature's own name when absent."""


class CategoricalFeature(_Feature):
    """A column as a category."""

    kind: Literal["categorical"]
    column: ColumnName | None = None
    """The column; the feature's own name when absent."""


class TextFeature(_Feature):
    """A column of text, by its words: TF-IDF, learnt with the model."""

    kind: Literal["text"]
    column: ColumnName | None = None
    """The column; the feature's own name when absent."""
    max_words: int = Field(default=500, ge=1, le=10_000)
    """Words of a model's vocabulary at most, the most frequent ones."""
    min_texts: int = Field(default=5, ge=1)
    """Rows that a word must be in; rarer ones are in no model."""


class CalendarFeature(_Feature):
    """A part of the event's local time."""

    kind: Literal["calendar"]
    part: Literal["hour", "weekday", "minute_of_day"]
    """Which part."""


class MissingFeature(_Feature):
    """Whether a column is missing."""

    kind: Literal["missing"]
    column: ColumnName
    """The column."""


class HistoryFeature(_Feature):
    """A statistic of the tenant's own past, of what was known when the row became known."""

    kind: Literal["history"]
    of: ColumnName
    """A column of numbers that is known when the label is, or `label` for the label itself."""
    by: tuple[ColumnName, ...] = ()
    """Rows alike in these columns; all of the tenant's when empty."""
    same: Literal["hour", "weekday"] | None = None
    """Only rows of the same local hour, or weekday, of the event."""
    statistic: Literal["mean", "count"] = "mean"
    """What to compute."""
    over: PositiveDuration
    """How far back."""
    min_rows: int = Field(default=1, ge=1)
    """With fewer rows a mean is missing; a count says how many there are."""


class CongestionFeature(_Feature):
    """How many of the tenant's rows happened in the time just before."""

    kind: Literal["congestion"]
    by: tuple[ColumnName, ...] = ()
    """Rows alike in these columns; all of the tenant's when empty."""
    over: PositiveDuration
    """How far back."""


Feature = Annotated[
    NumericFeature
    | CategoricalFeature
    | TextFeature
    | CalendarFeature
    | MissingFeature
    | HistoryFeature
    | CongestionFeature,
    Field(discriminator="kind"),
]


def texts_of(features: Mapping[str, Feature]) -> dict[str, TextFeature]:
    """Return those of the features that are text."""
    return {name: item for name, item in features.items() if isinstance(item, TextFeature)}


MONTH = "month"
"""Names the slices by local month of the event; no feature is needed for them."""


def has_slices(feature: Feature) -> bool:
    """Return whether the feature's values divide rows into parts: categories, hours, weekdays."""
    if isinstance(feature, CalendarFeature):
        return feature.part in ("hour", "weekday")
    return isinstance(feature, CategoricalFeature)
