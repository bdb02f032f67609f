"""Fingerprints of rows: equal for equal rows in whatever order, and cheap."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from tenantry.columns import RESERVED
from tenantry.specs.feature_checks import columns_of
from tenantry.specs.model import Spec

_Hashes = NDArray[np.uint64]
_Hasher = Callable[[slice], _Hashes]
"""Returns the hashes of a column's values in some rows."""

_AT_ONCE = 1 << 16
"""Rows whose hashes are made at once: they stay in a processor's cache until they are summed."""

_WHOLE = 1 << 64
_SEED, _FACTOR, _STEP, _END = 0x345678, 1000003, 82520, 97531
"""How pandas makes a row's hash of those of its values, as Python once made a tuple's."""

_MISSING = np.uint64(_WHOLE - 1)
"""The hash of a missing text."""

_MIX = np.uint64(0x9E3779B97F4A7C15)


def fingerprint(frame: pd.DataFrame, columns: Sequence[str]) -> str:
    """Return the fingerprint of some columns of a frame: its rows' number and two sums of hashes.

    The order of rows and columns does not count, how often a row is there does. Two different sets
    of rows have the same one by chance about once in 2¹²⁸.
    """
    first, second = 0, 0
    for hashes in _hashes_of(frame, columns):
        first += int(hashes.sum(dtype=np.uint64))
        second += int(_mixed(hashes).sum(dtype=np.uint64))
    return _print(len(frame), first % _WHOLE, second % _WHOLE)


def fingerprint_each(
    frame: pd.DataFrame, columns: Sequence[str], groups: NDArray[np.int64]
) -> dict[int, str]:
    """Return the fingerprint of each group of rows: what `fingerprint` returns of them alone.

    Args:
        frame: The rows of all groups.
        columns: What is looked at.
        groups: Each row's group.
    """
    if not len(frame):
        return {}
    order = np.argsort(groups, kind="stable")
    names, starts, sizes = np.unique(groups[order], return_index=True, return_counts=True)
    hashes = np.concatenate([*_hashes_of(frame, columns)])[order]
    with np.errstate(over="ignore"):
        sums = np.add.reduceat(hashes, starts), np.add.reduceat(_mixed(hashes), starts)
    every = zip(names, sizes, *sums, strict=True)
    return {int(name): _print(*map(int, told)) for name, *told in every}


def _print(rows: int, first: int, second: int) -> str:
    return f"{rows}-{first:016x}{second:016x}"


def join_fingerprints(prints: Sequence[str]) -> str:
    """Return the fingerprint of all rows of parts by those of the parts; empty if one is."""
    if not all(prints):
        return ""
    rows, first, second = 0, 0, 0
    for one in prints:
        count, sums = one.split("-")
        rows += int(count)
        first += int(sums[:16], 16)
        second += int(sums[16:], 16)
    return f"{rows}-{first % _WHOLE:016x}{second % _WHOLE:016x}"


def pooled_fingerprint(rows: pd.DataFrame, spec: Spec) -> str:
    """Return the fingerprint of a rows frame over all that a pooled model learns from.

    Returns:
        The fingerprint; empty when the rows lack a column that the pooled model reads.
    """
    columns = _pooled_columns(spec)
    return fingerprint(rows, sorted(columns)) if columns <= set(rows.columns) else ""


def pooled_fingerprints(
    rows: pd.DataFrame, spec: Spec, groups: NDArray[np.int64]
) -> dict[int, str]:
    """Return what `pooled_fingerprint` returns of each group of rows; see `fingerprint_each`."""
    columns = _pooled_columns(spec)
    if columns <= set(rows.columns):
        return fingerprint_each(rows, sorted(columns), groups)
    return dict.fromkeys(map(int, np.unique(groups)), "")


def _pooled_columns(spec: Spec) -> set[str]:
    read = {column for item in spec.pooled.features.items() for _, column in columns_of(*item)}
    return {*spec.key, *RESERVED, *read}


def _hashes_of(frame: pd.DataFrame, columns: Sequence[str]) -> Iterator[_Hashes]:
    """Yield a hash of some columns of each row, so many rows at once."""
    names = sorted(set(columns))
    try:
        hashers = [_hasher(frame[name]) for name in names]
    except TypeError:  # values that cannot be hashed, from a database's JSON or array columns
        texts = frame[names].astype("str")
        hashers = [_hasher(texts[name]) for name in names]
    for start in range(0, len(frame), _AT_ONCE):
        yield _hashes(hashers, slice(start, min(start + _AT_ONCE, len(frame))))


def _hashes(hashers: Sequence[_Hasher], rows: slice) -> _Hashes:
    """Return a hash of each row: that of `pandas.util.hash_pandas_object`."""
    hashes, factor = np.full(rows.stop - rows.start, _SEED, dtype=np.uint64), _FACTOR
    for left, hasher in zip(range(len(hashers), 0, -1), hashers, strict=True):
        hashes ^= hasher(rows)
        hashes *= np.uint64(factor)
        factor = (factor + _STEP + 2 * left) % _WHOLE
    hashes += np.uint64(_END)
    return hashes


def _hasher(values: "pd.Series[Any]") -> _Hasher:
    """Return what tells the hashes of a column; of texts each is hashed once.

    Raises:
        TypeError: There are values that cannot be hashed.
    """
    if isinstance(values.dtype, pd.StringDtype):
        codes, texts = _encode(values)
        hashes = np.append(pd.util.hash_array(texts, categorize=False), _MISSING)
        return lambda rows: hashes.take(codes[rows])
    array = values.to_numpy() if isinstance(values.dtype, np.dtype) else values.array
    if _is_hashed_by_itself(values.dtype):
        return lambda rows: pd.util.hash_array(array[rows])
    whole = pd.util.hash_array(array)
    return lambda rows: whole[rows]


def _encode(texts: "pd.Series[Any]") -> tuple[NDArray[np.int32], NDArray[np.object_]]:
    """Return each text's place among those that differ, and these; past them for a missing one."""
    coded = pa.array(texts).dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    different = coded.dictionary.to_numpy(zero_copy_only=False)
    return coded.indices.fill_null(len(different)).to_numpy(), different


def _is_hashed_by_itself(kind: object) -> bool:
    """Say whether the hash of a value of this type never hangs on the column's other values."""
    if isinstance(kind, np.dtype):
        return kind.kind in "biufmM" and kind.itemsize <= np.dtype(np.uint64).itemsize
    return isinstance(kind, pd.DatetimeTZDtype)


def _mixed(hashes: _Hashes) -> _Hashes:
    """Scatter hashes anew, so that the second sum does not follow from the first."""
    mixed = (hashes ^ (hashes >> np.uint64(31))) * _MIX
    return mixed ^ (mixed >> np.uint64(29))
