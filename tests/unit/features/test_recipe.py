"""The recipe gives every tenant its table, the same whatever the order and the future."""

import numpy as np
import pandas as pd
import pytest

from tenantry.features.recipe import (
    build_features,
    own_frame,
    pooled_features,
    pooled_frame,
    table_features,
)
from tests.unit.features.conftest import make_spec

EVERY_KIND = {
    "temp": {"kind": "numeric"},
    "dest": {"kind": "categorical"},
    "hour": {"kind": "calendar", "part": "hour"},
    "no_temp": {"kind": "missing", "column": "temp"},
    "late_by_route": {
        "kind": "history",
        "of": "label",
        "by": ["origin", "dest"],
        "over": "7d",
        "min_rows": 2,
    },
    "delay": {"kind": "history", "of": "arr_delay", "over": "2d"},
    "flown": {"kind": "history", "of": "label", "by": ["dest"], "statistic": "count", "over": "3d"},
    "busy": {"kind": "congestion", "by": ["origin"], "over": "3h"},
}
SPEC = make_spec(EVERY_KIND, timezone="America/New_York")


def build(rows, spec=SPEC):
    return build_features(rows, table_features(spec), spec)


def test_a_table_holds_key_reserved_columns_and_features(flights):
    table = build(flights)
    reserved = ["event_time", "known_at", "label_known_at", "label"]
    assert list(table) == ["number", *reserved, *EVERY_KIND]
    types = table.dtypes.astype("str")
    assert types["dest"] == "str"
    assert set(types[[name for name in EVERY_KIND if name != "dest"]]) == {"float64"}
    assert len(table) == len(flights)
    assert table[list(EVERY_KIND)].notna().any().all()


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_rows_does_not_matter(flights, seed):
    shuffled = flights.sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(build(shuffled), build(flights), check_exact=True)


@pytest.mark.parametrize("day", [3, 9, 15])
def test_the_future_does_not_matter(flights, day):
    """Labels not known at a moment and rows known after it may be anything, or absent."""
    moment = pd.Timestamp("2013-01-01", tz="UTC") + pd.Timedelta(days=day)
    unknown = flights["label_known_at"] > moment
    poisoned = flights.copy()
    poisoned.loc[unknown, ["label", "arr_delay"]] = [1.0, 1e9]
    poisoned.loc[flights["known_at"] > moment, ["temp", "dest", "origin"]] = [-1e9, "LAX", "EWR"]
    masked = flights.copy()
    masked.loc[unknown, ["label", "arr_delay"]] = np.nan
    masked = masked[masked["known_at"] <= moment]
    built, expected = build(poisoned), build(masked)
    past = built[built["known_at"] <= moment]
    pd.testing.assert_frame_equal(
        past.drop(columns="label"), expected.drop(columns="label"), check_exact=True
    )


@pytest.mark.parametrize("size", [0, 1])
def test_any_number_of_rows_is_built(flights, size):
    table = build(flights.head(size))
    assert len(table) == size
    assert table.dtypes.equals(build(flights).dtypes)


def test_a_column_without_values_is_a_feature_without_values(flights):
    table = build(flights.assign(temp=np.nan))
    assert table["temp"].isna().all()
    assert (table["no_temp"] == 1.0).all()


def test_pooled_features_share_columns_where_they_mean_the_same():
    own = {
        "temp": {"kind": "numeric", "title": "Temperature", "unit": "°F"},
        "warm": {"kind": "numeric", "column": "temp"},
        "dest": {"kind": "categorical"},
        "busy": {"kind": "congestion", "over": "1h"},
    }
    pooled = {
        "busy": {"kind": "congestion", "over": "3h"},
        "temp": {"kind": "numeric", "column": "temp"},
        "hour": {"kind": "calendar", "part": "hour"},
        "dest": {"kind": "categorical", "column": "origin"},
    }
    spec = make_spec(own, pooled=pooled)
    assert list(pooled_features(spec)) == ["pooled.busy", "temp", "hour", "pooled.dest"]
    assert table_features(spec)["temp"].title == "Temperature"
    assert set(table_features(spec)) == {*own, "hour", "pooled.busy", "pooled.dest"}


def test_each_model_sees_its_own_features(flights):
    own = {"hour": {"kind": "calendar", "part": "hour"}, "place": {"kind": "categorical"}}
    own["place"]["column"] = "dest"
    pooled = {"place": {"kind": "categorical", "column": "origin"}, "temp": {"kind": "numeric"}}
    spec = make_spec(own, pooled=pooled)
    table = build(flights, spec)
    assert list(own_frame(table, spec)) == ["hour", "place"]
    seen = pooled_frame(table, spec)
    assert list(seen) == ["place", "temp", "tenant"]
    assert set(seen["place"]) == {"EWR", "JFK"}
    assert set(own_frame(table, spec)["place"]) == {"LAX", "SFO", "ORD", ""}
    only_pooled = build_features(flights, pooled_features(spec), spec)
    pd.testing.assert_frame_equal(pooled_frame(only_pooled, spec), seen)


@pytest.mark.parametrize(("contribute", "tenant"), [(True, "ua"), (False, "")])
def test_the_pooled_model_is_told_only_tenants_that_contribute(flights, contribute, tenant):
    spec = make_spec(EVERY_KIND, pooled=EVERY_KIND, pooling={"contribute": contribute})
    seen = pooled_frame(build(flights, spec), spec)
    assert set(seen["tenant"]) == {tenant}
    assert seen["tenant"].dtype == "str"


def test_a_feature_may_be_a_key_column(flights):
    spec = make_spec({"number": {"kind": "numeric"}})
    assert list(build(flights, spec)).count("number") == 1
