import numpy as np
import pandas as pd
import pytest

from benchmarks.monitoring.decay import APRIL, WEEK, Left, find_misses
from benchmarks.monitoring.no_drift import DAYS, FIRST, Count, shuffle_days, shuffle_rows
from benchmarks.monitoring.power import find_misses as find_weak
from benchmarks.monitoring.speed import Speed
from benchmarks.monitoring.telling import told

JULY = APRIL + 13 * WEEK
RNG = np.random.default_rng(0)
YEAR = pd.DataFrame({"event_time": FIRST + pd.to_timedelta(np.arange(DAYS * 4) * 6, unit="h")})
YEAR["day"] = np.arange(DAYS * 4) // 4


def test_whole_days_are_shuffled_with_their_rows():
    shuffled = shuffle_days(YEAR, RNG)
    day = (shuffled["event_time"] - FIRST) // pd.Timedelta("1D")
    assert (shuffled.groupby("day")["event_time"].count() == 4).all()
    assert (day.groupby(shuffled["day"]).nunique() == 1).all()
    assert not (day == shuffled["day"]).all()


def test_single_rows_get_any_moment():
    shuffled = shuffle_rows(YEAR, RNG)
    assert len(shuffled) == len(YEAR)
    assert shuffled["event_time"].is_monotonic_increasing
    assert shuffled["day"].diff().abs().max() > 10


@pytest.mark.parametrize(
    ("worse", "decayed", "miss"),
    [
        ((), None, None),
        ((JULY,), JULY, None),
        ((JULY,), JULY - WEEK, None),
        ((JULY,), JULY - 5 * WEEK, "found, although not worse by then"),
        ((), JULY, "found, although not worse by then"),
        ((JULY,), None, "not found"),
    ],
    ids=["neither", "both", "a week before", "far before", "found only", "worse only"],
)
def test_what_was_found_is_held_against_the_months_that_were_worse(worse, decayed, miss):
    left = Left(0.4, YEAR, np.zeros(0), decayed=decayed, low=0.3, worse=worse)
    assert find_misses({"aa": left}) == ([f"aa: {miss}"] if miss else [])


def test_targets_are_those_of_the_promises():
    assert Count(years=20, alarmed=1).share == 0.05
    weak = find_weak({("label + 10 points", 500): (56, 60), ("label + 10 points", 200): (0, 60)})
    assert weak == ["label + 10 points at 500 rows: 56/60"]
    assert find_weak({("label + 5 points", 500): (0, 60)}) == []
    assert Speed(seconds=60, mib=1024, evidently=1).is_enough
    assert not Speed(seconds=61, mib=500, evidently=1).is_enough


def test_it_is_told_how_far_a_bench_is(capsys):
    assert list(told("abc", "1", 3)) == ["a", "b", "c"]
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in lines] == ["1: 1 of 3", "1: 2 of 3", "1: 3 of 3"]
