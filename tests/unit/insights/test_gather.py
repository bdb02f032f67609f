import json
from datetime import timedelta
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenantry.insights.gather import gather_insights
from tenantry.insights.record import Insights, insights_schema, write_schema
from tenantry.report.insights_page import render_insights_page
from tests.unit.insights.told import (
    AS_OF,
    START,
    WINDOWS,
    make_insights,
    make_rows,
    of_classes,
    spec_of,
    store_of,
    with_peers,
)


@pytest.fixture(scope="module")
def rows():
    return make_rows()


@pytest.fixture(scope="module")
def told(rows):
    return make_insights(rows)


def test_what_is_predicted_and_how_well(told, rows):
    assert (told.windows, told.rows) == (10, len(rows))
    assert told.label == "arrives more than 15 minutes late"
    found = told.performance
    known = rows[rows["label_known_at"] <= AS_OF]
    assert (found.rows, found.days) == (len(known), 70)
    assert found.outcome.value == pytest.approx(known["label"].mean())
    assert found.outcome.low < found.outcome.value < found.outcome.high
    assert found.realised < found.baseline
    assert found.skill == pytest.approx(1 - found.realised / found.baseline)
    assert 0.55 < found.auc < 0.8


def test_the_route_stands_out_and_nothing_that_chance_made(told):
    above = [one for one in told.segments.found if one.difference.value > 0]
    assert "EWR → ORD" in [one.value for one in above]
    assert {one.value for one in above} <= {"EWR → ORD", "EWR", "ORD"}
    route = next(one for one in above if one.value == "EWR → ORD")
    assert route.title == "from and to"
    assert route.outcome.low < 0.5 < route.outcome.high
    assert route.rest == pytest.approx(0.2, abs=0.03)
    assert route.p_value <= route.q_value <= 0.1


def test_what_drives_it_and_that_wind_grew(told):
    wind, route = told.drivers.drivers
    assert (wind.feature, wind.title) == ("wind", "wind")
    assert wind.share == pytest.approx(1 / 1.8, abs=0.01)
    assert wind.before == pytest.approx(0.2, abs=0.01)
    assert wind.has_changed
    assert wind.change.value == pytest.approx(wind.share - wind.before)
    assert wind.change.low < wind.change.value < wind.change.high
    assert wind.raises == pytest.approx(0.7, abs=0.05)
    assert wind.share + route.share == pytest.approx(1)


def test_counts_at_a_threshold_are_those_of_the_rows(told, rows):
    known = rows[rows["label_known_at"] <= AS_OF]
    (now,) = [one for one in told.acting if one.is_current]
    acted = known[known["prediction"] >= 0.4]
    assert (now.threshold, now.acted, now.hits) == (0.4, len(acted), int(acted["label"].sum()))
    assert now.hits + now.missed == known["label"].sum()
    assert now.hits + now.false_alarms == now.acted
    assert [one.threshold for one in told.acting] == sorted(one.threshold for one in told.acting)


def test_nothing_later_than_the_logical_time_is_in_it(rows):
    when = WINDOWS[5].end
    changed = rows.copy()
    later = changed["event_time"] >= when
    changed.loc[later, ["label", "prediction"]] = [1.0, 0.99]
    late = rows["label_known_at"] > when
    changed.loc[late, "label"] = 1.0
    windows = WINDOWS[:6]
    before = make_insights(rows, as_of=when, windows=windows)
    assert before == make_insights(changed, as_of=when, windows=windows)


def test_equal_facts_give_equal_bytes(told, rows):
    assert make_insights(rows).to_json() == told.to_json()


def test_what_was_predicted_in_sample_is_no_evidence(rows):
    assert make_insights(rows, in_sample=True) is None


def test_only_the_last_weeks_are_told_of(rows):
    told = make_insights(rows, as_of=AS_OF + timedelta(days=56))
    assert told.since == START + timedelta(days=35)
    assert told.windows == 5


def test_with_few_outcomes_nothing_is_said_of_them(rows):
    told = make_insights(rows, spec=spec_of(monitor={"min_rows": 100_000}))
    assert told.performance is None
    assert (told.segments.tested, told.acting) == (0, ())


def test_values_are_told_without_thresholds(rows):
    label = {"column": "arr_delay", "task": "regression"}
    model = {"candidates": {"logistic": {}}, "validation": "28d", "metric": "mae"}
    values = rows.assign(label=rows["label"] * 30, prediction=rows["prediction"] * 30)
    told = make_insights(values, spec=spec_of(label=label, model=model), threshold=None)
    assert told.acting == ()
    assert told.performance.auc is None
    route = next(one for one in told.segments.found if one.value == "EWR → ORD")
    assert route.outcome.value > 12


def test_the_json_is_what_its_schema_says(told):
    schema = insights_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(with_peers(told).to_json()), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"format": "tenantry.insights/v2"}, schema)


def test_the_schema_in_the_docs_is_the_one_that_holds():
    assert Path("docs/insights.schema.json").read_text() == write_schema()


def test_every_field_is_described():
    def described(node):
        if isinstance(node, dict):
            for name, field in node.get("properties", {}).items():
                assert "description" in field, name
            for value in node.values():
                described(value)

    described(insights_schema())


def test_it_is_read_as_it_was_written(told):
    assert Insights.from_json(told.to_json(), "x") == told


def test_a_window_without_rows_is_no_trouble(rows):
    empty = rows[rows["event_time"] < pd.Timestamp(WINDOWS[4].start)]
    assert make_insights(empty).rows == len(empty)


HOSTILE = (np.nan, np.inf, -np.inf, 1e300, -1e139, 0.5)


@settings(max_examples=10)
@given(seed=st.integers(0, 99), regression=st.booleans())
def test_whatever_values_hold_it_can_be_told(seed, regression):
    rng = np.random.default_rng(seed)
    rows = make_rows(seed, days=20, each_day=20)
    for name in ("label", "prediction"):
        struck = rng.random(len(rows)) < 0.3
        rows.loc[struck, name] = rng.choice(HOSTILE, struck.sum())
    label = {"column": "arr_delay", "task": "regression"} if regression else {"column": "arr_delay"}
    model = {"candidates": {"logistic": {}}, "validation": "28d"}
    model |= {"metric": "rmse"} if regression else {}
    spec = spec_of(label=label | ({} if regression else {"above": 15}), model=model)
    told = make_insights(rows, spec=spec, windows=WINDOWS[:3])
    assert render_insights_page(told)
    assert json.loads(told.to_json())["rows"] > 0


def test_of_several_classes_is_told_how_often_the_surest_was_right():
    spec, rows = of_classes(make_rows())
    told = make_insights(rows, spec=spec)
    right = told.performance.outcome.value
    assert right == pytest.approx(0.8, abs=0.1)
    assert told.performance.skill > 0
    assert (told.acting, told.segments.tested) == ((), 0)
    assert "The most probable class was right in" in render_insights_page(told)


def test_predictions_that_retention_removed_are_passed_over(rows):
    store = store_of(rows)
    folders = [key for key in store.objects if key.endswith("part-0.parquet")]
    for key in sorted(folders)[:7]:
        store.delete(key)
    table = rows.drop(columns="prediction")
    told = gather_insights(store, spec_of(), table, AS_OF)
    assert (told.windows, told.since) == (3, WINDOWS[7].start)
    for key in sorted(folders)[7:]:
        store.delete(key)
    assert gather_insights(store, spec_of(), table, AS_OF) is None
