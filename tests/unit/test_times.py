from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.times import (
    Window,
    compact,
    format_duration,
    format_moment,
    parse_compact,
    parse_duration,
    parse_moment,
    say_seconds,
    windows_until,
)

MOMENTS = st.datetimes(
    min_value=datetime(1, 1, 1), max_value=datetime(9990, 1, 1), timezones=st.just(UTC)
).map(lambda moment: moment.replace(microsecond=0))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2013-10-01", datetime(2013, 10, 1, tzinfo=UTC)),
        ("2013-10-01T06:00:00Z", datetime(2013, 10, 1, 6, tzinfo=UTC)),
        ("2013-10-01T06:00:00+02:00", datetime(2013, 10, 1, 4, tzinfo=UTC)),
    ],
)
def test_moments_are_read_as_utc(text, moment):
    assert parse_moment(text) == moment
    assert parse_moment(text).tzinfo is UTC


@pytest.mark.parametrize("text", ["", "soon", "2013-13-01", "{{$.x}}"])
def test_what_is_no_moment_is_refused_with_a_remedy(text):
    with pytest.raises(ValueError, match="is not a time; write e.g. 2013-10-01"):
        parse_moment(text)


@pytest.mark.parametrize(
    ("text", "duration"),
    [("90m", timedelta(minutes=90)), ("36h", timedelta(hours=36)), ("2w", timedelta(days=14))],
)
def test_durations_are_read(text, duration):
    assert parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", "7", "d", "-1d", "1.5h", "7 d", "1y"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="write a number and m, h, d or w"):
        parse_duration(text)


@given(st.integers(0, 999_999))
def test_durations_come_back(minutes):
    duration = timedelta(minutes=minutes)
    assert parse_duration(format_duration(duration)) == duration


@given(MOMENTS)
def test_moments_come_back(moment):
    assert parse_moment(format_moment(moment)) == moment
    assert parse_compact(compact(moment)) == moment
    elsewhere = moment.astimezone(timezone(timedelta(hours=5)))
    assert compact(elsewhere) == compact(moment)


@given(MOMENTS, MOMENTS)
def test_compact_sorts_by_time(one, other):
    assert (compact(one) < compact(other)) == (one < other)


@given(MOMENTS, st.integers(1, 60), st.integers(0, 400))
def test_windows_follow_one_another_up_to_the_end(start, days, span):
    length, until = timedelta(days=days), start + timedelta(days=span)
    windows = list(windows_until(start, length, until))
    assert len(windows) == span // days
    assert [window.end for window in windows[:-1]] == [window.start for window in windows[1:]]
    assert all(Window.parse(window.id) == window for window in windows)


@pytest.mark.parametrize(("seconds", "said"), [(59.6, "60 s"), (150, "2.5 min"), (9_000, "2.5 h")])
def test_times_are_told_in_their_unit(seconds, said):
    assert say_seconds(seconds) == said
