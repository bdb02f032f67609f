"""Equal rows have equal fingerprints in whatever order; other rows have others."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.fingerprints import (
    fingerprint,
    fingerprint_each,
    pooled_fingerprint,
    pooled_fingerprints,
)
from tests.unit.tiny_fleet import make_spec, make_table

ROWS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab")), max_size=6)


def frame(rows):
    return pd.DataFrame(rows, columns=["number", "word"])


def taken(rows):
    return fingerprint(frame(rows), ["number", "word"])


@given(ROWS, ROWS)
def test_two_sets_of_rows_share_one_when_they_are_equal_as_sets_with_counts(one, other):
    assert (taken(one) == taken(other)) is (sorted(one) == sorted(other))


@given(ROWS)
def test_each_group_has_the_one_it_has_alone(rows):
    whole, columns = frame(rows), ["number", "word"]
    groups = whole["number"].to_numpy(dtype=np.int64) * 3
    told = {int(place): fingerprint(whole[groups == place], columns) for place in set(groups)}
    assert fingerprint_each(whole, columns, groups) == told


def test_the_order_of_columns_does_not_count_and_those_not_named_do_not():
    rows = frame([(1, "a"), (2, "b")])
    told = fingerprint(rows, ["word", "number"])
    assert told == fingerprint(rows[["word", "number"]].assign(more=1), ["number", "word"])
    assert told.startswith("2-")


@pytest.mark.parametrize("values", [[[1], [2]], [{"a": 1}, None], [b"x", 1.5], [None, None]])
def test_whatever_a_database_gives_has_one(values):
    rows = pd.DataFrame({"odd": pd.Series(values, dtype=object)})
    assert fingerprint(rows, ["odd"]) == fingerprint(rows[::-1], ["odd"])


def test_of_what_a_pooled_model_learns_from_the_key_times_label_and_features_count():
    spec, rows = make_spec(), make_table(rows=50)
    told = pooled_fingerprint(rows, spec)
    assert told == pooled_fingerprint(rows.assign(unused=1.0), spec)
    for column in ("number", "label", "known_at", "wind"):
        assert told != pooled_fingerprint(
            rows.assign(**{column: rows[column].iloc[::-1].values}), spec
        )
    assert not pooled_fingerprint(rows.drop(columns="wind"), spec)


def test_rows_have_the_hashes_that_pandas_gives_them():
    rows = pd.DataFrame(
        {
            "amount": [1.5, None, -0.0],
            "at": pd.to_datetime(["2024-01-01", None, "2024-01-02"], utc=True).as_unit("us"),
            "count": [1, 2, 3],
            "flag": [True, False, True],
            "odd": pd.Series(["a", 1, None], dtype=object),
            "word": pd.array(["a", None, ""], dtype="str"),
        }
    )
    hashes = pd.util.hash_pandas_object(rows, index=False)
    first = sum(int(one) for one in hashes) % (1 << 64)
    assert fingerprint(rows, list(rows.columns)).startswith(f"3-{first:016x}")


@pytest.mark.parametrize("last", ["z", 1, None])
def test_many_rows_have_the_hashes_that_pandas_gives_them_at_once(last):
    size = (1 << 16) + 3
    rows = pd.DataFrame(
        {
            "amount": np.arange(size) / 7,
            "at": pd.date_range("2024-01-01", periods=size, freq="s", tz="UTC", unit="us"),
            "count": np.arange(size, dtype="int32"),
            "odd": pd.Series([*["a", "b", "c"] * (size // 3), *["d"] * (size % 3 - 1), last]),
            "word": pd.Series(np.arange(size) % 9).astype("str"),
        }
    )
    rows = rows.astype({"odd": object})
    hashes = pd.util.hash_pandas_object(rows, index=False)
    first = int(hashes.sum()) % (1 << 64)
    told = fingerprint(rows, list(rows.columns))
    assert told.startswith(f"{size}-{first:016x}")
    assert fingerprint_each(rows, list(rows.columns), np.zeros(size, dtype=np.int64)) == {0: told}


@pytest.mark.parametrize("size", [0, 1, 4])
def test_texts_in_pieces_have_the_hashes_of_those_in_one(size):
    pieces = [
        pd.DataFrame({"word": pd.Series(words, dtype="str")}) for words in (list("ab"), ["b", None])
    ]
    rows = pd.concat(pieces, ignore_index=True)[:size]
    hashes = pd.util.hash_pandas_object(rows, index=False)
    first = sum(int(one) for one in hashes) % (1 << 64)
    assert fingerprint(rows, ["word"]).startswith(f"{size}-{first:016x}")


def test_rows_that_lack_what_a_pooled_model_reads_have_none_in_any_group():
    spec, rows = make_spec(), make_table(rows=4)
    groups = np.array([0, 0, 2, 2])
    assert set(pooled_fingerprints(rows, spec, groups)) == {0, 2}
    assert pooled_fingerprints(rows.drop(columns="wind"), spec, groups) == {0: "", 2: ""}
