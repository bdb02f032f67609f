"""Whether a set of features can be built from rows."""

from collections.abc import Iterator, Mapping

import pandas as pd
from pandas.api.types import is_numeric_dtype, is_string_dtype

from tenantry.columns import RESERVED
from tenantry.errors import Fault, SpecError
from tenantry.specs.model import (
    CategoricalFeature,
    CongestionFeature,
    Feature,
    HistoryFeature,
    MissingFeature,
    NumericFeature,
    Spec,
)

OUR_NAMES = (*RESERVED, "tenant", "pooled_score")
"""Columns that we add to rows or features ourselves; no feature may have such a name."""


def check_features(rows: pd.DataFrame, features: Mapping[str, Feature], spec: Spec) -> None:
    """Check that every feature can be built and none tells the label.

    Raises:
        SpecError: All faults, placed as ``arrival-delay/ua.yaml: features.<name>.<field>``.
    """
    faults = [
        Fault(f"{spec.product}/{spec.tenant}.yaml: features.{name}{place}", fault, remedy)
        for name, feature in features.items()
        for place, fault, remedy in (
            *_name_faults(name, feature, rows, spec),
            *_column_faults(name, feature, rows, spec),
        )
    ]
    if faults:
        raise SpecError(faults)


_Found = Iterator[tuple[str, str, str]]


def _name_faults(name: str, feature: Feature, rows: pd.DataFrame, spec: Spec) -> _Found:
    if name in OUR_NAMES:
        yield "", "is a name that we use ourselves", "give the feature another name"
    if name not in spec.key:
        return
    copied = isinstance(feature, NumericFeature | CategoricalFeature) and feature.column is None
    text = isinstance(feature, CategoricalFeature)
    if not copied or (name in rows and is_string_dtype(rows[name]) != text):
        fault = "has the name of a key column but other values"
        yield "", fault, "give the feature another name, and that column as its `column`"


def _column_faults(name: str, feature: Feature, rows: pd.DataFrame, spec: Spec) -> _Found:
    for field, column in _columns_of(name, feature):
        if column not in rows:
            yield field, f"there is no column {column!r}", "declare it in contract.columns"
        elif field == ".of" and not is_numeric_dtype(rows[column]):
            yield field, f"{column!r} is not a column of numbers", "choose one that is"
        elif field == ".column" and column in (spec.label.column, *RESERVED):
            yield field, f"{column!r} tells the label or is ours", "use kind: history for the past"
        elif isinstance(feature, NumericFeature) and not is_numeric_dtype(rows[column]):
            yield field, f"{column!r} is not a column of numbers", "use kind: categorical"


def _columns_of(name: str, feature: Feature) -> Iterator[tuple[str, str]]:
    """Yield field and column of all that a feature reads."""
    if isinstance(feature, HistoryFeature):
        yield ".of", feature.of
    if isinstance(feature, HistoryFeature | CongestionFeature):
        yield from ((".by", column) for column in feature.by)
    if isinstance(feature, NumericFeature | CategoricalFeature | MissingFeature):
        yield ".column", feature.column or name
