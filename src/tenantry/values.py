"""Reading raw values as the types of the contract; what cannot be read is told, never guessed."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pandas.api.extensions import ExtensionArray

from tenantry.scalars import (
    EXACT,
    FAULTS,
    MAX_TEXT,
    TRUTHS,
    Kind,
    is_missing_word,
    is_unicode,
    text_of,
)

__all__ = [
    "FAULTS",
    "MAX_TEXT",
    "TIME",
    "Kind",
    "Values",
    "as_texts",
    "frame_of",
    "is_all_missing",
    "read_softened",
    "read_values",
    "soften",
]


TIME = pd.DatetimeTZDtype("us", "UTC")
"""The type of all moments."""

_AT_ONCE = 1 << 16
"""Numbers that are looked at at once: what is made of them stays in a processor's cache."""


@dataclass(frozen=True)
class Values:
    """A column as its type.

    Attributes:
        clean: float64 (number, integer, boolean), str (category, text) or datetime64[us, UTC]
            (time); missing where the value is missing or bad.
        bad: bool; whether there is a value that cannot be read.
    """

    clean: "pd.Series[Any]"
    bad: NDArray[np.bool_]


def read_values(raw: "pd.Series[Any]", kind: Kind) -> Values:
    """Read a column as `kind`.

    Numbers may come as text; an empty text is missing, and for other types than category and text
    so are NA, NaN, null and none. Times are ISO 8601 and UTC where they have no offset. Infinities
    are bad.

    Args:
        raw: Values of any type.
        kind: The type to read them as.
    """
    if kind in ("category", "text"):
        return _read_texts(raw)
    if kind == "time":
        return _read_times(raw)
    numbers = _read_truths(raw) if kind == "boolean" else _read_numbers(raw)
    if kind != "integer":
        return numbers
    array = numbers.clean.to_numpy(dtype=float)
    blocks = [array[start : start + _AT_ONCE] for start in range(0, len(array), _AT_ONCE)]
    if all(_is_whole(block).all() for block in blocks):
        return numbers
    broken = ~np.concatenate([_is_whole(block) for block in blocks])
    return Values(numbers.clean.mask(broken), numbers.bad | broken)


