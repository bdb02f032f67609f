from datetime import timedelta

import pytest

from tenantry.champions import Champion, Reign
from tenantry.facts import Predicted
from tenantry.promises import Promise, measure_promises, sum_promises
from tenantry.states import TenantState
from tenantry.times import Window, compact, parse_moment
from tests.unit.tiny_fleet import make_spec

START = parse_moment("2013-09-03")
WEEK, DAY = timedelta(days=7), timedelta(days=1)
FIRST = START + 4 * WEEK
AS_OF = START + 12 * WEEK
WINDOWS = [Window(START + n * WEEK, START + (n + 1) * WEEK) for n in range(14)]
SPEC = make_spec()


def reign(since, trained_until=None):
    return Reign(
        since=since,
        version=f"{compact(since)}-abc",
        digest="d",
        trained_until=trained_until or since,
        training_digest="t",
        recipe="pooled",
        gate="promoted",
    )


def measure(*, late=None, missing=(), reigns=(FIRST,), as_of=AS_OF, spec=SPEC):
    """Measure a tenant whose windows were predicted as they ended, or so much later."""
    late = late or {}
    predicted = {
        window: (Predicted(window.end + late.get(n, 0) * DAY, "m", in_sample=False),)
        for n, window in enumerate(WINDOWS)
        if n not in missing
    }
    champion = Champion(counter=1, reigns=tuple(map(reign, reigns))) if reigns else None
    return measure_promises(spec, TenantState(champion=champion, predicted=predicted), as_of)


def with_promises(**promises):
    monitor = SPEC.monitor.model_copy(
        update={"promises": SPEC.monitor.promises.model_copy(update=promises)}
    )
    return SPEC.model_copy(update={"monitor": monitor})


def test_windows_predicted_in_time_keep_the_promise():
    kept = measure().predictions
    assert (kept.total, kept.missed, kept.broken, kept.budget) == (8, 0, False, 1.0)
    assert kept.allowed == pytest.approx(0.4)


@pytest.mark.parametrize(("days", "missed"), [(0, 0), (1, 0), (2, 1)])
def test_a_window_predicted_too_late_spends_the_budget(days, missed):
    kept = measure(late={6: days}).predictions
    assert (kept.missed, kept.broken) == (missed, False)


def test_a_window_that_waits_past_its_promise_breaks_it_now():
    kept = measure(missing=[9]).predictions
    assert (kept.missed, kept.broken) == (1, True)
    assert kept.budget == pytest.approx(1 - 1 / 0.4)


def test_a_window_is_not_counted_before_its_promise_ends():
    assert measure(missing=[11]).predictions.missed == 0
    assert measure(missing=[11], as_of=AS_OF + DAY).predictions.missed == 0
    assert measure(missing=[11], as_of=AS_OF + 2 * DAY).predictions.missed == 1


def test_what_came_before_the_first_model_or_the_span_is_not_counted():
    assert measure(missing=[0, 1, 2]).predictions.missed == 0
    assert measure(spec=with_promises(over=3 * WEEK)).predictions.total == 3
    assert measure(reigns=()) is None
    assert measure(spec=SPEC.model_copy(update={"state": "paused"})) is None


@pytest.mark.parametrize(
    ("age", "missed", "broken"),
    [(8 * WEEK, 0, False), (6 * WEEK, 14 * 24, True), (None, 0, False)],
    ids=["just fresh", "two weeks too old", "twice train.every"],
)
def test_the_hours_of_a_model_that_is_too_old_are_counted(age, missed, broken):
    kept = measure(spec=with_promises(model_age=age)).model
    assert (kept.total, kept.missed, kept.broken) == (8 * 7 * 24, missed, broken)


def test_a_fresh_model_ends_what_an_old_one_broke():
    spec = with_promises(model_age=3 * WEEK)
    kept = measure(spec=spec, reigns=(FIRST, FIRST + 5 * WEEK, FIRST + 6 * WEEK)).model
    assert (kept.missed, kept.broken) == (2 * 7 * 24, False)


def test_a_model_that_was_gone_back_to_is_as_old_as_it_is():
    old = reign(FIRST + 2 * WEEK, trained_until=FIRST)
    champion = Champion(counter=3, reigns=(reign(FIRST), reign(FIRST + WEEK), old))
    spec = with_promises(model_age=4 * WEEK)
    kept = measure_promises(spec, TenantState(champion=champion), AS_OF).model
    assert kept.missed == 4 * 7 * 24


def test_the_budget_of_a_fleet_is_that_of_all_its_windows():
    one = Promise(total=10, missed=1, allowed=0.5, broken=True)
    other = Promise(total=90, missed=0, allowed=4.5, broken=False)
    both = sum_promises([one, other])
    assert (both.total, both.missed, both.broken) == (100, 1, True)
    assert both.budget == pytest.approx(0.8)
    assert sum_promises([]).budget == 1.0
    assert Promise(total=9, missed=1, allowed=0, broken=True).budget == 0.0
