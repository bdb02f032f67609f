"""Raw values become the contract's types; what cannot be read is told, never guessed."""

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenantry.values import FAULTS, MAX_TEXT, as_texts, read_softened, read_values, soften

BAD = object()
NONE = None
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


def read(kind, value):
    """Read one value beside a good one of the same kind, so that the column's type is object."""
    values = read_values(pd.Series([value], dtype=object), kind)
    if values.bad[0]:
        assert values.clean.isna()[0]
        return BAD
    return NONE if values.clean.isna()[0] else values.clean[0]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("number", 1, 1.0),
        ("number", "1.5", 1.5),
        ("number", " 2 ", 2.0),
        ("number", "-1e3", -1000.0),
        ("number", Decimal("0.25"), 0.25),
        ("number", "", NONE),
        ("number", "NA", NONE),
        ("number", float("nan"), NONE),
        ("number", float("inf"), BAD),
        ("number", "Infinity", BAD),
        ("number", "1,5", BAD),
        ("number", "<b>1</b>", BAD),
        ("number", b"1", BAD),
        ("number", True, BAD),
        ("number", NOON, BAD),
        ("number", [1], BAD),
        ("integer", "3", 3.0),
        ("integer", 3.0, 3.0),
        ("integer", 3.5, BAD),
        ("integer", 1e300, BAD),
        ("integer", "x", BAD),
        ("boolean", True, 1.0),
        ("boolean", "no", 0.0),
        ("boolean", "T", 1.0),
        ("boolean", 0, 0.0),
        ("boolean", 2, BAD),
        ("boolean", "\ud800", BAD),
        ("boolean", None, NONE),
        ("boolean", pd.NA, NONE),
        ("text", "a", "a"),
        ("text", " a ", " a "),
        ("text", "NA", "NA"),
        ("text", "", NONE),
        ("text", 7, "7"),
        ("text", 7.0, "7"),
        ("text", 7.5, "7.5"),
        ("text", UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ("text", "x" * MAX_TEXT, "x" * MAX_TEXT),
        ("text", "x" * (MAX_TEXT + 1), BAD),
        ("text", b"a", BAD),
        ("text", ["a"], BAD),
        ("text", "\ud800", BAD),
        ("category", "{{$.x}}", "{{$.x}}"),
        ("time", NOON, pd.Timestamp(NOON)),
        ("time", "2024-01-01T12:00:00Z", pd.Timestamp(NOON)),
        ("time", "2024-01-01 12:00", pd.Timestamp(NOON)),
        ("time", "2024-01-01T17:30:00+05:30", pd.Timestamp(NOON)),
        ("time", date(2024, 1, 1), pd.Timestamp("2024-01-01", tz="UTC")),
        ("time", "9999-12-31", pd.Timestamp("9999-12-31", tz="UTC")),
        ("time", "", NONE),
        ("time", "12:00", BAD),
        ("time", 1704110400, BAD),
        ("time", "soon", BAD),
    ],
)
def test_one_value(kind, value, expected):
    assert read(kind, value) == expected or read(kind, value) is expected


@pytest.mark.parametrize(
    ("raw", "kind", "dtype"),
    [
        (pd.Series([1, 2]), "number", "float64"),
        (pd.Series([1, None], dtype="Int64"), "integer", "float64"),
        (pd.Series([True, False]), "boolean", "float64"),
        (pd.Series(["1", None], dtype="str"), "number", "float64"),
        (pd.Series([1, 2]), "category", "str"),
        (pd.Series([1.0, None]), "text", "str"),
        (pd.Series(["a", "b"], dtype="category"), "category", "str"),
        (pd.Series([None, None], dtype=object), "text", "str"),
        (pd.Series([None, None], dtype=object), "time", "datetime64[us, UTC]"),
        (pd.Series([NOON]).dt.tz_convert("Asia/Tokyo"), "time", "datetime64[us, UTC]"),
        (pd.Series([NOON]).dt.tz_localize(None).dt.as_unit("ns"), "time", "datetime64[us, UTC]"),
        (pd.Series([], dtype=object), "number", "float64"),
    ],
)
def test_whole_columns_get_their_type(raw, kind, dtype):
    values = read_values(raw, kind)
    assert values.clean.dtype == dtype
    assert not values.bad.any()
    assert values.clean.isna().tolist() == raw.isna().tolist()


def test_soft_columns_keep_bad_values_as_they_came():
    raw = pd.Series(["1", "x", None, "3"], index=[5, 6, 7, 8], dtype="str")
    soft = soften(raw, "number")
    assert soft.dtype == object
    assert soft.tolist()[:2] == [1.0, "x"]
    assert soft.isna().tolist() == [False, False, True, False]
    assert soften(raw.drop(6), "number").dtype == "float64"


ODD = st.one_of(
    st.sampled_from(["", " ", "x" * (MAX_TEXT + 1), "\ud800", "2024-02-29", "yes", "7"]),
    st.floats(),
    st.booleans(),
    st.none(),
    st.just(NOON),
)


@settings(deadline=None)
@given(st.lists(ODD, max_size=5), st.sampled_from([*FAULTS]))
def test_what_was_softened_is_read_as_anything_else_is(raw, kind):
    soft = soften(pd.Series(raw, dtype=object), kind)
    quick, slow = read_softened(soft, kind), read_values(soft, kind)
    assert quick.bad.tolist() == slow.bad.tolist()
    pd.testing.assert_series_equal(quick.clean, slow.clean)


TEXTS = st.one_of(st.text(max_size=8), st.floats().map(str), st.datetimes().map(str), st.none())


@settings(deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=6), st.sampled_from(["number", "time", "boolean"]))
def test_the_quick_way_reads_as_the_slow_one(texts, kind):
    quick = read_values(pd.Series(texts, dtype="str"), kind)
    slow = read_values(pd.Series(texts, dtype=object), kind)
    assert quick.bad.tolist() == slow.bad.tolist()
    pd.testing.assert_series_equal(quick.clean, slow.clean)


@pytest.mark.parametrize("odd", [0.5, 2.0**53 + 2, -(2.0**53) - 2, np.inf])
def test_an_integer_that_is_none_is_bad_wherever_it_stands(odd):
    raw = pd.Series(np.arange((1 << 16) + 3, dtype=float))
    raw[[2, (1 << 16) + 1]] = np.nan, odd
    told = read_values(raw, "integer")
    assert np.flatnonzero(told.bad).tolist() == [(1 << 16) + 1]
    assert np.flatnonzero(told.clean.isna()).tolist() == [2, (1 << 16) + 1]


@settings(deadline=None)
@given(st.lists(st.one_of(TEXTS, st.integers(), st.floats(), st.binary(max_size=3)), max_size=6))
def test_every_value_can_be_written_as_text(values):
    texts = as_texts(pd.Series(values, dtype=object))
    assert texts.dtype == "str"
    missing = [
        value is None or (isinstance(value, float) and math.isnan(value)) for value in values
    ]
    assert texts.isna().tolist() == missing
    texts.str.encode("utf-8")


def test_times_are_written_whole():
    texts = as_texts(pd.Series([pd.Timestamp(NOON), pd.NaT]).dt.as_unit("us"))
    assert texts[0] == "2024-01-01T12:00:00.000000Z"
    assert texts.isna()[1]
