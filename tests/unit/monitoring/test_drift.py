import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from tenantry.monitoring.drift import Reference, make_profile, make_reference, measure_drift

RNG = np.random.default_rng(5)
BEFORE = pd.DataFrame(
    {"temp": RNG.normal(60, 10, 3000), "origin": RNG.choice(["EWR", "JFK", "LGA"], 3000)}
)


def compare(now, before=BEFORE, names=("temp", "origin"), threshold=0.2):
    reference = Reference(make_profile(before, names), dict.fromkeys(names, 0.0))
    found = measure_drift(reference, make_profile(now, names), names, threshold)
    return {one.feature: one for one in found}


def draw(size, mean=60.0, origins=("EWR", "JFK", "LGA")):
    return pd.DataFrame({"temp": RNG.normal(mean, 10, size), "origin": RNG.choice(origins, size)})


def test_numbers_are_compared_by_kolmogorov_smirnov():
    now = draw(400, mean=64)
    found = compare(now)["temp"]
    assert found.effect == pytest.approx(ks_2samp(BEFORE["temp"], now["temp"]).statistic, abs=1e-6)


def test_categories_are_compared_by_total_variation():
    before = pd.DataFrame({"origin": ["EWR"] * 50 + ["JFK"] * 50})
    now = pd.DataFrame({"origin": ["EWR"] * 20 + ["JFK"] * 50 + ["LGA"] * 30})
    assert compare(now, before, ["origin"])["origin"].effect == pytest.approx(0.3)


def test_the_same_distribution_does_not_drift_at_any_size():
    for size in (20, 50, 100, 500, 2000):
        drifted = [any(one.drifted for one in compare(draw(size)).values()) for _ in range(20)]
        assert sum(drifted) == 0, size


@pytest.mark.parametrize(
    ("now", "drifted"),
    [
        (draw(500, mean=75), {"temp"}),
        (draw(500, origins=("EWR", "JFK")), {"origin"}),
        (draw(500, mean=61), set()),
    ],
    ids=["warmer", "an origin closed", "a trifle"],
)
def test_what_drifted(now, drifted):
    assert {name for name, one in compare(now).items() if one.drifted} == drifted


def test_missing_values_that_appear_are_drift():
    now = draw(500)
    now.loc[: 500 // 2, "temp"] = np.nan
    found = compare(now)["temp"]
    assert found.drifted
    assert found.effect == pytest.approx(251 / 500)
    assert found.note == "50% missing, 0% before"


@pytest.mark.parametrize(
    ("before", "now", "effect", "note"),
    [
        ([1.0, 2.0], [np.nan, np.nan], 1.0, "all missing in the window"),
        ([np.nan, np.nan], [1.0, 2.0], 1.0, "all missing in the reference"),
        ([np.nan, np.nan], [np.nan, np.nan], None, "missing in both"),
        ([1.0, 2.0], [np.inf, np.inf], 1.0, ""),
        ([1.0, 2.0], [], 1.0, "all missing in the window"),
    ],
)
def test_broken_columns_are_named(before, now, effect, note):
    frames = [pd.DataFrame({"x": pd.Series(values, dtype=float)}) for values in (now, before)]
    found = compare(*frames, ["x"])["x"]
    assert (found.effect, found.note) == (effect, note)


def test_a_column_that_is_not_there_is_named():
    found = compare(BEFORE.drop(columns="temp"))
    assert (found["temp"].effect, found["temp"].note) == (None, "not in the window")
    found = compare(BEFORE, BEFORE.drop(columns="temp"))
    assert (found["temp"].effect, found["temp"].note) == (None, "not in the reference")


def test_text_where_numbers_were_is_drift_of_everything():
    now = pd.DataFrame({"x": ["a", "b"] * 50})
    before = pd.DataFrame({"x": np.arange(100.0)})
    found = compare(now, before, ["x"])["x"]
    assert (found.effect, found.drifted, found.note) == (1.0, True, "text where numbers were")


# --- what is usual ------------------------------------------------------------------------------

WEEK = pd.Timedelta("7D")


def make_year(weeks=40, rows=200, swing=15.0):
    """Make weeks of weather: each has its own mean; distances know no season."""
    week = np.repeat(np.arange(weeks), rows)
    size = len(week)
    hours = week * 7 * 24 + RNG.uniform(0, 7 * 24 - 1, size)
    return pd.DataFrame(
        {
            "event_time": pd.Timestamp("2013-01-01", tz="UTC") + pd.to_timedelta(hours, unit="h"),
            "temp": RNG.normal(60, 5, size) + swing * np.sin(week),
            "distance": RNG.normal(1000, 200, size),
        }
    ).sort_values("event_time", ignore_index=True)


YEAR = make_year()


def judge(now, year=YEAR, names=("temp", "distance")):
    reference = make_reference(year, names, WEEK)
    found = measure_drift(reference, make_profile(now, names), names, 0.2)
    return {one.feature: one for one in found}


def test_a_week_like_others_of_the_year_is_no_drift():
    found = judge(make_year(1, swing=0).assign(temp=lambda rows: rows["temp"] + 12))
    assert found["temp"].effect > 0.2
    assert found["temp"].usual > 0.4
    assert not any(one.drifted for one in found.values())


@pytest.mark.parametrize(
    ("change", "drifted"),
    [({"temp": 60.0}, {"temp"}), ({"distance": -500.0}, {"distance"})],
    ids=["hotter than ever", "another unit"],
)
def test_what_no_week_was_like_is_drift(change, drifted):
    now = make_year(1, swing=0)
    for name, shift in change.items():
        now[name] += shift
    assert {name for name, one in judge(now).items() if one.drifted} == drifted


@pytest.mark.parametrize(
    "year", [YEAR.iloc[:1000], YEAR.iloc[::20], YEAR.iloc[:0]], ids=["five weeks", "sparse", "none"]
)
def test_too_little_past_knows_nothing_of_what_is_usual(year):
    assert set(make_reference(year, ("temp", "distance"), WEEK).usual.values()) == {0.0}


def test_no_drift_rarely_alarms_whatever_the_season():
    drifted = [
        judge(YEAR[YEAR["event_time"].dt.isocalendar().week == n])["temp"] for n in range(2, 40)
    ]
    assert sum(one.drifted for one in drifted) <= 2
