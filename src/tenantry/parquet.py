"""Frames as Parquet whose bytes depend on nothing but the frame's content.

Imports no pandas: servers write tables without it.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tenantry.encodings import writer_options

if TYPE_CHECKING:
    import pandas as pd


ROW_GROUP = 1 << 20
"""Rows of a file that are written, and can be read, by themselves."""

Codec = Literal["zstd", "lz4"]
"""How bytes are packed: small, or soon."""

_AT_ONCE = 1 << 17
"""Rows that are read at once; of more, column by column, so that none is held in two forms."""

_FEW = 1024
"""Rows of a table that is packed soon: zstd takes longer to begin with a column than to pack it."""


def to_parquet(
    frame: pd.DataFrame, notes: Mapping[str, str] | None = None, *, by_others: bool = False
) -> bytes:
    """Write a frame without its index; equal frames and notes give equal bytes.

    Args:
        frame: Columns of float64, str, bool or datetime64[us, UTC].
        notes: Kept as the file's metadata.
        by_others: Whether other tools read the file, not all of which know every encoding.
    """
    table = _to_table(frame).replace_schema_metadata(notes)
    return table_to_parquet(table, by_others=by_others)


def join_parquet(
    pieces: Iterable[pd.DataFrame],
    notes: Mapping[str, str] | None = None,
    codec: Codec | None = None,
) -> bytes:
    """Write a frame that comes in pieces, one or more, of which no two are held at a time.

    Where all but the last have whole row groups (`ROW_GROUP`), the bytes are those of `to_parquet`
    of all at once.
    """
    sink = io.BytesIO()
    writer: pq.ParquetWriter | None = None
    for piece in pieces:
        table = _to_table(piece).replace_schema_metadata(notes)
        writer = writer or _open_writer(sink, table, codec)
        writer.write_table(table, row_group_size=ROW_GROUP)
        del piece, table  # let go of one before the next is made
    if writer:
        writer.close()
    return sink.getvalue()


def to_parquets(frame: pd.DataFrame, starts: Sequence[int]) -> Iterator[bytes]:
    """Write a frame in pieces, each as `to_parquet` writes it by itself.

    Args:
        frame: As `to_parquet` takes it.
        starts: The first row of each piece, rising from 0.
    """
    table = _to_table(frame)
    for start, end in pairwise((*starts, len(frame))):
        yield table_to_parquet(table.slice(start, end - start))


def from_parquet(content: bytes) -> pd.DataFrame:
    """Read what `to_parquet` wrote: the same values, the same types."""
    return from_parquets([content])


def from_parquets(
    contents: Iterable[bytes | int],
    columns: Sequence[str] | None = None,
    rows: NDArray[np.bool_] | None = None,
    categories: Sequence[str] = (),
) -> pd.DataFrame:
    """Read pieces that `to_parquets` wrote, one or more, as one frame.

    Args:
        contents: The pieces; the number of its rows for one of which none is wanted.
        columns: Only these; all when None.
        rows: Whether each row of all pieces is wanted; all are when None.
        categories: Columns of text that are read as pandas' categories, which is quicker.
    """
    pieces, start = [], 0
    for content in contents:
        if isinstance(content, int):
            start += content
            continue
        file = pq.ParquetFile(pa.BufferReader(content), read_dictionary=list(categories))
        size = file.metadata.num_rows
        wanted = None if rows is None else rows[start : start + size]
        start += size
        pieces.append((file, None if wanted is None or wanted.all() else pa.array(wanted)))
    names = list(columns or pieces[0][0].schema_arrow.names)
    if start <= _AT_ONCE:
        return _read_pieces(pieces, names)
    each = {name: _read_pieces(pieces, [name])[name].array for name in names}
    import pandas as pd

    return pd.DataFrame(each, copy=False)


def _read_pieces(
    pieces: Sequence[tuple[pq.ParquetFile, pa.Array | None]], names: list[str]
) -> pd.DataFrame:
    """Read columns of pieces: all rows, or those of a mask."""
    tables = []
    for file, wanted in pieces:
        table = file.read(names, use_threads=False)
        tables.append(table if wanted is None else table.filter(wanted))
    table = pa.concat_tables(tables).unify_dictionaries()
    frame: pd.DataFrame = table.to_pandas(split_blocks=True, use_threads=False)
    return frame


def _to_table(frame: pd.DataFrame) -> pa.Table:
    arrays = [_to_array(column) for _, column in frame.items()]
    return pa.Table.from_arrays(arrays, names=[str(name) for name in frame.columns])


def _to_array(column: pd.Series) -> pa.Array | pa.ChunkedArray:
    """Return a column as an array; numbers and moments are not copied."""
    kind = column.dtype
    if kind == np.float64:
        numbers = column.to_numpy()
        return _of_buffer(numbers, np.isnan(numbers), pa.float64())
    if str(kind) == "datetime64[us, UTC]":
        moments = column.to_numpy("datetime64[us]")
        return _of_buffer(moments, np.isnat(moments), pa.timestamp("us", "UTC"))
    return pa.array(column, from_pandas=True)


def _of_buffer(values: NDArray[Any], missing: NDArray[np.bool_], kind: pa.DataType) -> pa.Array:
    """Return an array over the bytes of NumPy's, some of which count as missing."""
    known = pa.py_buffer(np.packbits(~missing, bitorder="little")) if missing.any() else None
    data = pa.py_buffer(np.ascontiguousarray(values).view(np.uint8))
    return pa.Array.from_buffers(kind, len(values), [known, data])


def table_to_parquet(table: pa.Table, *, by_others: bool = False) -> bytes:
    """Write an Arrow table, its notes included; equal tables give equal bytes.

    In however many pieces its columns are held: long texts would be paged by them.
    """
    table = table.combine_chunks()
    sink = io.BytesIO()
    with _open_writer(sink, table, "zstd" if by_others else None, by_others=by_others) as writer:
        writer.write_table(table, row_group_size=ROW_GROUP)
    return sink.getvalue()


def _open_writer(
    sink: io.BytesIO, table: pa.Table, codec: Codec | None, *, by_others: bool = False
) -> pq.ParquetWriter:
    options = writer_options(table, ROW_GROUP, by_others=by_others)
    codec = codec or ("lz4" if len(table) <= _FEW else "zstd")
    return pq.ParquetWriter(sink, table.schema, compression=codec, **options)


def read_columns(content: bytes, columns: Iterable[str]) -> pd.DataFrame:
    """Read those of `columns` that a file has."""
    file = pq.ParquetFile(pa.BufferReader(content))
    known = [name for name in columns if name in file.schema_arrow.names]
    table = file.read(columns=known, use_threads=False)
    frame: pd.DataFrame = table.to_pandas(split_blocks=True, use_threads=False)
    return frame


def read_notes(content: bytes) -> dict[str, str]:
    """Return the notes that `to_parquet` kept in a file."""
    metadata = pq.read_schema(io.BytesIO(content)).metadata or {}
    return {name.decode(): note.decode() for name, note in metadata.items()}


def keep_rows(content: bytes, kept: NDArray[np.bool_]) -> bytes:
    """Return a file for other tools with those rows of one that `kept` says, as they were."""
    table = pq.read_table(io.BytesIO(content), use_threads=False)
    return table_to_parquet(table.filter(pa.array(kept)), by_others=True)
