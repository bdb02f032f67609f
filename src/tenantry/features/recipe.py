"""The recipe: from a tenant's rows to its feature table, and from the table to what models see."""

from collections.abc import Mapping

import pandas as pd
from pandas.api.extensions import ExtensionArray

from tenantry.columns import EVENT_TIME, RESERVED, TENANT
from tenantry.features.congestion import rows_before
from tenantry.features.history import History
from tenantry.features.plain import as_category, as_missing_flag, as_number
from tenantry.features.windows import Floats
from tenantry.order import sort_rows
from tenantry.specs.features import (
    CalendarFeature,
    CategoricalFeature,
    CongestionFeature,
    Feature,
    HistoryFeature,
    MissingFeature,
    TextFeature,
)
from tenantry.specs.model import Spec

POOLED_PREFIX = "pooled."
"""Before the name of a pooled feature that the tenant defines in another way."""


def build_features(
    rows: pd.DataFrame, features: Mapping[str, Feature], spec: Spec, asking: slice = slice(None)
) -> pd.DataFrame:
    """Build features from rows, strictly point-in-time.

    What a row's features depend on is known at that row's `known_at`: its own columns, labels with
    ``label_known_at ≤ known_at``, other rows with ``known_at ≤ known_at``. The order of the rows
    does not matter.

    Args:
        rows: A rows frame (see `tenantry.columns`).
        features: Column of the table → feature; `table_features` gives a tenant's.
        spec: The tenant's spec: key and time zone.
        asking: The places, by event time, then key, of the rows that features are built for: the
            others are only their past.

    Returns:
        A feature frame: the key columns, the reserved ones and one column a feature (float64, or
        str without missing values), sorted by event time, then key. A feature with a key column's
        name is that column (what cannot be built is refused when specs are loaded).
    """
    rows = sort_rows(rows, (EVENT_TIME, *spec.key))
    kept = dict.fromkeys((*spec.key, *RESERVED))
    own = rows[asking]
    columns: dict[str, ExtensionArray | Floats] = {name: own[name].array for name in kept}
    history = History(rows, spec.timezone, asking)
    alike = sorted(features, key=lambda name: _past_of(features[name]))
    built = {name: _build(history, name, features[name]) for name in alike}
    columns |= {name: built[name] for name in features}
    return pd.DataFrame(columns, copy=False)


def _past_of(feature: Feature) -> tuple[object, ...]:
    """Return what puts history features next to each other that are made of the same past."""
    if isinstance(feature, HistoryFeature):
        return feature.by, feature.same or "", feature.of
    return ()


def _build(history: History, name: str, feature: Feature) -> ExtensionArray | Floats:
    own = history.rows[history.asking]
    match feature:
        case HistoryFeature():
            return history.statistic(feature)
        case CongestionFeature():
            return rows_before(history.rows, feature)[history.asking]
        case CalendarFeature():
            return history.part(feature.part)[history.asking]
        case MissingFeature():
            return as_missing_flag(own[feature.column])
        case CategoricalFeature() | TextFeature():
            texts: ExtensionArray = as_category(own[feature.column or name]).array
            return texts
        case _:
            return as_number(own[feature.column or name])


def pooled_features(spec: Spec) -> dict[str, Feature]:
    """Return the pooled model's features by the column that holds them in the tenant's table.

    A feature that the tenant has in the same way, titles and units aside, shares its column; one
    that it has in another way is under ``pooled.<name>``.
    """
    return {_pooled_column(name, spec): item for name, item in spec.pooled.features.items()}


def pooled_columns(spec: Spec) -> dict[str, str]:
    """Return the column of the tenant's table that holds each of the pooled model's features."""
    return {name: _pooled_column(name, spec) for name in spec.pooled.features}


def table_features(spec: Spec) -> dict[str, Feature]:
    """Return all features of the tenant's table by column: its own, then the pooled model's."""
    return {**pooled_features(spec), **spec.features}


def own_frame(table: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    """Return what the tenant's own model sees: its features, in the spec's order."""
    return table[list(spec.features)]


def pooled_frame(table: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    """Return what the pooled model sees of this tenant.

    Args:
        table: Holds at least the columns of `pooled_features`.
        spec: The tenant's spec.

    Returns:
        The product's features under their own names, in its order, and a str column `tenant`:
        its name, or empty when it does not contribute, so that the model never knew it.
    """
    columns = {name: table[column].array for name, column in pooled_columns(spec).items()}
    tenant = pd.array([spec.tenant if spec.pooling.contribute else ""], dtype="str")
    columns[TENANT] = tenant.repeat(len(table))
    return pd.DataFrame(columns, index=table.index, copy=False)


def _pooled_column(name: str, spec: Spec) -> str:
    own, shared = spec.features.get(name), spec.pooled.features[name]
    if own is None or own == shared or _meaning(name, own) == _meaning(name, shared):
        return name
    return POOLED_PREFIX + name


def _meaning(name: str, feature: Feature) -> dict[str, object]:
    """What a feature computes, without what it is called."""
    fields = feature.model_dump(exclude={"title", "unit"})
    if "column" in fields:
        fields["column"] = fields["column"] or name
    return fields
