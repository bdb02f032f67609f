"""Months share chunks while they are small, in one way, however the rows come."""

from datetime import datetime
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.chunks import AT_MOST, Chunker, make_chunks
from tenantry.columns import EVENT_TIME
from tenantry.parquet import from_parquet, to_parquet

MONTHS = st.lists(st.integers(0, 9), max_size=8)
"""Rows of months that follow each other."""
LIMITS = st.integers(1, 12)


def make_rows(sizes, first=0):
    """Rows of months from December 2012 on, numbered from the first on."""
    months = np.repeat(np.arange(len(sizes)), sizes) + np.datetime64("2012-12")
    days = np.concatenate([[], *(np.arange(size) for size in sizes)]).astype("timedelta64[D]")
    when = (months.astype("datetime64[D]") + days).astype("datetime64[us]")
    number = np.arange(first, first + len(when), dtype=float)
    frame = pd.DataFrame({EVENT_TIME: pd.Series(when).dt.tz_localize("UTC"), "number": number})
    return frame.assign(text=frame["number"].map("{:.0f} geese".format).astype("str"))


def months_of(rows):
    return rows[EVENT_TIME].dt.strftime("%Y-%m")


def read(made):
    return [(chunk, from_parquet(content)) for chunk, content in made]


@given(MONTHS, LIMITS)
def test_chunks_hold_all_rows_in_order_and_say_whose_months_they_are(sizes, at_most):
    rows = make_rows(sizes)
    made = read(make_chunks(rows, at_most))
    assert sum(chunk.rows for chunk, _ in made) == len(rows)
    if made:
        back = pd.concat([part for _, part in made], ignore_index=True)
        pd.testing.assert_frame_equal(back, rows)
    for chunk, part in made:
        months = months_of(part).unique()
        assert chunk.rows == len(part)
        assert chunk.month == (months[0] if len(months) == 1 else f"{months[0]}/{months[-1]}")


@given(MONTHS, LIMITS)
def test_each_chunk_is_of_whole_months_and_takes_the_next_until_it_is_full(sizes, at_most):
    rows = make_rows(sizes)
    counted = months_of(rows).value_counts()
    parts = [part for _, part in read(make_chunks(rows, at_most))]
    for part in parts:
        assert len(part) == counted[months_of(part).unique()].sum()
        assert len(part) <= at_most or months_of(part).nunique() == 1
    for part, following in pairwise(parts):
        assert len(part) + counted[months_of(following).iloc[0]] > at_most


@given(MONTHS, MONTHS, LIMITS)
def test_all_chunks_but_the_last_stay_when_months_are_added(sizes, more, at_most):
    before = [*make_chunks(make_rows(sizes), at_most)]
    after = [*make_chunks(make_rows([*sizes, *more]), at_most)]
    assert after[: max(len(before) - 1, 0)] == before[:-1]


@given(MONTHS, st.integers(0, 7), LIMITS)
def test_a_late_row_changes_no_chunk_of_earlier_months(sizes, late, at_most):
    sizes = [*sizes, *[1] * (late + 1 - len(sizes))]
    changed = [size + (month == late) for month, size in enumerate(sizes)]
    before = [chunk for chunk, _ in make_chunks(make_rows(sizes), at_most)]
    after = [chunk for chunk, _ in make_chunks(make_rows(changed), at_most)]
    month = str(np.datetime64("2012-12") + late)
    earlier = [chunk for chunk in before if chunk.month[-7:] < month]
    assert after[: max(len(earlier) - 1, 0)] == earlier[:-1]
    if earlier and before[len(earlier) - 1 :][1:2]:
        assert after[len(earlier) - 1].month[:7] == earlier[-1].month[:7]


@given(st.lists(MONTHS, max_size=4), LIMITS)
def test_however_rows_are_parted_their_chunks_are_the_same(parts, at_most):
    sizes = [size for part in parts for size in part]
    rows = make_rows(sizes)
    chunker, made, start = Chunker(at_most), [], 0
    bounds = np.cumsum([0, *(sum(part) for part in parts)])
    for start, end in pairwise(bounds.tolist()):
        made += chunker.add(rows.iloc[start:end])
    assert made + chunker.finish() == [*make_chunks(rows, at_most)]


def test_a_large_month_is_a_chunk_as_it_would_be_written_alone():
    rows = make_rows([3, 5, 2])
    small, large, last = make_chunks(rows, 4)
    assert [chunk.month for chunk, _ in (small, large, last)] == ["2012-12", "2013-01", "2013-02"]
    assert large[1] == to_parquet(rows.iloc[3:8].reset_index(drop=True))


def test_a_part_that_waits_is_no_more_than_a_small_chunk():
    chunker = Chunker(4)
    assert [chunk.rows for chunk, _ in chunker.add(make_rows([2, 9]))] == [2, 9]
    assert chunker.finish() == []


def test_months_are_those_of_utc():
    when = pd.Series([datetime(2013, 1, 31, 23, 30), datetime(2013, 2, 1)])
    rows = pd.DataFrame({EVENT_TIME: when.astype("datetime64[us]").dt.tz_localize("UTC")})
    assert [chunk.month for chunk, _ in make_chunks(rows, 1)] == ["2013-01", "2013-02"]


@pytest.mark.parametrize("more", [0, 1])
def test_two_months_share_a_chunk_of_as_many_rows_as_the_limit(more):
    half = AT_MOST // 2
    hours = pd.date_range("2013-01-01", periods=half, freq="min", tz="UTC", unit="us")
    later = pd.date_range("2013-02-01", periods=half + more, freq="min", tz="UTC", unit="us")
    rows = pd.DataFrame({EVENT_TIME: hours.append(later)})
    assert len([*make_chunks(rows)]) == 1 + more
