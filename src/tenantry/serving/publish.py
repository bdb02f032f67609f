"""What a run publishes of a tenant for servers: how its model answers, and the past.

Workers write both, each under its own tenant's prefix, named by their content; `serving.index` says
which of them count.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tenantry.columns import EVENT_TIME, KNOWN_AT, LABEL_KNOWN_AT
from tenantry.contract import CheckedRows, expected_columns, outcome_columns
from tenantry.features.calendar import local_part
from tenantry.features.recipe import pooled_columns, table_features
from tenantry.features.windows import Flags, Integers, moments_of
from tenantry.models.card import Card
from tenantry.rules import Rules
from tenantry.scalars import Value, microseconds
from tenantry.serving.lookups import key_hash
from tenantry.serving.records import Join, Logging, ServingRecord
from tenantry.serving.state import Levels, State, Table
from tenantry.serving.versions import model_part
from tenantry.sources.joins import OBSERVED_AT, keyed_rows, observations
from tenantry.sources.read import pair
from tenantry.specs.data import JoinedSource
from tenantry.specs.features import (
    CategoricalFeature,
    CongestionFeature,
    Feature,
    HistoryFeature,
    MissingFeature,
    NumericFeature,
    TextFeature,
)
from tenantry.specs.load import filter_values
from tenantry.specs.model import Spec, serving_digest
from tenantry.values import read_values

_MICROSECOND = timedelta(microseconds=1)


def make_state(checked: CheckedRows, spec: Spec, as_of: datetime) -> State:
    """Make the online features of a tenant from what a run has read.

    Args:
        checked: Its rows as of the run, and the tables joined to them.
        spec: Its spec.
        as_of: The run's logical time.

    Returns:
        The rows that a feature may still count for a row that is asked for from now on, with the
        columns that features read of them, and what joined sources say for the keys of its rows.
    """
    features = table_features(spec).values()
    histories = [one for one in features if isinstance(one, HistoryFeature)]
    congestions = [one for one in features if isinstance(one, CongestionFeature)]
    now, back = microseconds(as_of), spec.serving.back // _MICROSECOND
    learned_after = now - back - _early(spec) - _longest(histories)
    happens_after = now - back - _longest(congestions)
    rows = checked.rows
    happens, learned = moments_of(rows[EVENT_TIME]), moments_of(rows[LABEL_KNOWN_AT])
    kept = _counted(rows, histories) & (learned > learned_after)
    if congestions:
        kept |= happens > happens_after
    rows = rows[kept]
    return State(
        as_of=now,
        learned_after=learned_after,
        happens_after=happens_after,
        keys=_hash_keys(rows, spec.key),
        happens=happens[kept],
        known=moments_of(rows[KNOWN_AT]),
        learned=learned[kept],
        levels={name: _levels(rows[name]) for name in _alike(histories, congestions)},
        numbers={name: rows[name].to_numpy(dtype=np.float64) for name in _outcomes(histories)},
        parts={
            part: local_part(rows, part, spec.timezone).astype(np.uint8)
            for part in sorted({one.same for one in histories if one.same})
        },
        tables=_tables(checked, spec, now - back - _early(spec), now),
    )


def make_record(spec: Spec, card: Card, rules: Rules, *, packed: str) -> ServingRecord:
    """Make the serving record of a version of a tenant's model.

    Args:
        spec: The tenant's spec, maybe a later one than the model's.
        card: The model's card.
        rules: Threshold and interval, settled for this model.
        packed: SHA-256 of its ``packed.bin``; empty where it has none.
    """
    return ServingRecord(
        product=spec.product,
        tenant=spec.tenant,
        task=spec.label.task,
        classes=spec.classes,
        threshold_rule=spec.predict.threshold,
        interval_level=spec.predict.interval,
        label=spec.label.title,
        explain=spec.predict.explain,
        spec=serving_digest(spec),
        timezone=spec.timezone,
        key=spec.key,
        times=spec.times,
        columns=request_columns(spec),
        bound=filter_values(spec),
        joins=find_joins(spec),
        features=table_features(spec),
        own=tuple(spec.features),
        shared=pooled_columns(spec),
        known_as=spec.tenant if spec.pooling.contribute else "",
        back=spec.serving.back,
        log=_logging(spec),
        **model_part(card, rules, packed),
    )


def _logging(spec: Spec) -> Logging | None:
    if not spec.serving.is_logged:
        return None
    predict = spec.predict
    return Logging(share=spec.serving.log.share, start=predict.start, window=predict.window)


def find_joins(spec: Spec) -> tuple[Join, ...]:
    """Return the joined sources that bring a column that a request needs and may leave out."""
    return tuple(
        Join(
            name=join.name,
            on=tuple(join.on),
            columns=columns,
            tolerance=join.as_of.tolerance if join.as_of else None,
        )
        for join, columns in _used_joins(spec)
    )


def request_columns(spec: Spec) -> dict[str, Any]:
    """Return the columns that a request's fields are checked by; outcomes are none of them."""
    outcomes = outcome_columns(spec)
    return {name: one for name, one in expected_columns(spec).items() if name not in outcomes}


