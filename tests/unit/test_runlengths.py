from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tenantry.runlengths import (
    pack_moments,
    pack_timed,
    pack_windows,
    seconds,
    span,
    unpack_moments,
    unpack_timed,
    unpack_windows,
)
from tenantry.times import Window

OCTOBER = datetime(2013, 10, 1, tzinfo=UTC)
DAY, WEEK = timedelta(days=1), timedelta(days=7)
YEAR = [Window(OCTOBER + n * WEEK, OCTOBER + (n + 1) * WEEK) for n in range(52)]
AT = seconds(OCTOBER)

moments = st.integers(-5, 30).map(lambda n: OCTOBER + n * DAY)
windows = st.builds(
    lambda start, days: Window(start, start + days * DAY), moments, st.sampled_from([1, 7])
)


@given(st.frozensets(moments))
def test_moments_come_back(some):
    assert unpack_moments(pack_moments(some)) == some


@given(st.frozensets(windows))
def test_windows_come_back(some):
    assert unpack_windows(pack_windows(some)) == some


@given(st.frozensets(st.tuples(windows, moments)))
def test_windows_with_moments_come_back(some):
    packed = pack_timed((*span(window), seconds(at)) for window, at in some)
    found = [pair for run in unpack_timed(packed) for pair in zip(*run, strict=True)]
    assert frozenset(found) == some
    assert len(found) == len(some)


def test_a_steady_pace_is_one_run():
    week = 7 * 86400
    assert pack_moments(window.end for window in YEAR) == [[AT + week, week, 52]]
    assert pack_windows(YEAR) == [[AT, week, 52]]
    timed = [(*span(window), seconds(window.end)) for window in YEAR]
    assert pack_timed(timed) == [[AT, week, 52, AT + week, week]]


def test_windows_looked_at_again_and_again_are_a_run_for_each_time():
    timed = [
        (*span(window), seconds(window.end + again * DAY)) for window in YEAR for again in range(7)
    ]
    assert len(pack_timed(timed)) == 7


def test_equal_windows_are_the_very_same_object():
    (one,), (other,) = (
        unpack_windows(pack_windows(YEAR[:1])),
        unpack_windows(pack_windows(YEAR[:1])),
    )
    assert one is other
