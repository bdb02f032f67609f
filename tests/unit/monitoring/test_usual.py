from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from tenantry.monitoring.drift import make_profile, measure_effect
from tenantry.monitoring.usual import measure_usual, window_effects

RNG = np.random.default_rng(11)
WEEK = timedelta(days=7)
SIZE = 3000


def missing_some(values, share=0.1):
    return pd.Series(values).where(RNG.random(SIZE) > share)


COLUMNS = {
    "a number": RNG.normal(0, 1, SIZE),
    "with ties": RNG.integers(0, 5, SIZE).astype(float),
    "constant": np.full(SIZE, 3.0),
    "some missing": missing_some(RNG.normal(0, 1, SIZE)),
    "infinite here and there": np.where(RNG.random(SIZE) < 0.01, np.inf, RNG.normal(0, 1, SIZE)),
    "all missing": np.full(SIZE, np.nan),
    "a category": RNG.choice(list("abcd"), SIZE),
    "a category, some missing": missing_some(RNG.choice(list("abcd"), SIZE)),
}


@pytest.mark.parametrize("values", COLUMNS.values(), ids=COLUMNS)
def test_all_windows_at_once_are_as_one_by_one(values):
    column = pd.Series(values)
    window = RNG.integers(0, 12, SIZE)
    effects = window_effects(column, window, np.bincount(window))
    whole = make_profile(column.to_frame("x"), ["x"])
    for number, effect in enumerate(effects):
        part = make_profile(column[window == number].to_frame("x"), ["x"])
        assert effect == pytest.approx(measure_effect(whole, part, "x")[0], abs=1e-12)


def test_windows_are_counted_back_from_the_last_row_and_small_ones_left_out():
    days = pd.date_range("2013-01-01", periods=70 * 24, freq="h", tz="UTC")
    frame = pd.DataFrame({"event_time": days, "x": 0.0})
    frame.loc[: 7 * 24 * 9 - 1, "x"] = 1.0
    usual = measure_usual(frame, ["x", "not there"], WEEK)
    assert list(usual) == ["x"]
    assert 0.1 < usual["x"] < 0.9
    thin = frame[(frame.index < 7 * 24 * 9) | (frame.index >= 70 * 24 - 7)]
    assert measure_usual(thin, ["x"], WEEK) == {"x": 0.0}


@pytest.mark.parametrize("weeks", [0, 1, 7])
def test_too_few_windows_know_nothing(weeks):
    days = pd.date_range("2013-01-01", periods=weeks * 7 * 24, freq="h", tz="UTC")
    frame = pd.DataFrame({"event_time": days, "x": RNG.normal(size=len(days))})
    assert measure_usual(frame, ["x"], WEEK) == {"x": 0.0}
