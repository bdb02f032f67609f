from dataclasses import replace
from datetime import timedelta

import pytest

from tenantry.planner import plan_tenant
from tenantry.request import Backfill
from tenantry.states import TenantState
from tenantry.times import parse_moment
from tests.unit.planned import NOVEMBER, OCTOBER, WEEK, by, due, trained, weeks
from tests.unit.tiny_fleet import make_spec as tiny_spec


def test_windows_after_the_reign_began_are_predicted_and_judged_in_one_run():
    spec = tiny_spec()
    found = due(spec, trained(spec, OCTOBER, predicted=weeks(0, 4)), NOVEMBER)
    assert found["predict"].windows == tuple(window.id for window in weeks(4, 8))
    assert found["monitor"].windows == tuple(window.id for window in weeks(4, 8))


def test_windows_in_sample_are_never_judged():
    spec = tiny_spec()
    found = due(spec, trained(spec, OCTOBER, predicted=weeks(0, 4)), OCTOBER + 2 * WEEK)
    assert set(found["monitor"].windows).isdisjoint(window.id for window in weeks(0, 4))


def test_a_window_is_judged_once_and_not_before_its_labels_are_known():
    spec = tiny_spec()
    (week,) = weeks(4, 5)
    state = trained(spec, OCTOBER, predicted=weeks(0, 5))
    assert "monitor" not in due(spec, state, week.end + timedelta(hours=35))
    assert due(spec, state, week.end + timedelta(hours=36))["monitor"].windows == (week.id,)
    judged = trained(spec, OCTOBER, predicted=weeks(0, 5), judged=frozenset({week}))
    assert "monitor" not in due(spec, judged, week.end + timedelta(hours=36))


def test_where_a_column_says_when_labels_are_known_the_spec_says_how_long_to_wait():
    times = {"event_time": "departs", "label_known_at": {"column": "landed"}}
    (week,) = weeks(4, 5)
    for wait, hours in (("0m", 0), ("36h", 36)):
        spec = tiny_spec(times=times, monitor={"wait": wait})
        state = trained(spec, OCTOBER, predicted=weeks(0, 5))
        late = week.end + timedelta(hours=hours)
        assert due(spec, state, late)["monitor"].windows == (week.id,)
        assert "monitor" not in due(spec, state, late - timedelta(minutes=1))


def test_windows_older_than_the_history_are_left_out_and_counted():
    spec = tiny_spec()
    short = spec.train.model_copy(update={"history": timedelta(days=14)})
    spec = spec.model_copy(update={"train": short})
    work = plan_tenant(spec, TenantState(), OCTOBER)
    assert work.due[1].windows == tuple(window.id for window in weeks(2, 4))
    assert work.note == "2 windows are older than train.history (14d)"


def late_spec(**predict):
    return tiny_spec(predict={"window": "7d", "start": "2013-09-03"} | predict)


@pytest.mark.parametrize(
    ("hours", "looked", "expected"),
    [
        (0, None, False),  # the receipt is as of now
        (1, None, True),
        (1, 1, False),  # looked for as of now
        (30, 1, True),  # again, while the time is not over
        (72, 71, True),
        (100, 71, True),  # a last time after it is over
        (100, 100, False),
        (160, 72, False),  # looked for after it was over
    ],
)
def test_late_rows_are_looked_for_until_their_time_is_over(hours, looked, expected):
    spec = late_spec(late_rows="3d")
    (week,) = weeks(4, 5)
    as_of = week.end + timedelta(hours=hours)
    receipt = by(OCTOBER, week, as_of=week.end)
    looked_at = None if looked is None else week.end + timedelta(hours=looked)
    state = trained(spec, OCTOBER, predicted=weeks(0, 4), looked_at=looked_at)
    old = {window: by(OCTOBER, window, as_of=week.end) for window in weeks(0, 4)}
    found = due(spec, replace(state, predicted=old | {week: receipt}), as_of)
    assert (found["predict"].windows if "predict" in found else ()) == (
        (week.id,) if expected else ()
    )


