"""Calendar parts are what the clock on the wall shows, when clocks change too."""

import pandas as pd
import pytest

from tenantry.features.calendar import local_part


@pytest.mark.parametrize(
    ("utc", "timezone", "weekday", "hour", "minute_of_day"),
    [
        ("2013-03-10T06:59", "America/New_York", 6, 1, 119),
        ("2013-03-10T07:00", "America/New_York", 6, 3, 180),  # the clock went forward
        ("2013-11-03T05:30", "America/New_York", 6, 1, 90),
        ("2013-11-03T06:30", "America/New_York", 6, 1, 90),  # and back
        ("2013-01-01T03:00", "America/New_York", 0, 22, 1320),  # the day before
        ("2013-01-01T03:00", "UTC", 1, 3, 180),
        ("2013-01-01T03:00", "Asia/Kolkata", 1, 8, 510),
    ],
)
def test_local_parts(utc, timezone, weekday, hour, minute_of_day):
    times = pd.Series([utc]).astype("datetime64[us, UTC]")
    rows = pd.DataFrame({"event_time": times})
    expected = {"weekday": weekday, "hour": hour, "minute_of_day": minute_of_day}
    for part, value in expected.items():
        found = local_part(rows, part, timezone)
        assert found.dtype == "float64"
        assert found.tolist() == [value]
