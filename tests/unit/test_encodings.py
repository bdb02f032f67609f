"""How columns are written depends on their types and values alone."""

import io

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tenantry.parquet import (
    from_parquet,
    from_parquets,
    join_parquet,
    keep_rows,
    to_parquet,
    to_parquets,
)

FRAME = pd.DataFrame(
    {
        "same": np.arange(10_000.0) % 7,
        "different": np.where(np.arange(10_000) % 10, np.arange(10_000.0), np.nan),
        "at": pd.date_range("2026-01-01", periods=10_000, freq="min", tz="UTC").as_unit("us"),
        "name": pd.array(["here", "there"] * 5_000, dtype="str"),
    }
)


def columns(content):
    group = pq.read_metadata(io.BytesIO(content)).row_group(0)
    return {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}


def test_only_values_that_come_again_have_a_dictionary():
    content = to_parquet(FRAME)
    found = columns(content)
    with_one = {name for name, column in found.items() if column.has_dictionary_page}
    assert with_one == {"same", "name"}
    assert "BYTE_STREAM_SPLIT" in found["different"].encodings
    assert not any(column.is_stats_set for column in found.values())
    pd.testing.assert_frame_equal(from_parquet(content), FRAME)


def test_the_leaves_of_nested_columns_have_dictionaries():
    reasons = [[{"feature": "late", "value": 1.0}]] * 100
    content = to_parquet(pd.DataFrame({"reasons": pd.Series(reasons)}))
    assert all(column.has_dictionary_page for column in columns(content).values())


@pytest.mark.parametrize(("rows", "codec"), [(1024, "LZ4"), (1025, "ZSTD")])
def test_few_rows_are_packed_soon(rows, codec):
    packed = {column.compression for column in columns(to_parquet(FRAME.head(rows))).values()}
    assert packed == {codec}
    assert to_parquet(FRAME.head(rows)) == join_parquet([FRAME.head(rows)])


@pytest.mark.parametrize("rows", [10, 10_000])
def test_what_other_tools_read_is_written_as_all_of_them_know(rows):
    content = to_parquet(FRAME.head(rows), by_others=True)
    assert keep_rows(content, np.ones(rows, dtype=bool)) == content
    found = columns(content)
    assert {column.compression for column in found.values()} == {"ZSTD"}
    assert {name for column in found.values() for name in column.encodings} <= {
        *("PLAIN", "RLE", "RLE_DICTIONARY")
    }
    assert all(column.is_stats_set for column in found.values())
    pd.testing.assert_frame_equal(from_parquet(content), FRAME.head(rows))


def test_many_rows_are_read_column_by_column_as_few_are(monkeypatch):
    content = to_parquet(FRAME)
    monkeypatch.setattr("tenantry.parquet._AT_ONCE", 9_999)
    pd.testing.assert_frame_equal(from_parquet(content), FRAME)


def test_categories_of_pieces_are_read_as_one_column(monkeypatch):
    texts = pd.array(["b", None, "a", "c", "a"], dtype="str")
    frame = pd.DataFrame({"name": texts, "n": np.arange(5.0)})
    pieces = list(to_parquets(frame, [0, 2]))
    for most in (5, 4):  # at once, and column by column
        monkeypatch.setattr("tenantry.parquet._AT_ONCE", most)
        found = from_parquets(pieces, categories=["name"])
        assert found["name"].dtype == "category"
        pd.testing.assert_frame_equal(found.astype({"name": "str"}), frame)