def test_late_and_new_windows_are_due_together_and_the_reason_tells_them_apart():
    spec = late_spec(late_rows="10d")
    as_of = NOVEMBER
    state = trained(spec, OCTOBER, looked_at=parse_moment("2013-10-22"))
    receipts = {window: by(OCTOBER, window, as_of=window.end) for window in weeks(0, 7)}
    found = due(spec, replace(state, predicted=receipts), as_of)["predict"]
    assert found.windows == tuple(window.id for window in weeks(5, 8))
    assert found.reason == (
        "1 window from 2013-10-22T00:00:00Z to 2013-10-29T00:00:00Z: not yet predicted; "
        "2 windows from 2013-10-08T00:00:00Z to 2013-10-22T00:00:00Z: rows may have arrived late"
    )


def test_a_cap_takes_the_oldest_windows_and_the_note_counts_the_rest():
    spec = late_spec(max_windows_per_run=3)
    work = plan_tenant(spec, TenantState(), OCTOBER)
    assert work.due[1].windows == tuple(window.id for window in weeks(0, 3))
    assert work.note == "left for later runs: 1 window (predict.max_windows_per_run is 3)"
    assert "monitor" not in due(spec, trained(spec, OCTOBER, predicted=weeks(0, 4)), OCTOBER)


def test_the_promise_counts_from_the_last_row_of_the_oldest_window():
    spec = late_spec(fresh_within="6h")
    work = plan_tenant(spec, trained(spec, OCTOBER, predicted=weeks(0, 6)), NOVEMBER)
    assert work.promised == weeks(3, 5)[1].end + timedelta(hours=36 + 6)  # the oldest to be judged
    spec = late_spec(fresh_within="6h")
    judged = frozenset(weeks(0, 6))
    work = plan_tenant(spec, trained(spec, OCTOBER, predicted=weeks(0, 6), judged=judged), NOVEMBER)
    assert work.promised == weeks(6, 7)[0].end + timedelta(hours=6)


def months(model, *, until=OCTOBER):
    return Backfill(parse_moment("2013-08-01"), until, model)


def test_a_backfill_asks_for_what_the_model_of_then_has_not_predicted():
    spec = tiny_spec()
    state = trained(spec, OCTOBER, predicted=weeks(0, 4))
    found = due(spec, state, OCTOBER, backfill=months("then"))["backfill"]
    assert found.windows == tuple(window.id for window in weeks(-4, 0))
    assert (found.model, found.since, found.until) == (
        "then",
        parse_moment("2013-08-01"),
        OCTOBER,
    )
    again = trained(spec, OCTOBER, predicted=weeks(-4, 4))
    assert due(spec, again, OCTOBER, backfill=months("then")) == {}


def test_a_backfill_by_the_current_champion_predicts_again_what_others_did():
    spec = tiny_spec()
    state = trained(spec, OCTOBER, NOVEMBER, predicted=weeks(-4, 8))
    found = due(spec, state, NOVEMBER, backfill=months("current", until=NOVEMBER))
    assert found["backfill"].windows == tuple(window.id for window in weeks(-4, 8))
    assert found["backfill"].model == "current"
    assert "backfill" not in due(spec, state, NOVEMBER, backfill=months("then", until=NOVEMBER))


def test_a_backfill_reaches_past_the_history_and_shares_the_cap():
    spec = late_spec(max_windows_per_run=3)
    spec = spec.model_copy(
        update={"train": spec.train.model_copy(update={"history": timedelta(days=14)})}
    )
    work = plan_tenant(spec, TenantState(), OCTOBER, backfill=months("then"))
    found = {one.action: one.windows for one in work.due}
    assert found["predict"] == tuple(window.id for window in weeks(2, 4))
    assert found["backfill"] == tuple(window.id for window in weeks(-4, -3))
    assert "left for later runs: 5 windows of the backfill" in work.note


def test_what_a_later_run_predicted_is_not_predicted_again_and_not_judged_by_it():
    spec = tiny_spec()
    predicted = {week: by(OCTOBER, week, as_of=NOVEMBER) for week in weeks(0, 6)}
    state = replace(trained(spec, OCTOBER), predicted=predicted)
    found = due(spec, state, OCTOBER + 2 * WEEK + timedelta(days=3))
    assert found == {}
