"""Which stretches of time a tenant's rows are read in, where they are too many to be held at once.

Only Parquet files can be: their footers tell how many rows lie where, and their filters read no
more than a stretch. All other sources are read whole, and so are files whose columns are of other
types than the contract's: what one value is read as may then hang on the others.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds

from tenantry.contract import expected_columns
from tenantry.sources.connections import Connections
from tenantry.sources.datasets import open_parquet
from tenantry.sources.files import all_of
from tenantry.sources.query import Query, find_path, source_place
from tenantry.specs.data import TENANT, Source
from tenantry.specs.load import filter_values
from tenantry.specs.model import Spec
from tenantry.times import Window
from tenantry.values import Kind

AT_ONCE = 1_500_000
"""Rows that are read at once."""


def find_stretches(
    spec: Spec, connections: Connections, span: Window, at_once: int = AT_ONCE
) -> tuple[Window, ...]:
    """Return the stretches of a span, each of whole months: of about `at_once` rows, or one month.

    Args:
        spec: The tenant's.
        connections: Where sources lie.
        span: The events that are wanted.
        at_once: Rows of a stretch.

    Returns:
        The whole span alone where it holds no more rows, or cannot be read in stretches.

    Raises:
        SourceError: There is no such file or folder.
    """
    counted: dict[datetime, float] = {}
    try:
        files = [one for source in spec.sources.rows for one in _files(spec, connections, source)]
        if sum(file.metadata.num_rows for file in files) <= at_once:
            return (span,)
        for low, high, rows in _row_groups(files, spec.times.event_time):
            _spread(counted, max(low, span.start), min(high, span.end), rows)
    except (_NotStretchedError, pa.ArrowException, OSError, UnicodeDecodeError):
        return (span,)  # whoever reads it tells what is wrong
    bounds, held = [], 0.0
    for month, count in sorted(counted.items()):
        if held and held + count > at_once:
            bounds.append(month)
            held = 0.0
        held += count
    inner = [bound for bound in bounds if span.start < bound < span.end]
    edges = [span.start, *inner, span.end]
    return tuple(Window(*pair) for pair in pairwise(edges))


class _NotStretchedError(Exception):
    """Rows cannot be read in stretches."""


def _files(
    spec: Spec, connections: Connections, source: Source
) -> Iterator[ds.ParquetFileFragment]:
    """Yield the files that may hold wanted rows."""
    if source.kind != "parquet":
        raise _NotStretchedError
    source = source.model_copy(update={"path": source.path.replace(TENANT, spec.tenant)})
    query = Query(source, connections.find(source.connection, source_place(source)), ())
    equals = filter_values(spec)
    dataset = open_parquet(find_path(query), equals)
    if not has_plain_types(spec, dataset.schema):
        raise _NotStretchedError
    yield from dataset.get_fragments(all_of(ds.field(name) == equals[name] for name in equals))


def _row_groups(
    files: Iterable[ds.ParquetFileFragment], time: str
) -> Iterator[tuple[datetime, datetime, int]]:
    """Yield first and last event and number of rows of each row group."""
    for file in files:
        for group in file.row_groups:
            known = (group.statistics or {}).get(time)
            if known is None or known["min"] is None:
                raise _NotStretchedError
            yield _utc(known["min"]), _utc(known["max"]), group.num_rows


def has_plain_types(spec: Spec, schema: pa.Schema) -> bool:
    """Say whether the contract's columns, joined ones aside, are read value by value."""
    joined = {name for join in spec.sources.joins for name in join.columns}
    kinds = {name: column.type for name, column in expected_columns(spec).items()}
    return all(is_plain(schema, name, kind) for name, kind in kinds.items() if name not in joined)


def is_plain(schema: pa.Schema, name: str, kind: Kind) -> bool:
    """Say whether a column's values are read as `kind` one by one, whatever the others are."""
    place = schema.get_field_index(name)
    if place < 0:
        return False
    given = schema.types[place]
    if pa.types.is_dictionary(given):
        given = given.value_type
    if kind in ("category", "text"):
        return bool(pa.types.is_string(given) or pa.types.is_large_string(given))
    if kind == "time":
        return bool(pa.types.is_timestamp(given))
    if pa.types.is_boolean(given):
        return kind == "boolean"  # as numbers they are read only where none is missing
    return bool(pa.types.is_integer(given) or pa.types.is_floating(given))


def _utc(moment: datetime) -> datetime:
    told = pd.Timestamp(moment)
    told = told.tz_localize(UTC) if told.tz is None else told.tz_convert(UTC)
    return told.to_pydatetime(warn=False)


def _spread(counted: dict[datetime, float], low: datetime, high: datetime, rows: int) -> None:
    """Count rows to the months from their first event to their last, as if they came evenly."""
    months = []
    month = low.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while month <= high:
        months.append(month)
        month = (month + timedelta(days=32)).replace(day=1)
    for one in months:
        counted[one] = counted.get(one, 0.0) + rows / len(months)
