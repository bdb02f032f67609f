"""What is wrong with a request is told at once, by the names of fields, and never by values."""

import json
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.contract import check_rows
from tenantry.errors import FieldsError, ServingError
from tenantry.serving.online import Online, prepare
from tenantry.serving.publish import make_state
from tests.unit.serving.product import (
    DAY,
    FEATURES,
    HOUR,
    START,
    a_record,
    a_spec,
    make_flights,
)

SPEC = a_spec({name: FEATURES[name] for name in ("temp", "dest", "hour")}, pooled={})
ONLINE = Online(a_record(SPEC, form="own", pooled=None), None)
GOOD = {"number": 7, "departs": "2013-03-05T10:00:00Z", "dest": "LAX"}


def faults_of(raw, online=ONLINE, at=START):
    with pytest.raises(FieldsError) as caught:
        online.table(raw, at)
    return [str(fault) for fault in caught.value.faults]


def test_a_request_may_leave_out_what_is_not_required_and_what_every_row_has():
    row = ONLINE.table(GOOD, START)
    assert row == {"temp": None, "dest": "LAX", "hour": 5.0}
    assert ONLINE.table(GOOD | {"carrier": "UA", "temp": "31.5"}, START)["temp"] == 31.5


def test_every_fault_of_a_request_is_told_at_once():
    raw = {"number": "seven", "departs": "tomorrow", "origin": "LGA", "gate": 101, "temp": -1e9,
           "seats": 2.5, "remark": ["x"], "carrier": "DL", "tmep": 3, "<script>": 1}  # fmt: skip
    assert faults_of(raw) == [
        "a field: not a field of this product",
        "carrier: not this tenant's",
        "departs: not a time",
        "gate: above 100",
        "number: not a whole number",
        "origin: not an allowed category",
        "remark: not a short text",
        "seats: not a whole number",
        "temp: below -60",
        "tmep: not a field of this product",
    ]
    assert faults_of({}) == ["departs: missing", "number: missing"]


def test_what_tells_the_outcome_is_no_field():
    assert faults_of(GOOD | {"arr_delay": 3.0, "arrived": "2013-03-05T14:00:00Z"}) == [
        "arr_delay: not a field of this product",
        "arrived: not a field of this product",
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from([*GOOD, "temp", "seats", "origin"]) | st.text(), JSON))
def test_whatever_is_asked_is_answered_or_told_without_values(raw):
    marked = {name: f"secret {value}" if isinstance(value, str) else value
              for name, value in raw.items()}  # fmt: skip
    told = ""
    try:
        json.dumps(ONLINE.table(marked, START))
    except FieldsError as error:
        told = str(error)
    assert "secret" not in told
    assert len(told) < 100 * (len(marked) + 4)


def test_a_row_of_too_long_ago_is_refused_and_one_of_within_a_day_is_not():
    spec = a_spec()
    checked = check_rows(make_flights(np.random.default_rng(1), 60), spec,
                         START + 9 * DAY)  # fmt: skip
    online = Online(a_record(spec), make_state(checked, spec, START + 9 * DAY))
    old = START + 8 * DAY - HOUR
    faults = faults_of({"number": 1, "departs": old.isoformat()}, online, START + 9 * DAY)
    assert faults == ["departs: too long ago for the features that are served"]
    assert online.table({"number": 1, "departs": (old + HOUR).isoformat()}, START + 9 * DAY)


def test_without_a_past_nothing_is_answered_that_looks_at_it():
    with pytest.raises(ServingError, match="next run"):
        prepare(a_record(a_spec()), None)


def test_a_past_that_lacks_what_a_later_spec_reads_is_told():
    spec = a_spec()
    longer = {**FEATURES, "late": {**FEATURES["late"], "over": "30d"}}
    checked = check_rows(make_flights(np.random.default_rng(1), 60), spec,
                         START + 9 * DAY)  # fmt: skip
    state = make_state(checked, spec, START + 9 * DAY)
    with pytest.raises(ServingError, match="lacks what history reads"):
        Online(a_record(a_spec(longer)), state)
    other = {**FEATURES, "late": {**FEATURES["late"], "by": ["remark"]}}
    with pytest.raises(ServingError, match="lacks what remark reads"):
        Online(a_record(a_spec(other)), state)
    assert prepare(a_record(spec), state.to_bytes())


@pytest.mark.parametrize("content", [b"", b"x", b"PK", zlib.compress(b"other")])
def test_other_bytes_are_no_past(content):
    with pytest.raises(ValueError, match="no online features"):
        prepare(a_record(a_spec()), content)
