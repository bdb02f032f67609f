"""Gather what can be told of a tenant from what the store holds as of a moment."""

import io
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tenantry.columns import EVENT_TIME, LABEL, LABEL_KNOWN_AT
from tenantry.errors import ObjectMissingError
from tenantry.evaluations import with_predictions
from tenantry.insights.acting import weigh_actions
from tenantry.insights.drivers import weigh_reasons
from tenantry.insights.performance import measure_performance
from tenantry.insights.record import Drivers, Insights, Segments
from tenantry.insights.segments import find_segments
from tenantry.monitoring.measure import read_numbers
from tenantry.monitoring.streams import PREDICTION
from tenantry.predictions import HIGH, LOW, PROBABILITIES, PROBABILITY, REASONS, Receipt
from tenantry.receipts import list_predicted, read_receipts
from tenantry.specs.model import Spec
from tenantry.store.contract import ObjectStore
from tenantry.times import Window

SPAN = timedelta(days=91)
"""Windows that begin so long before are told of."""

_DAYS = np.timedelta64(28, "D")
"""Reasons of the last such span are compared with those of the one before."""

_NO_REASONS = pd.DataFrame(
    {
        "row": np.zeros(0, dtype=np.int64),
        "day": np.zeros(0, dtype="datetime64[s]"),
        "feature": pd.array([], dtype="str"),
        "contribution": np.zeros(0),
    }
)


def gather_insights(
    store: ObjectStore, spec: Spec, table: pd.DataFrame, as_of: datetime
) -> Insights | None:
    """Gather what can be told of a tenant.

    Args:
        store: The store: receipts and predictions out of sample of the last 91 days.
        spec: The tenant's spec.
        table: Its feature table as of `as_of`; what it says of later moments is not read.
        as_of: The logical time.

    Returns:
        What can be told; None when nothing was predicted out of sample.
    """
    receipts = recent_receipts(store, spec, as_of)
    read = {window: _read_files(store, one) for window, one in receipts.items()}
    contents = {window: tables for window, tables in read.items() if tables is not None}
    receipts = {window: receipts[window] for window in contents}
    if not receipts:
        return None
    rows = read_numbers(_join(spec, table, as_of, contents.values()))
    known = rows[rows[LABEL].notna() & rows[PREDICTION].notna()].reset_index(drop=True)
    latest = receipts[max(receipts)]
    enough = len(known) >= spec.monitor.min_rows
    is_binary = spec.label.task == "classification"
    is_coded = spec.label.task == "multiclass"  # the codes of classes have no mean
    return Insights(
        product=spec.product,
        tenant=spec.tenant,
        label=spec.label.title or spec.label.column,
        task=spec.label.task,
        as_of=as_of,
        since=min(receipts).start,
        model=latest.model,
        windows=len(receipts),
        rows=len(rows),
        performance=measure_performance(known, spec) if enough else None,
        drivers=_drivers(spec, contents, as_of),
        is_comparable=spec.insights.comparable,
        segments=find_segments(known, spec) if enough and not is_coded else Segments(),
        acting=weigh_actions(known, spec, latest.threshold) if enough and is_binary else (),
    )


def recent_receipts(store: ObjectStore, spec: Spec, as_of: datetime) -> dict[Window, Receipt]:
    """Return the receipts in force of the windows of the last 91 days, out of sample, by time."""
    named = list_predicted(store, spec.product, spec.tenant)
    windows = {one.span for one in named if as_of - SPAN <= one.span.start < as_of}
    found = read_receipts(store, spec.product, spec.tenant, windows=windows, until=as_of)
    return {window: one for window, one in found.items() if not one.in_sample}


def _read_files(store: ObjectStore, receipt: Receipt) -> list[pa.Table] | None:
    """Read a window's predictions; None where retention has removed them."""
    try:
        contents = [store.get(file.key).content for file in receipt.files]
    except ObjectMissingError:
        return None
    return [pq.read_table(io.BytesIO(one), use_threads=False) for one in contents]


def _join(
    spec: Spec, table: pd.DataFrame, as_of: datetime, contents: Iterable[list[pa.Table]]
) -> pd.DataFrame:
    """Return the predicted rows with features, and the labels that are known."""
    wanted = [*dict.fromkeys((*spec.key, EVENT_TIME))]
    wanted += [PROBABILITY, PROBABILITIES, LOW, HIGH]
    frames = [
        one.select([name for name in wanted if name in one.column_names]).to_pandas()
        for tables in contents
        for one in tables
    ]
    label = table[LABEL].where(table[LABEL_KNOWN_AT] <= as_of)
    features = [name for name in spec.features if name in table.columns]
    kept = table[[*dict.fromkeys((*spec.key, *features))]].copy()
    kept[LABEL] = label
    if not frames:
        return table.iloc[:0][[EVENT_TIME]].join(kept).assign(**{PREDICTION: np.zeros(0)})
    rows = pd.concat(frames, ignore_index=True).rename(columns={PROBABILITY: PREDICTION})
    if PROBABILITIES in rows:
        told = pd.DataFrame(rows.pop(PROBABILITIES).tolist()).reindex(columns=[*spec.classes])
        rows = with_predictions(rows, PREDICTION, told.fillna(0.0).to_numpy())
    joined: pd.DataFrame = rows.merge(kept, on=list(spec.key), how="left")
    return joined


def _drivers(spec: Spec, contents: Mapping[Window, list[pa.Table]], as_of: datetime) -> Drivers:
    """Weigh the reasons of the last 28 days of predictions, and of the 28 days before."""
    columns = [EVENT_TIME, REASONS]
    tables = [one for tables in contents.values() for one in tables]
    told = [one.select(columns) for one in tables if REASONS in one.column_names]
    reasons = _list_reasons(pa.concat_tables(told)) if told else _NO_REASONS
    end = np.datetime64(min(max(contents).end, as_of).replace(tzinfo=None), "D")
    now, before = end - _DAYS, end - 2 * _DAYS
    day = reasons["day"].to_numpy()
    return weigh_reasons(reasons[day >= now], reasons[(day >= before) & (day < now)], spec)


def _list_reasons(table: pa.Table) -> pd.DataFrame:
    """Return one line a reason; no Python object is made of each."""
    reasons = table[REASONS].combine_chunks()
    row = pc.list_parent_indices(reasons).to_numpy()
    flat = pc.list_flatten(reasons)
    when = table[EVENT_TIME].to_numpy()[row]
    return pd.DataFrame(
        {
            "row": row,
            "day": when.astype("datetime64[D]").astype("datetime64[s]"),
            "feature": pc.struct_field(flat, "feature").to_pandas(),
            "contribution": pc.struct_field(flat, "contribution").to_numpy(zero_copy_only=False),
        }
    )
