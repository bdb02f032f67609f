"""Rows between two places are the same, whatever row groups they lie in."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.parquet import to_parquet
from tenantry.row_groups import ParquetRows


@pytest.fixture(scope="module")
def frame():
    return pd.DataFrame({"n": [float(n) for n in range(7)], "s": pd.Series(list("abcdefg"))})


@given(st.integers(0, 7), st.integers(0, 7), st.integers(1, 8))
def test_rows_are_read_across_groups(frame, first, end, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tenantry.parquet.ROW_GROUP", size)
        file = ParquetRows(to_parquet(frame), ["s", "n", "lacking"])
    first, end = min(first, end), max(first, end)
    found = file.between(first, end).reset_index(drop=True)
    wanted = frame[["s", "n"]].iloc[first:end].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, wanted, check_dtype=False)


def test_an_empty_file_has_no_rows(frame):
    file = ParquetRows(to_parquet(frame.head(0)), ["n"])
    assert list(file.between(0, 0)) == ["n"]
    assert file.between(0, 0).empty


def test_a_group_is_read_once_for_rows_that_follow_each_other(frame, monkeypatch):
    monkeypatch.setattr("tenantry.parquet.ROW_GROUP", 3)
    file = ParquetRows(to_parquet(frame), ["n"])
    read = []
    group = file._file.read_row_group
    monkeypatch.setattr(
        file._file,
        "read_row_group",
        lambda number, *rest, **named: read.append(number) or group(number, *rest, **named),
    )
    for place in range(6):
        file.between(place, place + 1)
    assert read == [0, 1]


@pytest.mark.parametrize("size", [3, 9])
def test_times_are_read_of_all_rows(size, monkeypatch):
    monkeypatch.setattr("tenantry.parquet.ROW_GROUP", size)
    times = pd.Series(pd.date_range("2013-10-09", periods=5, unit="us", tz="UTC"))
    file = ParquetRows(to_parquet(pd.DataFrame({"at": times, "n": 1.0})), ["n", "at"])
    assert file.moments("at").tolist() == times.astype("int64").tolist()
