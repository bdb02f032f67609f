from datetime import timedelta

import pytest

from tenantry.monitoring.history import Judged
from tenantry.report.timelines import NARROW, WIDE, draw_quality, draw_volumes
from tenantry.times import Window
from tests.unit.report.made_fleet import BEFORE, make_reign

WEEK = timedelta(days=7)


def week(n, realised=0.4, promised=0.4, **changes):
    start = BEFORE + n * WEEK
    fields = {"realised": realised, "low": 0.3, "high": 0.5, "promised": promised, "rows": 100}
    return Judged(window=Window(start, start + WEEK).id, status="ok", **fields | changes)


def draw(past, reigns=(), frame=WIDE):
    return draw_quality(past, "log loss", 0.02, reigns, frame)


def test_worse_is_higher_and_later_is_further_right():
    first, second = draw([week(0, 0.35), week(1, 0.45)]).marks
    assert first.y > second.y
    assert (first.x, second.x) == (WIDE.width / 4, WIDE.width * 3 / 4)
    assert first.low > first.y > first.high


def test_an_interval_that_ends_at_nothing_is_told():
    (mark,) = draw([week(0, 0.1, low=0.0, high=0.2)]).marks
    assert "(.000 to .200)" in mark.text
    (mark,) = draw([week(0, low=None, high=None)]).marks
    assert "(" not in mark.text


def test_a_promise_is_one_band_as_long_as_it_held():
    past = [week(0), week(1), week(2, promised=0.3), week(3, promised=None), week(4)]
    steps = draw(past).steps
    assert [(one.x, one.width) for one in steps] == [(0.0, 424.0), (424.0, 212.0), (848.0, 212.0)]
    assert steps[0].top == pytest.approx(steps[0].promise - steps[0].height)
    assert steps[1].promise > steps[0].promise


def test_windows_that_are_missing_leave_a_gap():
    marks = draw([week(0), week(3)]).marks
    assert [one.x for one in marks] == [WIDE.width / 8, WIDE.width * 7 / 8]


def test_windows_without_a_quality_have_no_mark():
    nothing = {"realised": None, "low": None, "high": None, "promised": None}
    assert len(draw([week(0), week(1, **nothing)]).marks) == 1
    assert draw([week(0, **nothing)]) is None
    assert draw([]) is None


def test_another_model_is_a_line_where_it_began_to_reign():
    reigns = [make_reign("ua", BEFORE + n * WEEK, 0.4) for n in (-1, 0, 1, 9)]
    (turn,) = draw([week(0), week(1)], reigns).turns
    assert turn.x == WIDE.width / 2
    assert turn.text == f"2013-10-08: promoted: {reigns[2].version}"


def test_a_narrow_line_shows_the_latest_with_fewer_marks():
    past = [week(n) for n in range(60)]
    assert len(draw(past).marks) == WIDE.windows
    line = draw(past, frame=NARROW)
    assert len(line.marks) == NARROW.windows
    assert len(line.x_ticks) <= NARROW.ticks
    assert line.marks[-1].text.startswith("2014-11-18 to 2014-11-25")


def test_volumes_stand_on_the_ground_with_the_labelled_within():
    (one, other) = draw_volumes([week(0, labelled=50), week(1, rows=40, labelled=40)], WIDE).bars
    assert one.height == pytest.approx(2 * one.labelled_height)
    assert one.top + one.height == other.top + other.height == WIDE.height // 2
    assert other.labelled_height == other.height
    assert one.x + one.width < other.x
    assert draw_volumes([week(0, rows=0)], WIDE) is None
