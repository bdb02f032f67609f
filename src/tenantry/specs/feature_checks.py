"""Whether a set of features can be built from the declared columns, and none tells the label."""

from collections.abc import Iterator, Mapping

from tenantry.columns import RESERVED
from tenantry.errors import Fault
from tenantry.specs.data import Column
from tenantry.specs.faults import suggest
from tenantry.specs.features import (
    CategoricalFeature,
    CongestionFeature,
    Feature,
    HistoryFeature,
    MissingFeature,
    NumericFeature,
    TextFeature,
)
from tenantry.specs.model import Declared

OURS = (*RESERVED, "tenant", "pooled_score")
"""Columns that we add to features ourselves."""

_NUMBERS = ("number", "integer", "boolean")


def check_features(spec: Declared) -> Iterator[Fault]:
    """Yield what is wrong with the features of a spec; places are dotted paths."""
    for name, feature in spec.features.items():
        place = f"features.{name}"
        if name in OURS:
            yield Fault(place, "is a name that we use ourselves", "give it another name")
        elif name in spec.key and not _is_copy(name, feature, spec.contract.columns):
            remedy = "give the feature another name, and that column as its `column`"
            yield Fault(place, "has the name of a key column but other values", remedy)
        yield from _check_columns(name, feature, spec)
        if spec.label.task == "multiclass" and _is_mean_label(feature):
            remedy = "count, or use a column of numbers"
            yield Fault(f"{place}.of", "a class has no mean", remedy)


def _is_mean_label(feature: Feature) -> bool:
    if not isinstance(feature, HistoryFeature):
        return False
    return (feature.of, feature.statistic) == ("label", "mean")


def columns_of(name: str, feature: Feature) -> Iterator[tuple[str, str]]:
    """Yield field and column of all that a feature reads from the rows."""
    if isinstance(feature, HistoryFeature) and feature.of != "label":
        yield "of", feature.of
    if isinstance(feature, HistoryFeature | CongestionFeature):
        yield from (("by", column) for column in feature.by)
    if isinstance(feature, NumericFeature | CategoricalFeature | TextFeature | MissingFeature):
        yield "column", feature.column or name


def _is_copy(name: str, feature: Feature, columns: Mapping[str, Column]) -> bool:
    """Return whether a feature's values are those of the column that it is named after."""
    plain = NumericFeature | CategoricalFeature | TextFeature
    if not isinstance(feature, plain) or feature.column is not None:
        return False
    is_number = name in columns and columns[name].type in _NUMBERS
    return isinstance(feature, NumericFeature) == is_number


def _check_columns(name: str, feature: Feature, spec: Declared) -> Iterator[Fault]:
    columns = spec.contract.columns
    for field, column in columns_of(name, feature):
        place = f"features.{name}.{field}"
        if field == "column" and getattr(feature, "column", None) is None:
            place = f"features.{name}"
        if column not in columns:
            near = suggest(column, columns)
            remedy = near if near.startswith("did") else "declare it in contract.columns"
            yield Fault(place, f"there is no column {column!r} in the contract", remedy)
        elif field == "column" and column == spec.label.column:
            remedy = "use kind: history for the past, or another column"
            yield Fault(place, f"{column!r} is what the label is made of", remedy)
        elif field == "by" and column == spec.label.column:
            yield Fault(place, f"{column!r} is what the label is made of", "use another column")
        elif field == "of" and column in spec.key:
            yield Fault(place, f"{column!r} is a key column, not an outcome", "use another column")
        elif field != "of" and column in _outcomes(spec):
            fault = f"{column!r} is known only with the label, {_outcomes(spec)[column]}"
            yield Fault(place, fault, "use another column")
        else:
            yield from _check_type(feature, field, columns[column].type, place)


def _outcomes(spec: Declared) -> dict[str, str]:
    """Return the columns that are hidden until the row's label is known, and why they are."""
    features = spec.features.values()
    outcomes = {
        item.of: "since a history is made of it"
        for item in features
        if isinstance(item, HistoryFeature)
    }
    told = spec.times.label_known_at.column
    return outcomes if told is None else {told: "and tells it"} | outcomes


def _check_type(feature: Feature, field: str, kind: str, place: str) -> Iterator[Fault]:
    needs_number = field == "of" or isinstance(feature, NumericFeature)
    if needs_number and kind not in _NUMBERS:
        yield Fault(place, f"is of type {kind}, not a number", "use another column or kind")
    elif isinstance(feature, CategoricalFeature) and kind == "time":
        yield Fault(place, "is a time, not a category", "use kind: calendar")
    elif isinstance(feature, TextFeature) and kind not in ("text", "category"):
        yield Fault(place, f"is of type {kind}, not text", "use another column or kind")
