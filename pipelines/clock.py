"""Crons in time zones: Kubeflow's controller reads all of them in one, its own."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_FIELD = re.compile(r"[0-9A-Za-z*,/?-]+")
_NUMBERS = re.compile(r"\d+(,\d+)*")
_DAY = timedelta(days=1)


class CronError(ValueError):
    """A cron cannot be read, or not in another time zone."""


@dataclass(frozen=True)
class Cron:
    """A cron of six fields: second, minute, hour, day of month, month, day of week."""

    fields: tuple[str, ...]

    @property
    def text(self) -> str:
        """As Kubeflow wants it."""
        return " ".join(self.fields)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a cron of five fields, or of six with the seconds first.

        Raises:
            CronError: It is none.
        """
        fields = text.split()
        if len(fields) == 5:
            fields.insert(0, "0")
        if len(fields) != 6 or not all(map(_FIELD.fullmatch, fields)):
            msg = f"{text[:60]!r} is no cron: minute, hour, day of month, month, day of week"
            raise CronError(msg)
        return cls(tuple(fields))

    def moved(self, zone: str, clock: str, now: datetime) -> Self:
        """Return the cron that a clock in another time zone has to follow.

        Where clocks are changed in one of the zones the difference is that of `now`: it is right
        until the next change, after which it has to be asked for again.

        Args:
            zone: The time zone that it is in.
            clock: That of the clock.
            now: When.

        Raises:
            CronError: A zone is unknown, or it cannot be written so: hours that are no list of
                numbers, or days that would differ.
        """
        difference = _offset(clock, now) - _offset(zone, now)
        if not difference:
            return self
        second, minute, hour, *days = self.fields
        if not _NUMBERS.fullmatch(minute) or not _NUMBERS.fullmatch(hour):
            msg = f"minutes and hours must be numbers to be told by the clock of {clock}"
            raise CronError(msg)
        times = [
            timedelta(hours=int(one), minutes=int(other)) + difference
            for one in hour.split(",")
            for other in minute.split(",")
        ]
        if any(not timedelta() <= time < _DAY for time in times) and set(days) - {"*", "?"}:
            msg = f"it is another day by the clock of {clock} then; name no days, or another hour"
            raise CronError(msg)
        hours = sorted({int(time % _DAY / timedelta(hours=1)) for time in times})
        minutes = sorted({time.seconds // 60 % 60 for time in times})
        if len(times) != len(hours) * len(minutes):
            msg = f"by the clock of {clock} its hours have different minutes; write two schedules"
            raise CronError(msg)
        moved = (second, _join(minutes), _join(hours), *days)
        return type(self)(moved)


def _join(numbers: list[int]) -> str:
    return ",".join(map(str, numbers))


def _offset(zone: str, now: datetime) -> timedelta:
    try:
        return now.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        msg = f"{zone[:60]!r} is no time zone; write one like Europe/Berlin"
        raise CronError(msg) from None