def _used_joins(spec: Spec) -> Iterator[tuple[JoinedSource, tuple[str, ...]]]:
    columns = request_columns(spec)
    needed = {name for name, column in columns.items() if column.required}
    needed |= {name for item in table_features(spec).items() for name in _fields_of(*item)}
    for join in spec.sources.joins:
        used = tuple(name for name in join.columns if name in columns and name in needed)
        if used:
            yield join, used


def _fields_of(name: str, feature: Feature) -> tuple[str, ...]:
    """Return the fields of the row itself that a feature reads."""
    match feature:
        case HistoryFeature() | CongestionFeature():
            return feature.by
        case NumericFeature() | CategoricalFeature() | TextFeature() | MissingFeature():
            return (feature.column or name,)
        case _:
            return ()


def _early(spec: Spec) -> int:
    """Return how long before its event a row is known, microseconds; 0 where a column says when."""
    return (spec.times.known_at.lead or timedelta(0)) // _MICROSECOND


def _longest(features: list[HistoryFeature] | list[CongestionFeature]) -> int:
    return max((one.over // _MICROSECOND for one in features), default=0)


def _counted(rows: pd.DataFrame, histories: list[HistoryFeature]) -> Flags:
    """Return the rows whose label is known and that have a value in what a history is made of."""
    counted = np.zeros(len(rows), dtype=bool)
    for name in _outcomes(histories):
        counted |= np.isfinite(rows[name].to_numpy(dtype=np.float64))
    return counted & rows[LABEL_KNOWN_AT].notna().to_numpy(dtype=bool)


def _outcomes(histories: list[HistoryFeature]) -> list[str]:
    return sorted({one.of for one in histories})


def _alike(histories: list[HistoryFeature], congestions: list[CongestionFeature]) -> list[str]:
    by = [one.by for one in histories] + [one.by for one in congestions]
    return sorted({name for names in by for name in names})


def _hash_keys(rows: pd.DataFrame, key: tuple[str, ...]) -> NDArray[np.uint64]:
    columns = [_scalars(rows[name]) for name in key]
    hashes = [key_hash(values) for values in zip(*columns, strict=True)]
    return np.array(hashes, dtype=np.uint64)


def _levels(column: "pd.Series[Any]") -> Levels:
    codes, different = pd.factorize(column)
    return Levels(codes.astype(np.int32), tuple(_scalars(pd.Series(different))))


def _scalars(column: "pd.Series[Any]") -> list[Value]:
    """Return a typed column's values as `tenantry.scalars` reads them."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        found: list[Any] = moments_of(column).tolist()
    else:
        found = column.tolist()
    missing = column.isna().to_numpy(dtype=bool)
    values = zip(found, missing.tolist(), strict=True)
    return [None if gone else cast("Value", value) for value, gone in values]


# --- joined sources -------------------------------------------------------------------------------


def _tables(checked: CheckedRows, spec: Spec, since: int, until: int) -> dict[str, Table]:
    columns = expected_columns(spec)
    found = {}
    for join, used in _used_joins(spec):
        pairing = pair(join, columns)
        joined = checked.joined[join.name]
        if join.as_of is None:
            right = keyed_rows(joined, pairing)
        else:
            times = moments_of(read_values(joined[join.as_of.column], "time").clean)
            oldest = since - join.as_of.tolerance // _MICROSECOND
            recent = joined[(times >= oldest) & (times <= until)]
            right = observations(recent, pairing, join.as_of)
        typed = {name: read_values(right[name], columns[name].type).clean for name in used}
        right = right.assign(**typed)
        found[join.name] = _table(right[_have_rows(right, checked.rows, pairing.on)], join, used)
    return found


def _have_rows(right: pd.DataFrame, rows: pd.DataFrame, on: Mapping[str, str]) -> Flags:
    """Return the observations whose key some row of the tenant has."""
    keys = list(on)
    known = pd.MultiIndex.from_frame(rows[keys].drop_duplicates())
    return np.asarray(pd.MultiIndex.from_frame(right[keys]).isin(known), dtype=bool)


def _table(right: pd.DataFrame, join: JoinedSource, used: tuple[str, ...]) -> Table:
    """Return a joined source by key, and by time within a key."""
    keys = list(join.on)
    groups = right.groupby(keys, sort=True).ngroup().to_numpy(dtype=np.int64)
    ordered = right.iloc[np.argsort(groups, kind="stable")]
    counts: Integers = np.bincount(groups) if len(groups) else np.zeros(0, dtype=np.int64)
    ends = np.cumsum(counts, dtype=np.int64)
    lists = [_scalars(ordered[name].iloc[ends - 1]) for name in keys]
    return Table(
        keys=tuple(zip(*lists, strict=True)),
        ends=ends,
        times=moments_of(ordered[OBSERVED_AT]) if join.as_of else None,
        columns={name: _levels(ordered[name]) for name in used},
    )
