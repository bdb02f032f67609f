"""Calendar: a part of the event's local time."""

from typing import Literal

import numpy as np
import pandas as pd

from tenantry.columns import EVENT_TIME
from tenantry.features.windows import Floats, Integers, moments_of

_MINUTE, _DAY = 60_000_000, 86_400_000_000
_THURSDAY = 3
"""The weekday on which 1970 began."""

Part = Literal["hour", "weekday", "minute_of_day"]


def local_part(rows: pd.DataFrame, part: Part, timezone: str) -> Floats:
    """Compute a calendar feature: what the clock or the calendar on the wall shows.

    Args:
        rows: A rows frame.
        part: See `part_of`.
        timezone: An IANA name.

    Returns:
        One value a row.
    """
    return part_of(local_clock(moments_of(rows[EVENT_TIME]), timezone), part)


def local_clock(moments: Integers, timezone: str) -> Integers:
    """Return local dates and times as microseconds, as if 1970 had begun there.

    Args:
        moments: Microseconds since 1970 UTC.
        timezone: An IANA name.
    """
    events = pd.DatetimeIndex(moments.view("datetime64[us]"), tz="UTC")
    return moments_of(pd.Series(events.tz_convert(timezone).tz_localize(None)))


def part_of(clock: Integers, part: Part) -> Floats:
    """Return a part of local dates and times.

    Args:
        clock: As `local_clock` gives them.
        part: `hour` is 0 to 23, `weekday` 0 (Monday) to 6, `minute_of_day` 0 to 1439 by the
            clock: an hour of values comes twice on the day a clock goes back, and not at all on
            the day it goes forward.
    """
    day = clock // _DAY
    if part == "weekday":
        return _rest(day + _THURSDAY, 7).astype(np.float64)
    minute = (clock - day * _DAY) // _MINUTE
    return (minute // 60 if part == "hour" else minute).astype(np.float64)


def _rest(numbers: Integers, size: int) -> Integers:
    """Return the rest of a division, which NumPy itself takes ten times as long to find."""
    return numbers - numbers // size * size
