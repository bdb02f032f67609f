"""Fingerprints of rows: equal for equal rows in whatever order, and cheap."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tenantry.columns import RESERVED
from tenantry.specs.feature_checks import columns_of
from tenantry.specs.model import Spec

_Hashes = NDArray[np.uint64]

_WHOLE = 1 << 64
_MIX = np.uint64(0x9E3779B97F4A7C15)


def fingerprint(frame: pd.DataFrame, columns: Sequence[str]) -> str:
    """Return the fingerprint of some columns of a frame: its rows' number and two sums of hashes.

    The order of rows and columns does not count, how often a row is there does. Two different sets
    of rows have the same one by chance about once in 2¹²⁸.
    """
    names = sorted(set(columns))
    try:
        hashes = _hashes(frame[names])
    except TypeError:  # values that cannot be hashed, from a database's JSON or array columns
        hashes = _hashes(frame[names].astype("str"))
    with np.errstate(over="ignore"):
        first = int(hashes.sum(dtype=np.uint64))
        second = int(_mixed(hashes).sum(dtype=np.uint64))
    return f"{len(frame)}-{first:016x}{second:016x}"


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
    read = {column for item in spec.pooled.features.items() for _, column in columns_of(*item)}
    columns = {*spec.key, *RESERVED, *read}
    return fingerprint(rows, sorted(columns)) if columns <= set(rows.columns) else ""


def _hashes(frame: pd.DataFrame) -> _Hashes:
    told = {name: _by_category(frame[name]) for name in frame.columns}
    return np.asarray(
        pd.util.hash_pandas_object(pd.DataFrame(told, copy=False), index=False), dtype=np.uint64
    )


def _by_category(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return texts as categories, which have the same hashes and each is hashed once."""
    if not isinstance(values.dtype, pd.StringDtype):
        return values
    codes, texts = pd.factorize(values)
    return pd.Series(pd.Categorical.from_codes(codes, texts.astype(object)), index=values.index)


def _mixed(hashes: _Hashes) -> _Hashes:
    """Scatter hashes anew, so that the second sum does not follow from the first."""
    mixed = (hashes ^ (hashes >> np.uint64(31))) * _MIX
    return mixed ^ (mixed >> np.uint64(29))
