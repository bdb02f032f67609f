"""A run reads its history, and as far ahead as features are known."""

from datetime import UTC, datetime, timedelta

import pytest

from tenantry.sources.collect import collect_rows, read_span
from tenantry.sources.query import date_bounds
from tenantry.times import Window
from tests.unit.sources.lake import AS_OF, make_spec

FIRST = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("known_at", "ahead"),
    [
        ({"lead": "0m"}, timedelta(0)),
        ({"lead": "7d"}, timedelta(days=7)),
        ({"column": "at"}, timedelta(days=60)),
    ],
)
def test_the_span_that_is_read(known_at, ahead):
    times = {"event_time": "at", "known_at": known_at, "label_known_at": {"delay": "2d"}}
    span = read_span(make_spec(times=times), AS_OF)
    assert span == Window(AS_OF - timedelta(days=60), AS_OF + ahead + FIRST)


def test_the_last_moment_known_is_read(lake):
    lake.fill()
    last = datetime(2024, 2, 2, tzinfo=UTC)
    rows = collect_rows(make_spec(), lake.connections, last).rows
    assert rows["event_time"].max().to_pydatetime() == last
    assert len(rows) == 3 * 4


def test_tomorrows_rows_come_with_a_lead(lake):
    lake.fill()
    times = {"event_time": "at", "known_at": {"lead": "1d"}, "label_known_at": {"delay": "2d"}}
    rows = collect_rows(
        make_spec(times=times), lake.connections, datetime(2024, 2, 2, tzinfo=UTC)
    ).rows
    assert rows["event_time"].max().to_pydatetime() == datetime(2024, 2, 3, tzinfo=UTC)
    assert rows["label"].isna().all()


def test_the_days_around_the_ends_of_time():
    first, last = (moment.replace(tzinfo=UTC) for moment in (datetime.min, datetime.max))  # noqa: DTZ901
    assert date_bounds(Window(first, last)) == (first.date(), last.date())
