"""Moments, durations and windows. All times are UTC; a window is half-open, [start, end)."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, NamedTuple, Self

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_COMPACT = "%Y%m%dT%H%M%SZ"
_BEGINNING, _END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@lru_cache(maxsize=1 << 14)
def parse_moment(text: str) -> datetime:
    """Read an ISO 8601 date or date-time; without an offset it is UTC.

    Raises:
        ValueError: `text` is not ISO 8601.
    """
    try:
        return as_utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        msg = f"{text!r} is not a time; write e.g. 2013-10-01 or 2013-10-01T06:00:00Z"
        raise ValueError(msg) from None


def as_utc(moment: datetime) -> datetime:
    """Return `moment` in UTC; without an offset it is taken as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@lru_cache(maxsize=1 << 14)
def format_moment(moment: datetime) -> str:
    """Write a moment as ISO 8601 with seconds, e.g. ``2013-10-01T00:00:00Z``."""
    return f"{_utc(moment).isoformat()}Z"


@lru_cache(maxsize=1 << 14)
def compact(moment: datetime) -> str:
    """Write a moment so that it can stand in a key, e.g. ``20131001T000000Z``; sorts by time."""
    utc = _utc(moment)
    return f"{utc.year:04}{utc:%m%dT%H%M%SZ}"


def _utc(moment: datetime) -> datetime:
    """Return a moment in UTC, without offset and microseconds."""
    return moment.astimezone(UTC).replace(tzinfo=None, microsecond=0)


@lru_cache(maxsize=1 << 14)
def parse_compact(text: str) -> datetime:
    """Read what `compact` wrote.

    Raises:
        ValueError: `text` has another form.
    """
    return datetime.strptime(text, _COMPACT).replace(tzinfo=UTC)


@lru_cache(maxsize=1 << 10)
def parse_duration(text: str) -> timedelta:
    """Read a duration such as ``90m``, ``36h``, ``7d``, ``4w``.

    Raises:
        ValueError: `text` has another form.
    """
    match = re.fullmatch(r"([0-9]{1,6})([mhdw])", text)
    if match is None:
        msg = f"{text!r} is not a duration; write a number and m, h, d or w, e.g. 36h"
        raise ValueError(msg)
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def format_duration(duration: timedelta) -> str:
    """Write a duration in its largest whole unit, days at most, e.g. ``7d``, ``36h``."""
    minutes = int(duration.total_seconds() // 60)
    for unit, size in (("d", 1440), ("h", 60)):
        if minutes and minutes % size == 0:
            return f"{minutes // size}{unit}"
    return f"{minutes}m"


def _read_duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    return parse_duration(str(value))


def _read_moment(value: object) -> datetime:
    if isinstance(value, date) and not isinstance(value, datetime):
        return parse_moment(value.isoformat())
    return value if isinstance(value, datetime) else parse_moment(str(value))


def _positive(value: timedelta) -> timedelta:
    if not value:
        msg = "a duration of nothing; write at least 1m"
        raise ValueError(msg)
    return value


Duration = Annotated[
    timedelta,
    BeforeValidator(_read_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d+[mhdw]$", "examples": ["36h", "7d"]}),
]
"""A span of time in a spec: ``36h``, ``7d``."""

PositiveDuration = Annotated[Duration, AfterValidator(_positive)]
"""A `Duration` of at least a minute."""

Moment = Annotated[
    datetime,
    BeforeValidator(_read_moment),
    AfterValidator(as_utc),
    PlainSerializer(format_moment, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["2013-10-01", "2013-10-01T06:00:00Z"]}),
]
"""A moment in a spec or a record: ISO 8601, UTC."""


class Window(NamedTuple):
    """A half-open time span [start, end) that is predicted or monitored once.

    Attributes:
        start: First moment inside.
        end: First moment after it.
    """

    start: datetime
    end: datetime

    @property
    def id(self) -> str:
        """The window's name in keys, e.g. ``20131001T000000Z-20131008T000000Z``."""
        return f"{compact(self.start)}-{compact(self.end)}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `id` wrote.

        Raises:
            ValueError: `text` has another form.
        """
        start, _, end = text.partition("-")
        return cls(parse_compact(start), parse_compact(end))

    def __str__(self) -> str:
        return self.id


def _check_window(text: str) -> str:
    Window.parse(text)
    return text


WindowId = Annotated[str, AfterValidator(_check_window)]
"""A window in a record, by its `Window.id`."""


def windows_until(start: datetime, length: timedelta, until: datetime) -> Iterator[Window]:
    """Yield the windows of `length` from `start` on that end at `until` or before."""
    while start + length <= until:
        yield Window(start, start + length)
        start += length


def windows_between(start: datetime, length: timedelta, span: Window) -> Iterator[Window]:
    """Yield the windows that begin in `span`, on the grid through `start` in both directions."""
    steps = -((start - span.start) // length)
    begin = start + steps * length
    while begin < span.end:
        yield Window(begin, begin + length)
        begin += length


def window_at(start: datetime, length: timedelta, moment: datetime) -> Window:
    """Return the window that holds a moment, on the grid through `start` in both directions.

    Raises:
        OverflowError: It would begin or end outside of time.
    """
    begin = start + (moment - start) // length * length
    return Window(begin, begin + length)


def shifted(moment: datetime, by: timedelta) -> datetime:
    """Return `moment` + `by`; the end of time, or its beginning, where that lies outside."""
    try:
        return moment + by
    except OverflowError:
        return _END if by > timedelta() else _BEGINNING


def say_seconds(seconds: float) -> str:
    """Say a time in the unit that people would use."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:,.0f} s"
