"""Rows are divided by what their features are, in local time."""

import pandas as pd

from tenantry.slices import card_slices, gate_slices
from tests.unit.tiny_fleet import FEATURES, make_spec

SPEC = make_spec(
    timezone="America/New_York",
    features=FEATURES | {"weekday": {"kind": "calendar", "part": "weekday"}},
    gate={"holdout": "28d", "slices": ["dest", "weekday", "hour", "month"]},
)
TIMES = pd.Series(pd.to_datetime(["2013-09-01T03:00Z", "2013-09-01T05:00Z"]))
FRAME = pd.DataFrame(
    {
        "hour": [23.0, 1.0],
        "wind": [1.0, 2.0],
        "distance": [1.0, 2.0],
        "dest": pd.Series(["LAX", ""], index=[7, 9], dtype="str"),
        "origin": pd.Series(["JFK", "JFK"], index=[7, 9], dtype="str"),
        "weekday": [5.0, 6.0],
    },
    index=[7, 9],
)


def found(slices):
    return {name: values.tolist() for name, values in slices.items()}


def test_the_gate_looks_at_what_the_spec_names():
    assert found(gate_slices(FRAME, TIMES, SPEC)) == {
        "dest": ["LAX", ""],
        "weekday": ["5", "6"],
        "hour": ["18-23", "00-05"],
        "month": ["2013-08", "2013-09"],
    }


def test_a_tenant_without_a_feature_has_no_such_slices():
    features = {name: item for name, item in FEATURES.items() if name != "dest"}
    spec = make_spec(features=features, gate={"holdout": "28d", "slices": ["dest", "month"]})
    assert set(gate_slices(FRAME, TIMES, spec)) == {"month"}


def test_a_card_tells_of_few_categories_hours_and_months_and_what_the_gate_looks_at():
    frame = pd.concat([FRAME] * 13, ignore_index=True)
    frame["dest"] = [f"D{number}" for number in range(len(frame))]
    times = pd.concat([TIMES] * 13, ignore_index=True)
    assert set(card_slices(frame, times, SPEC)) == {"dest", "hour", "weekday", "origin", "month"}
    spec = make_spec()
    assert set(card_slices(frame, times, spec)) == {"hour", "origin", "month"}
