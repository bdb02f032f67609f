"""Calendar: a part of the event's local time."""

from typing import Literal

import numpy as np
import pandas as pd

from tenantry.columns import EVENT_TIME
from tenantry.features.windows import Floats

Part = Literal["hour", "weekday", "minute_of_day"]


def local_part(rows: pd.DataFrame, part: Part, timezone: str) -> Floats:
    """Compute a calendar feature: what the clock or the calendar on the wall shows.

    Args:
        rows: A rows frame.
        part: `hour` is 0 to 23, `weekday` 0 (Monday) to 6, `minute_of_day` 0 to 1439 by the
            clock: an hour of values comes twice on the day a clock goes back, and not at all on
            the day it goes forward.
        timezone: An IANA name.

    Returns:
        One value a row.
    """
    local = rows[EVENT_TIME].dt.tz_convert(timezone).dt
    if part == "weekday":
        return np.asarray(local.weekday, dtype=np.float64)
    hour = np.asarray(local.hour, dtype=np.float64)
    return hour if part == "hour" else hour * 60 + np.asarray(local.minute)
