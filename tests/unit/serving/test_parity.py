"""One row's features are those of the batch, to the last bit, at the same feature cut."""

import math
from datetime import timedelta
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenantry.columns import EVENT_TIME
from tenantry.contract import check_rows
from tenantry.features.calendar import local_part
from tenantry.features.recipe import build_features, own_frame, pooled_frame, table_features
from tenantry.features.windows import sum_spans
from tenantry.serving.online import Online
from tenantry.serving.past import sum_span
from tenantry.serving.publish import make_state
from tenantry.serving.state import State
from tests.unit.serving.product import (
    DAY,
    FEATURES,
    HOUR,
    MINUTE,
    START,
    a_record,
    a_spec,
    as_built,
    make_flights,
)

SPEC = a_spec()


def assert_same(found, expected, names):
    for name in names:
        value, wanted = found[name], expected[name]
        if isinstance(wanted, float) and math.isnan(wanted):
            assert value is None or math.isnan(value), name
        else:
            assert value == wanted, name


@lru_cache(maxsize=64)
def as_of_a_run(seed, hours, lead):
    """A spec, raw rows, those that a run as of then knew, and what it published."""
    spec = a_spec(times={"event_time": "departs", "known_at": {"lead": lead},
                         "label_known_at": {"column": "arrived"}})  # fmt: skip
    flights = make_flights(np.random.default_rng(seed), 120)
    checked = check_rows(flights, spec, START + hours * HOUR)
    return spec, flights, checked, published(spec, checked, START + hours * HOUR)


def published(spec, checked, as_of):
    """What a server reads of it."""
    return Online(a_record(spec), State.from_bytes(make_state(checked, spec, as_of).to_bytes()))


REQUESTS = st.fixed_dictionaries(
    {
        "number": st.integers(0, 120),
        "departs": st.integers(-1380, 6000).map(lambda minutes: minutes // 15 * 15),
        "origin": st.sampled_from(["EWR", "JFK", None, ""]),
        "dest": st.sampled_from(["LAX", "SFO", "never seen", None, "NA"]),
        "gate": st.sampled_from([1, 2.5, "15", 99.0, None]),
        "temp": st.sampled_from([31.5, " 50 ", None, float("nan"), "n/a"]),
        "seats": st.sampled_from([150, 180.0, None]),
        "remark": st.sampled_from(["fog", "", None, 12]),
    }
)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2),
    hours=st.sampled_from([30, 130, 230]),
    request=REQUESTS,
    asked=st.integers(-600, 3000),
    lead=st.sampled_from(["0m", "45m", "36h"]),
)
def test_a_row_gets_the_features_that_the_batch_builds_for_it(seed, hours, request, asked, lead):
    """The request's row may be new, or one that the run knew, in whatever way it differs."""
    spec, flights, checked, online = as_of_a_run(seed, hours, lead)
    as_of = START + hours * HOUR
    if request["number"] < 60:  # one that is among the rows, known by then or not
        twin = flights.iloc[request["number"] * 2]
        departs = pd.Timestamp(twin["departs"]).to_pydatetime()
        departs = max(departs, as_of - DAY)
        raw = {**request, "number": int(twin["number"]), "departs": departs.isoformat()}
    else:
        raw = {**request, "departs": (as_of + request["departs"] * MINUTE).isoformat()}
    at = as_of + asked * MINUTE
    found = online.table(raw, at)
    expected = as_built(checked, {**raw, "carrier": "UA"}, spec, at)
    assert_same(found, expected, table_features(spec))

    own, shared = online.features_of(raw, at)
    frame = pd.DataFrame([expected])
    (own_row,) = own_frame(frame, spec).to_dict("records")
    (shared_row,) = pooled_frame(frame, spec).to_dict("records")
    assert (list(own), list(shared)) == (list(own_row), list(shared_row))
    assert_same(own, own_row, own)
    assert_same(shared, shared_row, shared)


@pytest.mark.parametrize("hours", [0, 9, 30])
def test_a_row_that_the_run_knew_never_counts_itself_nor_what_was_known_later(hours):
    """Asked for as it is, as of the run and as of when it was known, its label known by then."""
    spec, flights, checked, online = as_of_a_run(1, 230, "36h" if hours == 30 else "0m")
    as_of = START + 230 * HOUR
    recent = checked.rows[checked.rows["event_time"] >= pd.Timestamp(as_of - DAY)]
    assert recent["label"].notna().any()
    for number, departs in zip(recent["number"], recent["event_time"], strict=True):
        same = (flights["number"] == number) & (pd.to_datetime(flights["departs"]) == departs)
        raw = flights[same].iloc[0].drop(["arrived", "arr_delay", "cost"]).to_dict()
        at = as_of - hours * HOUR
        assert_same(online.table(raw, at), as_built(checked, raw, spec, at), table_features(spec))


