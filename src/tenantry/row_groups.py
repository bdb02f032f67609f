"""Rows of a Parquet file, read some at a time."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq


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
        self._held: tuple[int, pd.DataFrame] | None = None

    def column(self, names: list[str]) -> pd.DataFrame:
        """Return a few columns of all rows."""
        if len(self._ends) == 1:
            return self._group(0)[names]
        frame: pd.DataFrame = self._file.read(names, use_threads=False).to_pandas()
        return frame

    def between(self, first: int, end: int) -> pd.DataFrame:
        """Return the rows from one place to before another."""
        parts, start = [], 0
        for number, stop in enumerate(self._ends):
            if start < end and first < stop and first < end:
                parts.append(self._group(number).iloc[max(first - start, 0) : end - start])
            start = stop
        if not parts:
            return self._group(self._held[0] if self._held else 0).head(0)
        return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)

    def _group(self, number: int) -> pd.DataFrame:
        if self._held is None or self._held[0] != number:
            self._held = None  # let go of one before the next is read
            table = self._file.read_row_group(number, self._columns, use_threads=False)
            self._held = number, table.to_pandas(split_blocks=True, use_threads=False)
        return self._held[1]
