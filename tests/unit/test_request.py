from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.errors import PlanError
from tenantry.request import Backfill, PlanRequest

AS_OF = datetime(2013, 10, 1, tzinfo=UTC)
GRID, WEEK = datetime(2013, 9, 3, tzinfo=UTC), timedelta(days=7)


def request(**asked):
    return PlanRequest("run", AS_OF, **asked)


def test_without_a_span_no_backfill_is_asked_for():
    assert request().backfill is None


def test_a_backfill_goes_until_the_runs_time_unless_it_says_when():
    assert request(backfill_from="2013-01-01").backfill == Backfill(
        datetime(2013, 1, 1, tzinfo=UTC), AS_OF
    )
    asked = request(
        backfill_from="2013-01-01", backfill_to="2013-02-01", backfill_model="current"
    ).backfill
    assert (asked.until.month, asked.model) == (2, "current")


def test_all_faults_come_at_once():
    broken = request(
        max_shards=0, cpu_budget=-1, backfill_from="soon", backfill_to="x", backfill_model="best"
    )
    with pytest.raises(PlanError) as caught:
        broken.check()
    assert str(caught.value).splitlines() == [
        "backfill_from: 'soon' is not a time; write e.g. 2013-10-01 or 2013-10-01T06:00:00Z",
        "backfill_model: 'best' is not then or current",
        "backfill_to: 'x' is not a time; write e.g. 2013-10-01 or 2013-10-01T06:00:00Z",
        "cpu_budget: -1 is not ≥ 0; 0 means no budget",
        "max_shards: 0 is not ≥ 1",
    ]


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        ({"backfill_to": "2013-01-01"}, "backfill_from: is missing; say from when"),
        ({"backfill_from": "2014-01-01"}, "backfill_from: is not before backfill_to (or as_of)"),
        ({"cpu_budget": float("nan")}, "cpu_budget: nan is not ≥ 0"),
    ],
)
def test_what_makes_no_sense_is_refused(asked, fault):
    with pytest.raises(PlanError, match=fault.replace("(", r"\(").replace(")", r"\)")):
        request(**asked).check()


@given(st.integers(-400, 400), st.integers(1, 200))
def test_windows_lie_on_the_grid_and_begin_in_the_span(first, days):
    order = Backfill(GRID + timedelta(days=first), GRID + timedelta(days=first + days))
    windows = list(order.windows(GRID, WEEK))
    assert all(order.since <= window.start < order.until for window in windows)
    assert all((window.start - GRID) % WEEK == timedelta() for window in windows)
    starts = [window.start for window in windows]
    assert starts == sorted(starts)
    assert len(windows) in (days // 7, days // 7 + 1)
