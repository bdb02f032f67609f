"""Reading one raw value as a type of the contract, as `tenantry.values` reads whole columns."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

Kind = Literal["number", "integer", "category", "text", "time", "boolean"]

FAULTS: dict[Kind, str] = {
    "number": "not a finite number",
    "integer": "not a whole number",
    "category": "not a short text",
    "text": "not a short text",
    "time": "not a time",
    "boolean": "not true or false",
}
"""What a value is that cannot be read as the type."""

MAX_TEXT = 1000
"""Characters; longer texts are bad values."""

TRUTHS = {"true": 1.0, "t": 1.0, "yes": 1.0, "1": 1.0, "1.0": 1.0}
TRUTHS |= {"false": 0.0, "f": 0.0, "no": 0.0, "0": 0.0, "0.0": 0.0}
"""Words that are true or false."""

EXACT = 2.0**53
"""Whole numbers above this cannot all be told apart as float64."""

Value = float | str | int | None
"""A number, integer or truth as float, a text, a time as microseconds since 1970 UTC, or None."""

_MISSING = frozenset({"", "na", "n/a", "nan", "nat", "null", "none"})
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def read_value(raw: object, kind: Kind) -> Value:
    """Read a value as `kind`; missing is None.

    Raises:
        ValueError: It cannot be read so; the message does not quote it.
    """
    try:
        return _READERS[kind](raw)
    except ValueError:
        raise ValueError(FAULTS[kind]) from None


def reader_of(kind: Kind) -> Callable[[object], Value]:
    """Return what reads values as `kind`; see `read_value`."""
    return _READERS[kind]


def microseconds(moment: datetime) -> int:
    """Return a moment as microseconds since 1970 UTC; without an offset it is taken as UTC."""
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return (aware - _EPOCH) // _MICROSECOND


def moment_of(micros: int) -> datetime:
    """Return the moment of microseconds since 1970 UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def is_missing_word(value: object) -> bool:
    """Say whether a value of another type than text is a word for a missing one."""
    return isinstance(value, str) and value.strip().lower() in _MISSING


def is_unicode(text: str) -> bool:
    """Tell whether UTF-8 can hold a text: it has no lone surrogates."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def text_of(value: object) -> str:
    """Return a value as text; 15.0 is ``15``."""
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return str(int(value))
    return str(value)


def _read_number(raw: object) -> float | None:
    if type(raw) is float and math.isfinite(raw):  # as most values are
        return raw
    if isinstance(raw, str):
        text = _short(raw, "number").strip()
        if not _NUMBER.fullmatch(text):
            _require_missing(raw, "number")
            return None
        number = float(text)
    elif isinstance(raw, float | int) and not isinstance(raw, bool):
        number = _as_float(raw)
    elif raw is None:
        return None
    else:
        raise ValueError(FAULTS["number"])
    if math.isinf(number):
        raise ValueError(FAULTS["number"])
    return None if math.isnan(number) else number


def _as_float(raw: float) -> float:
    try:
        return float(raw)
    except OverflowError:
        return math.inf


def _read_integer(raw: object) -> float | None:
    number = _read_number(raw)
    if number is not None and (not number.is_integer() or abs(number) > EXACT):
        raise ValueError(FAULTS["integer"])
    return number


def _read_truth(raw: object) -> float | None:
    if _is_missing(raw):
        return None
    if isinstance(raw, str | bool | int | float):
        truth = TRUTHS.get(_short(str(raw), "boolean").strip().lower())
        if truth is None:
            _require_missing(raw, "boolean")
        return truth
    raise ValueError(FAULTS["boolean"])


def _read_text(raw: object) -> str | None:
    if type(raw) is str and raw.isascii() and 0 < len(raw) <= MAX_TEXT:  # as most are
        return raw
    if _is_missing(raw):
        return None
    if not isinstance(raw, str | int | float):
        raise ValueError(FAULTS["text"])
    text = raw if isinstance(raw, str) else text_of(raw)
    if len(text) > MAX_TEXT or not is_unicode(text):
        raise ValueError(FAULTS["text"])
    return text or None


def _read_time(raw: object) -> int | None:
    if _is_missing(raw):
        return None
    if isinstance(raw, str):
        _short(raw, "time")
        try:
            return microseconds(datetime.fromisoformat(raw.strip()))
        except (ValueError, OverflowError):
            _require_missing(raw, "time")
            return None
    if isinstance(raw, datetime):
        return microseconds(raw)
    raise ValueError(FAULTS["time"])


def _short(raw: str, kind: Kind) -> str:
    """Return a text that is no longer than texts may be: blanks and zeros could go on for ever.

    Servers keep what was asked as it came, row by row.
    """
    if len(raw) > MAX_TEXT:
        raise ValueError(FAULTS[kind])
    return raw


def _is_missing(raw: object) -> bool:
    return raw is None or (isinstance(raw, float) and math.isnan(raw))


def _require_missing(raw: object, kind: Kind) -> None:
    """Raise for what is not a word for a missing value."""
    if not is_missing_word(raw):
        raise ValueError(FAULTS[kind])


_READERS: dict[Kind, Callable[[object], Value]] = {
    "number": _read_number,
    "integer": _read_integer,
    "category": _read_text,
    "text": _read_text,
    "time": _read_time,
    "boolean": _read_truth,
}
