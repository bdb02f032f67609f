import numpy as np
import pytest

from tenantry.monitoring.feed import compare_arrival, compare_silence, find_changes, find_faults
from tenantry.monitoring.memory import Arrival

RNG = np.random.default_rng(3)
SILENCES = RNG.exponential(0.01, 26)
ON_TIME = [Arrival(rows=500, late=late) for late in RNG.poisson(5, 26).tolist()]


def silence(now, past=SILENCES):
    found = compare_silence(past, np.array([now]))
    return float(found.effect[0]), float(found.p_value[0])


@pytest.mark.parametrize(
    ("now", "effect", "unusual"),
    [
        (0.01, 0.0, False),
        (0.0, 0.0, False),
        (0.04, 0.03, False),
        (0.5, 0.49, True),
        (1, 0.99, True),
    ],
    ids=["as usual", "none", "long, but such there are", "half of the window", "no rows"],
)
def test_only_more_silence_than_usual_counts(now, effect, unusual):
    found, p_value = silence(now)
    assert found == pytest.approx(effect, abs=0.01)
    assert (p_value < 0.01) is unusual


def test_where_rows_come_in_crowds_a_long_silence_is_usual():
    crowds = np.tile([0.001, 0.3], 13)
    assert silence(0.5, past=crowds)[1] > 0.05
    assert silence(0.5)[1] < 0.01


def test_silence_is_not_judged_by_a_short_past():
    assert np.isnan(silence(1.0, past=SILENCES[:7])[1])


def test_chance_alone_alarms_as_rarely_as_said():
    pasts, now = RNG.exponential(0.01, (2000, 26)), RNG.exponential(0.01, 2000)
    p_values = [silence(one, past)[1] for past, one in zip(pasts, now, strict=True)]
    assert np.mean(np.array(p_values) < 0.05) <= 0.06


@pytest.mark.parametrize(
    ("late", "unusual"), [(0, False), (5, False), (12, False), (50, True), (500, True)]
)
def test_more_late_rows_than_usual_are_unusual(late, unusual):
    effect, p_value = compare_arrival(ON_TIME, Arrival(rows=500, late=late))
    assert effect == pytest.approx(max(late / 500 - 0.01, 0), abs=0.003)
    assert (p_value < 0.01) is unusual


@pytest.mark.parametrize("rows", [0, 500])
def test_late_rows_are_not_judged_without_a_past_or_rows(rows):
    past = ON_TIME[:7] if rows else ON_TIME
    assert np.isnan(compare_arrival(past, Arrival(rows=rows, late=0))[1])
    assert np.isnan(compare_arrival((), Arrival(rows=500, late=9))[1])


def test_a_column_that_comes_as_another_type_is_a_change():
    before = {"flights.distance": "number", "flights.dest": "text"}
    now = {"flights.distance": "text", "flights.dest": "text", "flights.new": "time"}
    assert find_changes(before, now) == ("flights.distance was number, is text",)
    assert find_changes({}, now) == find_changes(before, before) == ()


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        ({}, {"distance: below 0": 60}, ("distance: below 0 in 60 rows more",)),
        ({"distance: below 0": 30}, {"distance: below 0": 60}, ()),
        ({"distance: below 0": 60}, {}, ()),
        (None, {"distance: below 0": 60}, ()),
        ({}, None, ()),
    ],
    ids=["new", "a few more", "gone", "nothing known before", "nothing known now"],
)
def test_many_rows_newly_set_aside_are_a_change(before, now, found):
    assert find_faults(before, now, rows=500, min_rows=20) == found
