"""Reading Parquet and CSV files through one Arrow dataset, filters pushed down."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.dataset as ds

from tenantry.sources.datasets import open_dataset, open_parquet
from tenantry.sources.query import DATED, Query, date_bounds, find_path
from tenantry.times import Window

_ROW = re.compile(r"Row #(\d+)")


def read_parquet(query: Query) -> pd.DataFrame:
    """Read a Parquet file, or a folder of them; hive folders (`month=2013-01/`) become columns.

    Columns, equalities and the time span decide which partitions, row groups and pages are read.

    Returns:
        The wanted columns with their own types, in the order of the files.

    Raises:
        SourceError: Nothing is there, a file cannot be read or a column is missing.
    """
    return _read_dataset(query, find_path(query), ds.ParquetFileFormat())


def read_csv(query: Query) -> pd.DataFrame:
    """Read a CSV file with a header, or a folder of them, gzipped (`.gz`) or not, chunk by chunk.

    Returns:
        The wanted columns as text; an empty value is missing.

    Raises:
        SourceError: Nothing is there, a file cannot be read or a column is missing.
    """
    texts = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(query.needed, pa.string()),
        null_values=[""],
        strings_can_be_null=True,
    )
    lines = pyarrow.csv.ParseOptions(newlines_in_values=True)  # else those where a block ends fail
    form = ds.CsvFileFormat(convert_options=texts, parse_options=lines)
    return _read_dataset(query, find_path(query), form)


def list_file_columns(query: Query) -> tuple[str, ...]:
    """Return the columns of a file, or of the first of a folder, whatever they are called.

    Raises:
        SourceError: Nothing is there, or it cannot be read.
    """
    path = find_path(query)
    form = ds.ParquetFileFormat() if query.source.kind == "parquet" else ds.CsvFileFormat()
    try:
        dataset = open_dataset(path, form)
        if dataset.files:
            return tuple(dataset.schema.names)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise query.error(_fault(query, path, form, error), "mend or replace it") from None
    raise query.error("the folder holds no file", "check the path and what writes there")


def all_of(conditions: Iterable[pc.Expression]) -> pc.Expression | None:
    """Return what holds where every condition does; None of no conditions."""
    every: pc.Expression | None = None
    for condition in conditions:
        every = condition if every is None else every & condition
    return every


def _read_dataset(query: Query, path: Path, form: ds.FileFormat) -> pd.DataFrame:
    try:
        if query.source.kind == "parquet":
            dataset = open_parquet(path, query.equals)
        else:
            dataset = open_dataset(path, form)
        if dataset.files:
            query.require_columns(dataset.schema.names)
            scanner = dataset.scanner(
                columns=list(query.columns), filter=_filter(query, dataset), use_threads=False
            )
            frame: pd.DataFrame = scanner.to_table().to_pandas(use_threads=False)
            return frame
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise query.error(_fault(query, path, form, error), "mend or replace it") from None
    raise query.error("the folder holds no file", "check the path and what writes there")


def _filter(query: Query, dataset: ds.Dataset) -> pc.Expression | None:
    ours = all_of(
        _equal(query, dataset.schema.field(name), value) for name, value in query.equals.items()
    )
    if query.within is None:
        return ours
    time, span = query.within
    inside = lie_within(dataset.schema.field(time), span)
    needed = [each for each in inside if _may_leave_out(each, dataset, ours)]
    return all_of(needed if ours is None else (ours, *needed))


def _may_leave_out(
    condition: pc.Expression, dataset: ds.Dataset, wanted: pc.Expression | None
) -> bool:
    """Say whether rows may not meet a condition, by what Parquet files tell of their row groups.

    Args:
        condition: What holds of each row or does not, whatever is missing in it.
        dataset: The files.
        wanted: Says which of them are read.
    """
    if not isinstance(dataset.format, ds.ParquetFileFormat):
        return True
    files = dataset.get_fragments(wanted)
    return any(file.subset(~condition, schema=dataset.schema).row_groups for file in files)


def _equal(query: Query, column: pa.Field, value: str) -> pc.Expression:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    try:
        return pc.field(column.name) == pa.scalar(value).cast(kind)
    except pa.ArrowException:
        fault = f"column {column.name} is {kind}, which no part of a tenant's name can be"
        raise query.error(fault, "filter rows by a text or whole-number column") from None


def lie_within(column: pa.Field, span: Window) -> list[pc.Expression]:
    """Return what holds of rows whose time may lie in a span; nothing where no type tells."""
    time = pc.field(column.name)
    unplaced = time.is_null()
    low: Any
    high: Any
    if pa.types.is_timestamp(column.type):
        low, high = (_moment(bound, column.type) for bound in (span.start, span.end))
    elif pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        low, high = (day.isoformat() for day in date_bounds(span))
        unplaced = unplaced | ~pc.match_like(time, DATED)
    elif pa.types.is_date(column.type):
        low, high = date_bounds(span)
    else:
        return []
    return [((time >= low) & (time <= high)) | unplaced]


def _moment(bound: Any, kind: pa.DataType) -> pa.Scalar:  # noqa: ANN401 - a datetime
    naive = pa.scalar(bound.replace(tzinfo=None), pa.timestamp("us"))
    coarser = naive.cast(pa.timestamp(kind.unit), safe=False)  # rows outside are dropped later
    return coarser.cast(kind)


def _fault(query: Query, path: Path, form: ds.FileFormat, error: Exception) -> str:
    """Say which file cannot be read; Arrow's own words may quote rows."""
    row = _ROW.search(str(error))
    what = f"not readable as {query.source.kind}" + (f" (row {row[1]})" if row else "")
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        try:
            if file.is_file() and not file.name.startswith((".", "_")):
                ds.dataset(file, format=form).schema  # noqa: B018 - reads the head
        except (pa.ArrowException, OSError, UnicodeDecodeError):
            name = file.relative_to(path).as_posix() if file != path else "the file"
            return f"{name} is {what}"
    return f"its rows are {what}"
