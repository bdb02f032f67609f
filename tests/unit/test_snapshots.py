"""Snapshots hold what they were given, share chunks, and are named by their content."""

from datetime import UTC, datetime

import pandas as pd
import pytest

from tenantry import layout
from tenantry.chunks import make_chunks
from tenantry.contract import check_rows
from tenantry.errors import ObjectMissingError, StoreError
from tenantry.parquet import from_parquet, to_parquet, to_parquets
from tenantry.snapshots import (
    read_manifest,
    read_quarantine,
    read_snapshot,
    write_chunks,
    write_snapshot,
)
from tests.unit.memory_store import MemoryStore
from tests.unit.sources.lake import AS_OF, make_rows, make_spec

SPEC = make_spec()


def checked(frame=None, as_of=AS_OF):
    frame = make_rows(150, start="2024-01-05") if frame is None else frame
    return check_rows(frame, SPEC, as_of)


def chunks(store, sha):
    return [chunk.sha256 for chunk in read_manifest(store, "spending", "acme", sha).chunks]


def test_rows_come_back_as_they_were():
    store, rows = MemoryStore(), checked()
    sha = write_snapshot(store, SPEC, rows)
    pd.testing.assert_frame_equal(read_snapshot(store, "spending", "acme", sha), rows.rows)
    manifest = read_manifest(store, "spending", "acme", sha)
    assert [(chunk.month, chunk.rows) for chunk in manifest.chunks] == [("2024-01/2024-02", 150)]
    assert manifest.quality == rows.quality
    assert manifest.rows == 150
    assert read_quarantine(store, "spending", "acme", sha) is None


def test_equal_rows_are_equal_bytes_wherever_they_are_written():
    one, other = MemoryStore(), MemoryStore()
    shas = {write_snapshot(store, SPEC, checked()) for store in (one, other)}
    assert len(shas) == 1
    contents = [{key: item.content for key, item in s.objects.items()} for s in (one, other)]
    assert contents[0] == contents[1]


def test_nothing_is_written_twice():
    store = MemoryStore()
    sha = write_snapshot(store, SPEC, checked())
    before = dict(store.objects)
    assert write_snapshot(store, SPEC, checked(make_rows(150, start="2024-01-05")[::-1])) == sha
    assert store.objects == before


def by_month(store, rows):
    """Write a snapshot with a chunk for each month, as all were before small ones shared one."""
    return write_chunks(store, SPEC, rows, make_chunks(rows.rows, at_most=1))


def test_a_snapshot_of_months_is_read_as_one_of_shared_chunks():
    store, rows = MemoryStore(), checked()
    old, new = by_month(store, rows), write_snapshot(store, SPEC, rows)
    manifest = read_manifest(store, "spending", "acme", old)
    assert [(chunk.month, chunk.rows) for chunk in manifest.chunks] == [
        ("2024-01", 81),
        ("2024-02", 69),
    ]
    frames = [read_snapshot(store, "spending", "acme", sha) for sha in (old, new)]
    pd.testing.assert_frame_equal(*frames)


def test_chunks_that_did_not_change_are_shared():
    store = MemoryStore()
    early = by_month(store, checked(as_of=datetime(2024, 2, 15, tzinfo=UTC)))
    late = by_month(store, checked())
    assert early != late
    assert chunks(store, early)[0] == chunks(store, late)[0]
    assert chunks(store, early)[1] != chunks(store, late)[1]


def test_the_same_rows_at_a_later_time_are_the_same_snapshot():
    store = MemoryStore()
    march = [datetime(2024, 3, day, tzinfo=UTC) for day in (5, 20)]
    assert len({write_snapshot(store, SPEC, checked(as_of=as_of)) for as_of in march}) == 1


def test_rows_set_aside_are_kept_with_their_reasons():
    store = MemoryStore()
    frame = make_rows(30)
    rows = checked(frame.assign(shop=["=cmd()", *["a"] * 29]))
    sha = write_snapshot(store, SPEC, rows)
    aside = read_quarantine(store, "spending", "acme", sha)
    pd.testing.assert_frame_equal(aside, rows.quarantined)
    assert aside["shop"].tolist() == ["=cmd()"]
    assert aside["reason"].tolist() == ["shop: not an allowed category"]


def test_all_lies_below_the_tenants_prefix():
    store = MemoryStore()
    write_snapshot(store, SPEC, checked(make_rows(30).assign(shop=["z", *["a"] * 29])))
    assert len(store.objects) == 3
    assert all(key.startswith(layout.tenant_folder("spending", "acme")) for key in store.objects)


@pytest.mark.parametrize("part", ["manifest", "chunk", "quarantine"])
def test_changed_bytes_are_refused(part):
    store = MemoryStore()
    sha = write_snapshot(store, SPEC, checked(make_rows(30).assign(shop=["z", *["a"] * 29])))
    key = next(key for key in store.objects if part in key)
    store.put(key, store.get(key).content.replace(b"2", b"3"))
    read = read_quarantine if part == "quarantine" else read_snapshot
    with pytest.raises(StoreError, match=f"{key}: the bytes have another digest; delete it"):
        read(store, "spending", "acme", sha)


def test_a_snapshot_that_is_not_there_is_told():
    with pytest.raises(ObjectMissingError):
        read_snapshot(MemoryStore(), "spending", "acme", "0" * 64)


def test_pieces_are_as_if_written_alone():
    frame = make_rows(100).assign(shop=["a", None] * 50, noise=[None] * 100)
    pieces = list(to_parquets(frame, [0, 1, 40]))
    parts = [frame.iloc[:1], frame.iloc[1:40], frame.iloc[40:]]
    assert pieces == [to_parquet(part.reset_index(drop=True)) for part in parts]
    pd.testing.assert_frame_equal(from_parquet(pieces[2]), parts[2].reset_index(drop=True))
