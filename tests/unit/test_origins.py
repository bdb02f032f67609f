"""The record of an ingest: named by what was read, not by who read it first."""

from datetime import UTC, datetime

import pytest

from tenantry.origins import Origin, SourceFile, SourceRead, list_origins, read_origin, write_origin
from tests.unit.memory_store import MemoryStore

MODIFIED = datetime(2024, 2, 1, tzinfo=UTC)


def make_origin(*, as_of="2024-03-01", run="run-1", sha="ab", modified=MODIFIED, spec="s"):
    file = SourceFile(name="rows.csv", size=5, sha256=sha, modified=modified)
    read = SourceRead(
        source="rows", connection="here", kind="csv", path="rows.csv", rows=3, files=(file,)
    )
    return Origin(
        product="spending",
        tenant="acme",
        snapshot="f" * 64,
        as_of=as_of,
        run=run,
        spec_digest=spec,
        code_version="1",
        rows=3,
        fingerprint="3-0",
        reads=(read,),
    )


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"run": "run-2"}, True),
        ({"modified": MODIFIED.replace(year=2023)}, True),
        ({"as_of": "2024-03-02"}, False),
        ({"sha": "cd"}, False),
        ({"spec": "t"}, False),
    ],
)
def test_its_name_depends_on_what_was_read_when_not_by_whom(changes, same):
    assert (make_origin(**changes).name == make_origin().name) is same


def test_the_first_run_that_read_it_is_kept():
    store = MemoryStore()
    key = write_origin(store, make_origin())
    assert write_origin(store, make_origin(run="run-2")) == key
    assert read_origin(store, key) == make_origin()


def test_the_ingests_of_a_snapshot_are_listed_by_time():
    store = MemoryStore()
    for day in ("2024-03-09", "2024-03-02", "2024-03-08"):
        write_origin(store, make_origin(as_of=day))
    listed = list(list_origins(store, "spending", "acme", "f" * 64))
    assert [one.as_of.day for one in listed] == [2, 8, 9]
    assert [read_origin(store, one.key).as_of for one in listed] == [one.as_of for one in listed]
    assert list(list_origins(store, "spending", "acme", "e" * 64)) == []