def _is_whole(numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say of each number whether it is whole and told exactly, or missing."""
    whole = (numbers == np.round(numbers)) & (np.abs(numbers) <= EXACT)
    return np.asarray(whole | np.isnan(numbers), dtype=bool)


def soften(raw: "pd.Series[Any]", kind: Kind) -> "pd.Series[Any]":
    """Return the column as its type, with bad values left as they came.

    The result has the clean dtype when nothing is bad, else object.
    """
    values = read_values(raw, kind)
    if not values.bad.any():
        return values.clean
    return values.clean.astype(object).mask(values.bad, raw.astype(object))


def read_softened(soft: "pd.Series[Any]", kind: Kind) -> Values:
    """Read a column that `soften` gave, as `read_values` does: in a clean one nothing is bad."""
    if kind in ("category", "text"):
        is_clean = isinstance(soft.dtype, pd.StringDtype)
    else:
        is_clean = soft.dtype == (TIME if kind == "time" else np.float64)
    return _as_they_are(soft) if is_clean else read_values(soft, kind)


def as_texts(raw: "pd.Series[Any]") -> "pd.Series[Any]":
    """Write every value as text, whatever it is; missing stays missing."""
    if isinstance(raw.dtype, pd.DatetimeTZDtype):
        return cast("pd.Series[Any]", raw.dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ").astype("str"))
    return raw.astype(object).map(_storable_text_of, na_action="ignore").astype("str")


def is_all_missing(values: ExtensionArray) -> bool:
    """Say whether there is no value at all; mostly the last one tells that there are."""
    return bool(values[-1:].isna().all() and values.isna().all())


def frame_of(columns: "Mapping[str, pd.Series[Any]]") -> pd.DataFrame:
    """Return columns of the same rows, which share an index, as a frame: they are not copied."""
    index = next(iter(columns.values())).index
    arrays = {  # which need not be aligned; in those of NumPy pandas would look for missing values
        name: column if isinstance(column.dtype, np.dtype) else column.array
        for name, column in columns.items()
    }
    return pd.DataFrame(arrays, index=index, copy=False)


def _as_they_are(raw: "pd.Series[Any]") -> Values:
    """Return values of the type that is wanted, all of them good or missing."""
    return Values(raw, np.zeros(len(raw), dtype=bool))


def _nulls(values: "pd.Series[Any]") -> NDArray[np.bool_]:
    return values.isna().to_numpy(dtype=bool, copy=True)


def _unread(raw: "pd.Series[Any]", clean: "pd.Series[Any]") -> NDArray[np.bool_]:
    """Tell which values came to nothing although they are not missing."""
    unread = _nulls(clean)
    unread &= ~_nulls(raw)
    if raw.dtype == object or isinstance(raw.dtype, pd.StringDtype):
        unread[unread] = ~raw[unread].map(is_missing_word).to_numpy(dtype=bool)
    return unread


def _without(raw: "pd.Series[Any]", types: tuple[type, ...]) -> "pd.Series[Any]":
    """Return a column without the values of some types; text columns as they are."""
    if isinstance(raw.dtype, pd.StringDtype):
        return raw
    plain = raw.astype(object)
    return plain.mask(plain.map(lambda value: isinstance(value, types)).astype(bool))


def _cast(raw: "pd.Series[Any]", kind: pa.DataType) -> "pd.Series[Any] | None":
    """Return a text column as Arrow casts it, the quick way; None when it cannot."""
    if not isinstance(raw.dtype, pd.StringDtype):
        return None
    try:
        values = pa.array(raw).cast(kind)
    except pa.ArrowInvalid:
        return None
    return pd.Series(values.to_pandas().array, index=raw.index)


def _read_numbers(raw: "pd.Series[Any]") -> Values:
    if raw.dtype == np.float64 and not np.isinf(raw.to_numpy()).any():
        return _as_they_are(raw)
    if isinstance(raw.dtype, np.dtype) and raw.dtype.kind in "biu":
        return _as_they_are(pd.Series(raw.to_numpy(dtype=float), index=raw.index, copy=False))
    if pd.api.types.is_numeric_dtype(raw.dtype):
        array = raw.to_numpy(dtype=float, na_value=np.nan)
    else:
        plain = _cast(raw, pa.float64())
        if plain is None:
            plain = pd.to_numeric(_without(raw, (bytes, bool)), errors="coerce")
        array = plain.to_numpy(dtype=float, na_value=np.nan)
    clean = pd.Series(np.where(np.isinf(array), np.nan, array), index=raw.index, copy=False)
    return Values(clean, _unread(raw, clean))


def _read_truths(raw: "pd.Series[Any]") -> Values:
    if pd.api.types.is_bool_dtype(raw.dtype):
        return _read_numbers(raw)
    clean = raw.astype(object).map(_truth_of).astype(float)
    return Values(clean, _unread(raw, clean))


def _truth_of(value: object) -> float:
    return TRUTHS.get(str(value).strip().lower(), np.nan)


def _read_times(raw: "pd.Series[Any]") -> Values:
    if raw.dtype == TIME:
        return _as_they_are(raw)
    if isinstance(raw.dtype, pd.DatetimeTZDtype):
        clean = raw.dt.tz_convert("UTC")
    elif pd.api.types.is_datetime64_dtype(raw.dtype):
        clean = raw.dt.tz_localize("UTC")
    else:
        cast_times = _cast(raw, pa.timestamp("us", "UTC"))
        if cast_times is None:
            plain = _without(raw, (bool, int, float, np.number))
            cast_times = pd.to_datetime(plain, utc=True, errors="coerce", format="ISO8601")
        clean = cast_times
    utc = clean.dt.as_unit("us")
    return Values(utc, _unread(raw, utc))


def _read_texts(raw: "pd.Series[Any]") -> Values:
    if isinstance(raw.dtype, pd.StringDtype):
        texts = raw
    elif pd.api.types.is_integer_dtype(raw.dtype) and not raw.hasnans:
        texts = raw.astype("str")
    else:
        texts = raw.astype(object).map(_text_or_none, na_action="ignore").astype("str")
    if _are_short_texts(texts):
        return _as_they_are(texts)
    length = texts.str.len().to_numpy(dtype=float, na_value=np.nan)
    bad = (length > MAX_TEXT) | (np.isnan(length) & ~_nulls(raw))
    nothing = bad | (length == 0)
    return Values(texts.mask(nothing) if nothing.any() else texts, bad)


def _are_short_texts(texts: "pd.Series[Any]") -> bool:
    """Say quickly, by their bytes, that no text is missing, empty or too long."""
    sizes = pc.min_max(pc.binary_length(pa.array(texts)), skip_nulls=False).as_py()
    return sizes["min"] is not None and sizes["min"] > 0 and sizes["max"] <= MAX_TEXT


def _text_or_none(value: object) -> str | None:
    if isinstance(value, str):
        return value if is_unicode(value) else None
    is_plain = isinstance(value, (int, float, np.number, Decimal, UUID))
    return text_of(value) if is_plain else None


def _storable_text_of(value: object) -> str:
    return text_of(value).encode(errors="replace").decode()
