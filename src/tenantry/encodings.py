"""How each column of a table is encoded in a Parquet file: by its type and its values alone."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

_MANY = 8192
"""Rows from which values are looked at; those of fewer are soon written in any way."""

_LOOKED_AT = 4096
_MOSTLY = 0.75
"""Share of values looked at that differ, from which a dictionary would be about as long as the
column. Bytes of such numbers that weigh alike are put beside each other, which packs them well."""

_DICTIONARY = 1 << 20
"""Bytes of a column's dictionary. One whose values differ more is written on as it is."""


def writer_options(table: pa.Table, first_rows: int, *, by_others: bool) -> dict[str, Any]:
    """Return the options by which a table's columns are written soonest, about as small as can be.

    Moments have no dictionary: in order of time few come again. Of our own files no statistics are
    kept: they are found by their names and read whole.

    Args:
        table: The table.
        first_rows: How many of its rows decide.
        by_others: Whether other tools read the file: not all know how bytes are put beside each
            other, and some find rows by statistics.
    """
    head = table.slice(0, first_rows)
    differ = [field.name for field in table.schema if _differs(head[field.name])]
    plain = {field.name for field in table.schema if pa.types.is_timestamp(field.type)} | {*differ}
    kept = [field for field in table.schema if field.name not in plain]
    return {
        "use_dictionary": [leaf for field in kept for leaf in _leaves(field.name, field.type)],
        "use_byte_stream_split": [] if by_others else differ,
        "dictionary_pagesize_limit": _DICTIONARY,
        "write_statistics": by_others,
    }


def _differs(column: pa.ChunkedArray) -> bool:
    """Say whether numbers mostly differ from each other, by some that lie evenly among them."""
    if len(column) < _MANY or column.type != pa.float64():
        return False
    places = np.arange(0, len(column), len(column) // _LOOKED_AT)
    values = column.take(pa.array(places)).to_numpy()
    return len(np.unique(values)) > _MOSTLY * len(values)


def _leaves(path: str, kind: pa.DataType) -> Iterator[str]:
    """Yield the paths of the columns that a column is written as: one, if it is not nested."""
    if pa.types.is_list(kind):
        yield from _leaves(f"{path}.list.element", kind.value_type)
    elif pa.types.is_struct(kind):
        for field in kind:
            yield from _leaves(f"{path}.{field.name}", field.type)
    else:
        yield path
