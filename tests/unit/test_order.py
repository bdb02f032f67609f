"""Sorting looks first whether there is anything to sort."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.order import is_rising, is_sorted, sort_rows

COLUMNS = ("when", "name", "size")
ROWS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abé"), st.integers(0, 2)), max_size=6)


def make_frame(rows):
    when, names, sizes = ([row[place] for row in rows] for place in range(3))
    times = pd.to_datetime(when, unit="h", utc=True).as_unit("us")
    size = pd.Series(sizes, dtype="float64")
    return pd.DataFrame({"when": times, "name": pd.Series(names, dtype="str"), "size": size})


@given(ROWS)
def test_a_frame_is_sorted_as_pandas_sorts_it(rows):
    frame = make_frame(rows).set_axis(range(3, 3 + len(rows)))
    wanted = frame.sort_values(list(COLUMNS), kind="stable", ignore_index=True)
    pd.testing.assert_frame_equal(sort_rows(frame, COLUMNS), wanted)
    assert is_sorted(wanted, COLUMNS)
    assert is_sorted(frame, COLUMNS) == (rows == sorted(rows))


def test_a_frame_with_a_missing_value_is_not_taken_for_sorted():
    assert not is_sorted(pd.DataFrame({"when": [1.0, float("nan")]}), ("when",))


@pytest.mark.parametrize(
    ("values", "rising"),
    [([1.0, 2.0], True), ([1.0, 1.0], False), ([1.0, float("nan")], False), ([], True)],
)
def test_only_what_repeats_nothing_is_rising(values, rising):
    assert is_rising(pd.Series(values, dtype="float64")) == rising


def test_text_is_never_taken_for_rising():
    assert not is_rising(pd.Series(["a", "b"], dtype="str"))