def test_a_row_that_happens_again_does_not_count_what_became_of_it_before():
    """Its key says no time: what the run knew of it is replaced by what is asked."""
    spec, as_of = a_spec(key=["carrier", "number"]), START + 3 * DAY
    flights = make_flights(np.random.default_rng(4), 60, days=3.0)
    checked = check_rows(flights, spec, as_of)
    online = published(spec, checked, as_of)
    for row in flights.tail(20).drop(columns=["arrived", "arr_delay", "cost"]).to_dict("records"):
        raw = {**row, "departs": as_of.isoformat()}
        expected = as_built(checked, raw, spec, as_of)
        assert_same(online.table(raw, as_of), expected, table_features(spec))


def test_rows_of_the_batch_asked_at_their_own_cut_have_the_very_same_features():
    """The features that a later run computes are those that were served when the row was asked."""
    flights = make_flights(np.random.default_rng(3), 400)
    later = check_rows(flights, SPEC, START + 15 * DAY)
    table = build_features(later.rows, table_features(SPEC), SPEC)
    for place in range(150, 400, 50):
        row = table.iloc[place]
        cut = row["known_at"].to_pydatetime()
        raw = flights[(flights["number"] == row["number"])
                      & (pd.to_datetime(flights["departs"]) == row["departs"])]  # fmt: skip
        raw = raw.iloc[0].drop(["arrived", "arr_delay", "cost"]).to_dict()
        found = published(SPEC, check_rows(flights, SPEC, cut), cut).table(raw, cut)
        assert_same(found, row.to_dict(), table_features(SPEC))


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/London", "Asia/Kolkata",
                                  "Australia/Lord_Howe", "UTC"])  # fmt: skip
@pytest.mark.parametrize("month", [3, 4, 10, 11])
def test_clocks_that_change_are_read_as_the_batch_reads_them(zone, month):
    spec = a_spec({"hour": FEATURES["hour"], "day": FEATURES["weekday"], "at": FEATURES["minute"]},
                  pooled={}, timezone=zone)  # fmt: skip
    first = START.replace(month=month)
    moments = [first + half * 30 * MINUTE for half in range(0, 62 * 24, 5)]
    rows = pd.DataFrame({EVENT_TIME: pd.Series(moments).dt.as_unit("us")})
    online = Online(a_record(spec, form="own", pooled=None), None)
    found = [online.table({"number": 1, "departs": at.isoformat()}, at) for at in moments]
    expected = {"hour": "hour", "day": "weekday", "at": "minute_of_day"}
    for name, part in expected.items():
        assert [row[name] for row in found] == local_part(rows, part, zone).tolist()


@given(st.lists(st.floats(-1e6, 1e6), max_size=70))
def test_a_span_is_summed_in_the_order_of_the_batch(values):
    array = np.array(values)
    (expected,) = sum_spans(array, np.array([0]), np.array([len(array)]))
    assert sum_span(array) == expected


def test_a_tenant_that_the_pooled_model_never_knew_is_not_named_to_it():
    spec = a_spec(pooling={"contribute": False, "receive": True})
    checked = check_rows(make_flights(np.random.default_rng(1), 50), spec, START + 9 * DAY)
    state = make_state(checked, spec, START + 9 * DAY)
    raw = {"number": 1, "departs": (START + 9 * DAY).isoformat()}
    _, shared = Online(a_record(spec), state).features_of(raw, START + 9 * DAY)
    assert shared["tenant"] == ""


def test_the_past_is_bounded_by_what_features_look_back():
    flights = make_flights(np.random.default_rng(5), 2000, days=300.0)
    as_of = START + 300 * DAY
    state = make_state(check_rows(flights, SPEC, as_of), SPEC, as_of)
    assert 0 < len(state.keys) < 2000 * 9 / 300  # five days, one to ask back, and late labels
    assert state.learned.max() <= state.as_of
    assert make_state(check_rows(flights, SPEC, as_of), SPEC, as_of).to_bytes() == state.to_bytes()


def test_labels_that_come_in_after_the_run_are_not_counted_though_they_are_asked_for_later():
    flights = make_flights(np.random.default_rng(2), 300)
    as_of = START + 6 * DAY
    online = published(SPEC, check_rows(flights, SPEC, as_of), as_of)
    raw = {"number": 1, "departs": (as_of + 5 * DAY).isoformat(), "origin": "EWR"}
    table = online.table(raw, as_of + timedelta(days=5))
    assert table["late"] is None or math.isnan(table["late"])
    assert table["busy"] == 0.0
