"""Three moments of a row: missing ones stay missing, and none is moved out of bounds."""

from datetime import timedelta

import pandas as pd
import pytest

from tenantry.columns import EVENT_TIME, KNOWN_AT, LABEL_KNOWN_AT
from tenantry.moments import known_times, row_moments
from tenantry.specs.data import KnownAt, Times

LAST = (1 << 63) - 1
"""Microseconds of the last moment there is."""


def times(lead="1h", delay="2d"):
    return Times(
        event_time="at",
        known_at=KnownAt(lead=lead),
        label_known_at=KnownAt(delay=delay),
    )


def rows(*moments, unit="us"):
    at = pd.Series(moments, dtype="int64").astype(f"datetime64[{unit}]").dt.tz_localize("UTC")
    return pd.DataFrame({"at": at}).set_axis(range(7, 7 + len(moments)))


def test_a_row_is_known_a_lead_before_it_happens_and_its_label_a_delay_after():
    frame = pd.DataFrame({"at": pd.to_datetime(["2024-03-01T00:00:00.000001Z", None])})
    told = pd.DataFrame(row_moments(frame, times()))
    assert list(told.dtypes.astype(str)) == ["datetime64[us, UTC]"] * 3
    assert told.loc[0].to_dict() == {
        EVENT_TIME: pd.Timestamp("2024-03-01T00:00:00.000001Z"),
        KNOWN_AT: pd.Timestamp("2024-02-29T23:00:00.000001Z"),
        LABEL_KNOWN_AT: pd.Timestamp("2024-03-03T00:00:00.000001Z"),
    }
    assert told.loc[1].isna().all()


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_moments_of_other_units_and_zones_are_moved_as_their_index_has_them(unit, zone):
    frame = pd.DataFrame({"at": rows(0, 10**9, unit=unit)["at"].dt.tz_convert(zone)})
    known = known_times(frame, times())
    wanted = (frame["at"] - timedelta(hours=1)).dt.tz_convert("UTC").dt.as_unit("us")
    pd.testing.assert_series_equal(known, wanted, check_names=False)


@pytest.mark.parametrize("moment", [LAST - 1, 1 - LAST])
def test_a_moment_that_cannot_be_moved_so_far_is_refused(moment):
    with pytest.raises(OverflowError, match="out of bounds"):
        row_moments(rows(0, moment), times())


def test_without_lead_or_delay_all_moments_are_the_same():
    told = row_moments(rows(LAST, 1 - LAST), times(lead="0h", delay="0h"))
    for name in (KNOWN_AT, LABEL_KNOWN_AT):
        pd.testing.assert_series_equal(told[name], told[EVENT_TIME], check_names=False)
