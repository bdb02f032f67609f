"""Reading the rows of many tenants at once, where each gets what it would get alone.

Only Parquet files whose columns are of the contract's types are read so: what one value is read as
does not hang on the others there. The tenants differ in nothing but which rows are theirs.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from tenantry.columns import OWNER
from tenantry.contract import expected_columns
from tenantry.moments import rows_within
from tenantry.sources.connections import Connections
from tenantry.sources.datasets import open_parquet
from tenantry.sources.files import all_of, lie_within
from tenantry.sources.query import Query, find_path, source_place
from tenantry.sources.stretches import has_plain_types, is_plain
from tenantry.specs.data import TENANT, Source
from tenantry.specs.load import filter_values
from tenantry.specs.model import Spec
from tenantry.times import Window

TENANTS = 128
"""Tenants of a batch at most."""

ROWS = 250_000
"""Rows of a batch at most."""

_SHARED = {
    "contract",
    "features",
    "key",
    "label",
    "pooled",
    "row_filter",
    "sources",
    "times",
    "timezone",
}
"""The parts of a spec that say what is read, what of it is good and what features it gives."""

_BETWEEN = "\0"
"""Parts the values that tell a tenant's rows; none of its own holds that character."""


class NotBatchedError(Exception):
    """Tenants cannot be read at once; one by one they may be."""


class TooManyRowsError(Exception):
    """Tenants have more rows than are read at once."""


def split_batches(specs: Iterable[Spec], tenants: int = TENANTS) -> Iterator[tuple[Spec, ...]]:
    """Yield the tenants that can be read at once; one that cannot be is a batch of its own.

    Args:
        specs: The tenants'.
        tenants: Tenants of a batch at most.
    """
    alike: dict[object, list[Spec]] = defaultdict(list)
    for spec in specs:
        alike[_shared(spec)].append(spec)
    for group in alike.values():
        for start in range(0, len(group), tenants):
            yield tuple(group[start : start + tenants])


def _shared(spec: Spec) -> object:
    """Return what tenants must have in common to be read at once."""
    can_be = all(each.kind == "parquet" and TENANT not in each.path for each in spec.sources.rows)
    if spec.sources.joins or not can_be:
        return spec.tenant
    return spec.product, spec.train.history, spec.model_dump_json(include=_SHARED)


def read_batch(
    specs: Sequence[Spec], connections: Connections, span: Window, most: int
) -> pd.DataFrame:
    """Read the rows of a batch of tenants whose event lies in `span`, or that nobody can place.

    Columns, the tenants' filters and the span are pushed down into each source.

    Args:
        specs: One of the batches of `split_batches`, or a part of it.
        connections: Where sources lie.
        span: The events to read.
        most: Rows at most.

    Returns:
        The contract's columns as their sources give them, and `OWNER`.

    Raises:
        TooManyRowsError: There are more rows.
        NotBatchedError: There are none, or columns are not of the contract's types.
        SourceError: Sources are missing.
        ArrowException: A file cannot be read.
    """
    reading = _Reading(specs[0], connections, span, _Owners.of(specs))
    tables: list[pd.DataFrame] = []
    for source in specs[0].sources.rows:
        tables.append(reading.of(source, most - sum(map(len, tables))))
    rows = pd.concat(tables, ignore_index=True) if len(tables) > 1 else tables[0]
    return rows_within(rows, specs[0].times, span).reset_index(drop=True)


@dataclass(frozen=True)
class _Owners:
    """Whose rows are whose.

    Attributes:
        columns: The columns that tell.
        values: The values of each that some tenant has.
        tenants: The values of each tenant, joined.
    """

    columns: tuple[str, ...]
    values: tuple[pa.Array, ...]
    tenants: pa.Array

    @classmethod
    def of(cls, specs: Sequence[Spec]) -> Self:
        """Gather the row filters of tenants."""
        filters = [filter_values(spec) for spec in specs]
        columns = tuple(filters[0])
        values = tuple(pa.array(sorted({each[name] for each in filters})) for name in columns)
        tenants = [_BETWEEN.join(each[name] for name in columns) for each in filters]
        if len(set(tenants)) < len(tenants):
            raise NotBatchedError
        return cls(columns, values, pa.array(tenants))

    @property
    def conditions(self) -> list[pc.Expression]:
        """What holds of all their rows, and of some that are nobody's."""
        named = zip(self.columns, self.values, strict=True)
        return [ds.field(name).isin(values) for name, values in named]

    def are_told_by(self, schema: pa.Schema) -> bool:
        """Say whether the columns hold text, so that values are equal as they are written."""
        return all(is_plain(schema, name, "category") for name in self.columns)

    def mark(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the rows that are somebody's, with `OWNER`."""
        given = [batch[name].cast(pa.string()) for name in self.columns]
        owner = pc.index_in(pc.binary_join_element_wise(*given, _BETWEEN), self.tenants)
        marked = batch.append_column(OWNER, owner.cast(pa.float64()))
        return marked.filter(owner.is_valid())


@dataclass(frozen=True)
class _Reading:
    """What is read of each source: columns, and a batch's rows in a span."""

    spec: Spec
    connections: Connections
    span: Window
    owners: _Owners

    def of(self, source: Source, most: int) -> pd.DataFrame:
        """Read a source, `most` rows at most."""
        columns = tuple(expected_columns(self.spec))
        connection = self.connections.find(source.connection, source_place(source))
        path = find_path(Query(source, connection, columns))
        dataset = open_parquet(path, {})
        self._require_plain(dataset.schema)
        wanted = dict.fromkeys((*columns, *self.owners.columns))
        scanner = dataset.scanner(list(wanted), filter=self._filter(dataset), use_threads=False)
        parts = list(_first(map(self.owners.mark, scanner.to_batches()), most))
        if not parts:
            raise NotBatchedError
        table = pa.Table.from_batches(parts).select([*columns, OWNER])
        frame: pd.DataFrame = table.to_pandas(use_threads=False)
        return frame

    def _require_plain(self, schema: pa.Schema) -> None:
        """Check that each value is read, and compared with a tenant's name, as it stands."""
        if not (self.owners.are_told_by(schema) and has_plain_types(self.spec, schema)):
            raise NotBatchedError

    def _filter(self, dataset: ds.Dataset) -> pc.Expression | None:
        time = dataset.schema.field(self.spec.times.event_time)
        return all_of((*self.owners.conditions, *lie_within(time, self.span)))


def _first(parts: Iterable[pa.RecordBatch], most: int) -> Iterator[pa.RecordBatch]:
    """Yield parts while they have no more rows than `most`."""
    for part in parts:
        most -= len(part)
        if most < 0:
            raise TooManyRowsError
        yield part
