"""Sums and counts over spans agree with loops."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.features.windows import (
    count_below,
    count_less,
    groups_of,
    moments_of,
    sort_groups,
    sum_spans,
)


@st.composite
def spans(draw):
    values = draw(st.lists(st.integers(0, 9), max_size=40))
    ends = st.integers(0, len(values))
    pairs = draw(st.lists(st.tuples(ends, ends).map(sorted), max_size=20))
    start, stop = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return np.array(values, dtype=np.int64), start, stop


@given(spans())
def test_sums_of_spans(case):
    values, start, stop = case
    expected = [values[a:b].sum() for a, b in zip(start, stop, strict=True)]
    assert sum_spans(values.astype(np.float64), start, stop).tolist() == expected


@given(spans(), st.data())
def test_counts_below_a_limit(case, data):
    values, start, stop = case
    size = len(start)
    limit = data.draw(st.lists(st.integers(0, 20), min_size=size, max_size=size))
    expected = [(values[a:b] < c).sum() for a, b, c in zip(start, stop, limit, strict=True)]
    limits = np.array(limit, dtype=np.int64)
    assert count_below(values, start, stop, limits).tolist() == expected


@given(
    st.lists(st.integers(0, 30)), st.lists(st.integers(-2, 32)), st.integers(1, 5), st.booleans()
)
def test_what_rises_is_counted_in_pieces(values, asked, piece, rises):
    values, asked = np.sort(np.array(values, dtype=np.int64)), np.array(asked, dtype=np.int64)
    asked = np.sort(asked) if rises else asked
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tenantry.features.windows._PIECE", piece)
        found = count_less(values, asked)
    assert found.tolist() == [(values < one).sum() for one in asked]


@given(st.lists(st.tuples(st.integers(0, 1 << 31) | st.integers(0, 3), st.integers(-2, 2))))
def test_groups_are_sorted_stably_by_time(rows):
    groups, times = np.array(rows, dtype=np.int64).reshape(-1, 2).T
    order, ordered = sort_groups(groups, times)
    assert order.tolist() == np.lexsort((times, groups)).tolist()
    assert ordered.tolist() == groups[order].tolist()


def test_a_sum_depends_on_its_own_span_alone():
    values = np.array([0.1, 0.2, 0.3, 0.4, 0.7])
    around = np.array([1e300, *values, -1e300])
    five = sum_spans(values, np.array([0]), np.array([5]))
    assert sum_spans(around, np.array([1]), np.array([6])) == five


def test_missing_values_are_a_group():
    rows = pd.DataFrame(
        {
            "a": pd.Series(["x", None, "x", None, "y"], dtype="str"),
            "b": [1.0, np.nan, 1.0, np.nan, 1.0],
        }
    )
    for by in (("a",), ("a", "b")):
        numbers = groups_of(rows, by)
        assert numbers[0] == numbers[2]
        assert numbers[1] == numbers[3]
        assert len(set(numbers)) == 3
    assert groups_of(rows, ()).tolist() == [0, 0, 0, 0, 0]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_moments_are_microseconds(unit):
    times = pd.Series(["1970-01-01T00:00:01", None]).astype(f"datetime64[{unit}, UTC]")
    assert moments_of(times).tolist() == [1_000_000, np.iinfo(np.int64).min]


def test_categories_make_the_groups_that_texts_make():
    texts = pd.DataFrame({"dest": ["x", None, "y", "x", None], "hour": [1.0, 1.0, 2.0, 2.0, 1.0]})
    categories = texts.assign(dest=texts["dest"].astype("category").cat.add_categories("z"))
    numbers = [groups_of(rows, ("dest", "hour")) for rows in (texts, categories)]
    _, same = np.unique(numbers[0], return_inverse=True)
    _, other = np.unique(numbers[1], return_inverse=True)
    assert (np.equal.outer(same, same) == np.equal.outer(other, other)).all()


def test_the_numbers_of_many_groups_stay_small_enough_to_hold_a_place_beside():
    rows = pd.DataFrame({"one": np.arange(50_000), "other": np.arange(50_000)[::-1]})
    groups = groups_of(rows, ("one", "other"))
    assert groups.max() < 1 << 31
    assert len(np.unique(groups)) == len(rows)
