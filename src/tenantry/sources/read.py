"""Reading a tenant's rows: every source below the other, other tables joined to them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import NamedTuple

import pandas as pd

from tenantry.contract import expected_columns
from tenantry.errors import SourceError, SourceUnavailableError
from tenantry.moments import known_times, rows_within
from tenantry.origins import SourceRead
from tenantry.sources.connections import Connections
from tenantry.sources.files import read_csv, read_parquet
from tenantry.sources.joins import Pairing, join_as_of, join_by_key, observation_span
from tenantry.sources.query import Query, source_place
from tenantry.sources.witness import Witness
from tenantry.specs.data import TENANT, Column, JoinedSource, Source
from tenantry.specs.load import filter_values
from tenantry.specs.model import Spec
from tenantry.times import Window
from tenantry.values import Kind, frame_of, soften


def preload(specs: Iterable[Spec]) -> None:
    """Import once, before workers are forked, what only some kinds of source need."""
    sources = (each for spec in specs for each in (*spec.sources.rows, *spec.sources.joins))
    if any(source.kind == "sql" for source in sources):
        import_module("tenantry.sources.sql")


class ReadSources(NamedTuple):
    """What was read.

    Attributes:
        rows: The rows, joined.
        reads: What was read, source by source.
        joined: Joined source → its table as it was read, where a join brings anything.
    """

    rows: pd.DataFrame
    reads: tuple[SourceRead, ...]
    joined: Mapping[str, pd.DataFrame]


def read_rows(spec: Spec, connections: Connections, span: Window) -> pd.DataFrame:
    """Read the tenant's rows; see `read_sources`."""
    return read_sources(spec, connections, span).rows


def read_sources(spec: Spec, connections: Connections, span: Window) -> ReadSources:
    """Read the tenant's rows whose event lies in `span`, and those whose event nobody can place.

    Columns, the tenant's filter and the span are pushed down into each source. As-of joins take
    nothing that was observed after a row is known.

    Returns:
        The contract's columns and those of key, times and label, each as its type: float64, str or
        datetime64[us, UTC]; a column with values that cannot be read as its type is object, and
        has those values as they came. And what was read, source by source.

    Raises:
        SourceError: Sources are missing, unreadable or lack a column: every fault, one a line.
        SourceUnavailableError: Sources did not answer.
    """
    tables = _Tables(connections, expected_columns(spec), spec.tenant)
    brought = {name for join in spec.sources.joins for name in tables.added_by(join)}
    wanted = tuple(name for name in tables.columns if name not in brought)
    equals = filter_values(spec)
    within = (spec.times.event_time, span)

    def read_source(source: Source) -> pd.DataFrame:
        frame = tables.read(source, wanted, equals=equals, within=within)
        return rows_within(frame, spec.times, span)

    frames = _all_or_faults(partial(read_source, source) for source in spec.sources.rows)
    rows = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]
    rows, joined = _join_all(rows.reset_index(drop=True), spec, tables)
    ordered = list(tables.columns)
    if list(rows.columns) != ordered:
        rows = rows[ordered]
    return ReadSources(rows, tuple(tables.reads), joined)


@dataclass(frozen=True)
class _Tables:
    """The tables of the connections, read as the contract's columns."""

    connections: Connections
    columns: Mapping[str, Column]
    tenant: str
    reads: list[SourceRead] = field(default_factory=list)

    def added_by(self, join: JoinedSource) -> tuple[str, ...]:
        """Return the columns that a join brings and the contract wants."""
        return tuple(name for name in join.columns if name in self.columns)

    def read(
        self,
        source: Source,
        wanted: tuple[str, ...],
        *,
        equals: Mapping[str, str] | None = None,
        within: tuple[str, Window] | None = None,
    ) -> pd.DataFrame:
        """Read columns of a table, each that the contract knows as its type."""
        path = source.path.replace(TENANT, self.tenant)
        source = source.model_copy(update={"path": path})
        connection = self.connections.find(source.connection, source_place(source))
        query = Query(source, connection, wanted, equals or {}, within)
        reader, witness = _reader(source.kind), Witness(query)
        frame = reader(query)
        self.reads.append(witness.testify(frame))
        kinds = {name: self.columns[name].type for name in wanted if name in self.columns}
        return frame_of(
            {
                str(name): soften(column, kinds[str(name)]) if str(name) in kinds else column
                for name, column in frame.items()
            }
        )


def pair(join: JoinedSource, columns: Mapping[str, Column]) -> Pairing:
    """Return how a joined source is paired with rows, and what it brings of these columns."""
    kinds: dict[str, Kind] = {name: column.type for name, column in columns.items()}
    return Pairing(join.on, kinds, tuple(name for name in join.columns if name in columns))


def _join_all(
    rows: pd.DataFrame, spec: Spec, tables: _Tables
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    joins = [join for join in spec.sources.joins if tables.added_by(join)]
    if not joins:
        return rows, {}
    known_at = known_times(rows, spec.times)

    def read_joined(join: JoinedSource) -> pd.DataFrame:
        wanted = (*join.on.values(), *tables.added_by(join))
        if join.as_of is None:
            return tables.read(join, tuple(dict.fromkeys(wanted)))
        seen = observation_span(known_at, join.as_of)
        within = None if seen is None else (join.as_of.column, seen)
        return tables.read(join, tuple(dict.fromkeys((*wanted, join.as_of.column))), within=within)

    found = _all_or_faults(partial(read_joined, join) for join in joins)
    for join, table in zip(joins, found, strict=True):
        pairing = pair(join, tables.columns)
        if join.as_of is None:
            rows = join_by_key(rows, table, pairing, place=source_place(join))
        else:
            rows = join_as_of(rows, table, pairing, as_of=join.as_of, known_at=known_at)
    return rows, {join.name: table for join, table in zip(joins, found, strict=True)}


def _reader(kind: str) -> Callable[[Query], pd.DataFrame]:
    if kind == "sql":
        from tenantry.sources.sql import read_sql

        return read_sql
    return read_parquet if kind == "parquet" else read_csv


def _all_or_faults(reads: Iterable[Callable[[], pd.DataFrame]]) -> list[pd.DataFrame]:
    """Read every table, or raise with the faults of all that could not be read."""
    frames: list[pd.DataFrame] = []
    errors: list[SourceError] = []
    for read in reads:
        try:
            frames.append(read())
        except SourceError as error:
            errors.append(error)
    if errors:
        lasting = [error for error in errors if not error.transient]
        kind = SourceError if lasting else SourceUnavailableError
        raise kind("\n".join(str(error) for error in errors))
    return frames
