"""Rows of a Parquet file, read some at a time."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray


class ParquetRows:
    """Rows of a file, read some at a time: no more than a row group of them is held.

    Args:
        content: What `to_parquet` wrote.
        columns: The columns to read; those that the file lacks are passed over.
    """

    def __init__(self, content: bytes, columns: Iterable[str]) -> None:
        self._file = pq.ParquetFile(pa.BufferReader(content))
        known = self._file.schema_arrow.names
        self._columns = [name for name in columns if name in known]
        groups = range(self._file.num_row_groups)
        sizes = [self._file.metadata.row_group(number).num_rows for number in groups]
        self._ends = np.cumsum(sizes, dtype=np.int64).tolist()
        self._held: tuple[int, pa.Table] | None = None

    def moments(self, name: str) -> NDArray[np.int64]:
        """Return a column of times of all rows, as microseconds since 1970 UTC."""
        if len(self._ends) == 1:
            times = self._group(0)[name]
        else:
            times = self._file.read([name], use_threads=False)[name]
        return np.asarray(times.cast(pa.int64()), dtype=np.int64)

    def between(self, first: int, end: int) -> pd.DataFrame:
        """Return the rows from one place to before another."""
        parts, start = [], 0
        for number, stop in enumerate(self._ends):
            if start < end and first < stop and first < end:
                low = max(first - start, 0)
                parts.append(self._group(number).slice(low, end - start - low))
            start = stop
        found = pa.concat_tables(parts) if parts else self._nothing
        frame: pd.DataFrame = found.to_pandas(split_blocks=True, use_threads=False)
        return frame

    @property
    def _nothing(self) -> pa.Table:
        schema = self._file.schema_arrow
        return pa.schema([schema.field(name) for name in self._columns]).empty_table()

    def _group(self, number: int) -> pa.Table:
        if self._held is None or self._held[0] != number:
            self._held = None  # let go of one before the next is read
            table = self._file.read_row_group(number, self._columns, use_threads=False)
            self._held = number, table
        return self._held[1]
