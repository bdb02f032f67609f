import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.monitoring.drift import (
    compare_column,
    learn_column,
    learn_reference,
    measure_effect,
)

RNG = np.random.default_rng(5)
WEEK = pd.Timedelta("7D")
START = pd.Timestamp("2013-01-01", tz="UTC")


def make_year(weeks=30, rows=200, swing=15.0):
    """Make weeks of weather: each has its own mean; distances know no season."""
    week = np.repeat(np.arange(weeks), rows)
    size = len(week)
    hours = week * 7 * 24 + RNG.uniform(0, 7 * 24 - 1, size)
    return pd.DataFrame(
        {
            "event_time": START + pd.to_timedelta(hours, unit="h"),
            "temp": RNG.normal(60, 5, size) + swing * np.sin(week),
            "distance": RNG.normal(1000, 200, size),
            "origin": pd.Series(RNG.choice(["EWR", "JFK", "LGA"], size), dtype="str"),
            "label": (RNG.random(size) < 0.2).astype(float),
        }
    ).sort_values("event_time", ignore_index=True)


YEAR = make_year()
COLUMNS = ("temp", "distance", "origin", "label")
REFERENCE = learn_reference(
    YEAR, (*COLUMNS, "not there"), until=START + 30 * WEEK, length=WEEK, task="classification"
)


def compare(name, now):
    column = pd.Series(now) if not isinstance(now, pd.Series) else now
    window = np.zeros(len(column), dtype=np.intp)
    found = compare_column(REFERENCE.columns[name], column, window, 1)
    return float(found.effect[0]), float(found.p_value[0])


def test_the_past_is_counted_in_whole_windows_back_from_its_end():
    assert REFERENCE.rows == len(YEAR)
    assert list(REFERENCE.columns) == list(COLUMNS)
    assert REFERENCE.volumes.tolist() == [200.0] * 29, "the oldest may not be whole"


def test_no_rows_and_no_past_can_be_learnt_from():
    nothing = learn_reference(
        YEAR.iloc[:0], COLUMNS, until=START.to_pydatetime(), length=WEEK, task="classification"
    )
    assert (nothing.rows, nothing.volumes.tolist()) == (0, [])
    found = compare_column(nothing.columns["temp"], YEAR["temp"], np.zeros(len(YEAR), int), 1)
    assert np.isnan(found.p_value).all()


# --- effects --------------------------------------------------------------------------------------

SAMPLES = st.lists(st.sampled_from([-1.5, 0.0, 0.5, 2.0, 7.0, np.inf]), min_size=1, max_size=30)


@given(SAMPLES, SAMPLES)
def test_numbers_are_compared_by_kolmogorov_smirnov(before, now):
    effect = measure_effect(pd.Series(before), pd.Series(now))
    gaps = [
        abs(np.mean(np.array(before) <= at) - np.mean(np.array(now) <= at)) for at in before + now
    ]
    assert effect == pytest.approx(max(gaps), abs=1e-12)


def test_all_windows_are_compared_at_once():
    window = RNG.integers(0, 5, 400)
    column = pd.Series(RNG.normal(62, 10, 400))
    found = compare_column(REFERENCE.columns["temp"], column, window, 6)
    alone = [compare("temp", column[window == n])[0] for n in range(5)]
    assert found.effect[:5] == pytest.approx(alone)
    assert np.isnan(found.effect[5])


def test_categories_are_compared_by_total_variation():
    before = pd.Series(["EWR"] * 50 + ["JFK"] * 50, dtype="str")
    now = pd.Series(["EWR"] * 20 + ["JFK"] * 50 + ["LGA"] * 30, dtype="str")
    assert measure_effect(before, now) == pytest.approx(0.3)


def test_missing_values_that_appear_are_an_effect():
    now = pd.Series(np.where(np.arange(200) < 80, np.nan, YEAR["distance"][:200]))
    assert compare("distance", now)[0] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("before", "now", "effect"),
    [
        ([1.0, 2.0], [np.nan, np.nan], 1.0),
        ([np.nan, np.nan], [1.0, 2.0], 1.0),
        ([np.nan, np.nan], [np.nan, np.nan], 0.0),
        ([1.0, 2.0], [np.inf, np.inf], 1.0),
        ([1.0, 2.0], ["a", "b"], 1.0),
        (["a", "b"], [1.0, 2.0], 1.0),
        ([1.0, 2.0], [1, "b"], 1.0),
    ],
)
def test_broken_columns_have_an_effect(before, now, effect):
    assert measure_effect(pd.Series(before), pd.Series(now)) == effect


# --- what is unusual ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "now"),
    [
        ("temp", RNG.normal(72, 5, 200)),  # as a week of the warm season is
        ("distance", RNG.normal(1000, 200, 200)),
        ("distance", RNG.normal(1000, 200, 3)),
        ("origin", RNG.choice(["EWR", "JFK", "LGA"], 200)),
        ("label", (RNG.random(200) < 0.2).astype(float)),
    ],
)
def test_a_week_like_others_is_usual(name, now):
    assert compare(name, now)[1] > 0.01


@pytest.mark.parametrize(
    ("name", "now"),
    [
        ("distance", RNG.normal(1000, 200, 200) * 1.609),
        ("distance", np.full(200, 1000.0)),
        ("distance", np.full(200, np.nan)),
        ("distance", np.full(200, np.inf)),
        ("distance", pd.Series(["far"] * 200, dtype="str")),
        ("origin", pd.Series(["EWR", "JFK"] * 100, dtype="str")),
        ("origin", pd.Series(["ZZZ"] * 200, dtype="str")),
        ("label", np.ones(200)),
    ],
    ids=["km", "stuck", "NaN", "inf", "text", "an origin closed", "a new category", "one class"],
)
def test_what_no_week_was_like_is_unusual(name, now):
    effect, p_value = compare(name, now)
    assert effect > 0.1
    assert p_value < 1e-10


@pytest.mark.parametrize("gone", [np.nan, np.inf, 0.0], ids=["NaN", "inf", "another unit"])
def test_a_season_of_values_does_not_excuse_that_they_are_gone(gone):
    assert compare("temp", np.full(200, gone))[1] < 1e-10


def test_the_same_shift_matters_less_where_there_is_a_season():
    """Ten degrees, as weeks differ; and as many units of a distance that never changes."""
    year = YEAR.assign(distance=RNG.normal(60, 5, len(YEAR)))
    week = (np.arange(len(YEAR)) // 200).astype(np.intp)
    now = pd.Series(RNG.normal(70, 5, 200))
    window = np.zeros(200, dtype=np.intp)
    seasonal, steady = (
        compare_column(learn_column(year[name], week, 30), now, window, 1).p_value[0]
        for name in ("temp", "distance")
    )
    assert steady < 1e-15
    assert seasonal > 0.001


# --- predictions ----------------------------------------------------------------------------------
