"""A table built in stretches is the one that all rows at once give."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenantry.contract import CheckedRows
from tenantry.features.recipe import build_features, table_features
from tenantry.features.stretches import build_stretches
from tenantry.parquet import from_parquet, join_parquet, to_parquet
from tenantry.quality import Quality
from tenantry.snapshots import SnapshotChunks, write_snapshot
from tests.unit.features.conftest import make_rows, make_spec
from tests.unit.memory_store import MemoryStore

SPEC = make_spec(
    {
        "late": {"kind": "history", "of": "late", "by": ["dest"], "over": "2d"},
        "labels": {"kind": "history", "of": "label", "over": "9d", "statistic": "count"},
        "near": {"kind": "congestion", "over": "3d", "by": ["dest"]},
        "dest": {"kind": "categorical"},
    }
)
DAY = 1440


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.integers(0, 60 * DAY), st.integers(-3 * DAY, 0), st.integers(0, 40 * DAY)),
        min_size=1,
        max_size=12,
    ),
    st.integers(1, 4),
)
def test_stretches_are_the_whole_table(drawn, at_once):
    drawn = sorted(drawn)
    minutes = [event for event, _, _ in drawn]
    rows = make_rows(
        minutes,
        known=[event + ahead for event, ahead, _ in drawn],
        learned=[event + delay for event, _, delay in drawn],
        late=np.array([0.1 * delay for _, _, delay in drawn]),
        dest=pd.Series(["LAX", "SFO"] * len(drawn), dtype="str").head(len(drawn)),
    )
    store = MemoryStore()
    quality = Quality(rows=len(rows), labelled=0)
    sha = write_snapshot(store, SPEC, CheckedRows(rows, rows.head(0), quality))
    chunks = SnapshotChunks(store, SPEC.product, SPEC.tenant, sha)
    pieces = list(build_stretches(chunks, SPEC, at_once))
    assert max(map(len, pieces)) <= (at_once if len(pieces) > 1 else 2 * at_once)
    whole = build_features(chunks.read(), table_features(SPEC), SPEC)
    pd.testing.assert_frame_equal(pd.concat(pieces, ignore_index=True), whole, check_exact=True)


def test_pieces_are_written_as_the_frame_that_they_make(monkeypatch):
    monkeypatch.setattr("tenantry.parquet.ROW_GROUP", 2)
    moment = pd.Timestamp(datetime(2013, 10, 1, tzinfo=UTC)).as_unit("us")
    frame = pd.DataFrame({"n": [1.0, np.nan, 3.0, 4.0, 5.0], "s": pd.Series(list("abcde"))})
    frame = frame.assign(s=frame["s"].astype("str"), t=moment)
    pieces = [frame.head(2), frame.iloc[2:4], frame.tail(1)]
    assert join_parquet(iter(pieces), {"a": "b"}) == to_parquet(frame, {"a": "b"})
    pd.testing.assert_frame_equal(from_parquet(join_parquet(pieces)), frame)


def test_columns_and_rows_of_a_snapshot_are_read_alone():
    rows = make_rows([0, 40 * DAY, 80 * DAY, 81 * DAY])
    store = MemoryStore()
    quality = Quality(rows=4, labelled=0)
    sha = write_snapshot(store, SPEC, CheckedRows(rows, rows.head(0), quality))
    chunks = SnapshotChunks(store, SPEC.product, SPEC.tenant, sha)
    found = chunks.read(["event_time"], np.array([True, False, False, True]))
    wanted = rows[["event_time"]].iloc[[0, 3]].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, wanted)
    with pytest.raises(KeyError):
        found["label"]


def test_what_tells_rows_alike_may_be_read_as_categories(monkeypatch):
    spec = make_spec(
        {"late": {"kind": "history", "of": "late", "by": ["dest"], "over": "2d"}},
        contract={"columns": {"number": {"type": "integer"}, "dest": {"type": "category"}}},
    )
    rows = make_rows(
        [0, DAY, 2 * DAY, 3 * DAY, 3 * DAY + 1],
        late=np.array([1.0, 2.0, 4.0, 8.0, 16.0]),
        dest=pd.Series(["LAX", None, "SFO", "LAX", None], dtype="str"),
    )
    store = MemoryStore()
    quality = Quality(rows=len(rows), labelled=0)
    sha = write_snapshot(store, spec, CheckedRows(rows, rows.head(0), quality))
    chunks = SnapshotChunks(store, spec.product, spec.tenant, sha)
    (as_texts,) = build_stretches(chunks, spec)
    monkeypatch.setattr("tenantry.features.stretches._MANY", 0)
    monkeypatch.setattr(chunks, "read", spied := Reads(chunks.read))
    (as_categories,) = build_stretches(chunks, spec)
    assert spied.categories == [("dest",)]
    pd.testing.assert_frame_equal(as_categories, as_texts, check_exact=True)


class Reads:
    """Reads as told, and remembers which columns were asked for as categories."""

    def __init__(self, read):
        self._read, self.categories = read, []

    def __call__(self, columns=None, rows=None, categories=()):
        self.categories.append(categories)
        return self._read(columns, rows, categories)
