"""What a purge removes, over each kind of store: everything of a place, and nothing beside it."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from minio import Minio
from minio.commonconfig import COMPLIANCE
from minio.retention import Retention
from minio.versioningconfig import SUSPENDED, VersioningConfig

from tenantry.errors import ObjectMissingError, StoreError, StoreUnavailableError
from tenantry.store.metered import MeteredStore
from tenantry.store.minio import MinioStore
from tests.servers.proxy import Fault

HIDE = """\
import os, sys
from pathlib import Path
from tenantry.store.folder import FolderStore
store = FolderStore(Path(sys.argv[1]))
with store._drafts.draft(b"canary"):
    print("written", flush=True)
    if sys.argv[2] == "die":
        os._exit(9)
    sys.stdin.read()
"""


@pytest.fixture
def client(minio_server):
    return Minio(
        minio_server.endpoint, minio_server.access_key, minio_server.secret_key, secure=False
    )


@pytest.fixture
def versions(client, minio_address):
    """All versions and markers of the bucket: (name, whether it is a marker)."""

    def read():
        found = client.list_objects(minio_address.bucket, None, True, include_version=True)
        return [(one.object_name, one.is_delete_marker) for one in found]

    return read


def fill(store, *keys):
    for key in keys:
        store.put(key, key.encode())


def keys_of(store):
    return [info.key for info in store.list("")]


def test_a_folder_is_removed_and_what_lies_beside_it_stays(any_store):
    beside = ["a-b", "a/bc", "a/b.json", "aa/b/c", "c"]
    fill(any_store, *beside, "a/b/c", "a/b/d/e", "a/b/f=1/g.bin")
    purged = any_store.purge("a/b/")
    assert purged.keys == ("a/b/c", "a/b/d/e", "a/b/f=1/g.bin")
    assert (purged.versions, purged.size) == (3, len("a/b/ca/b/d/ea/b/f=1/g.bin"))
    assert keys_of(any_store) == sorted(beside)


def test_a_key_is_removed_and_those_that_begin_like_it_stay(any_store):
    fill(any_store, "a/b", "a/bc", "a/b.json")
    assert any_store.purge("a/b").keys == ("a/b",)
    assert keys_of(any_store) == ["a/b.json", "a/bc"]
    with pytest.raises(ObjectMissingError):
        any_store.get("a/b")


@pytest.mark.parametrize("place", ["none", "none/", "a/b/c/"])
def test_a_purge_of_nothing_removes_nothing_and_may_be_repeated(any_store, place):
    fill(any_store, "a/b/c")
    assert any_store.purge(place).versions == 0
    assert keys_of(any_store) == ["a/b/c"]


def test_what_is_read_stays_where_the_latest_is_kept(any_store):
    fill(any_store, "a/b", "a/c")
    any_store.put("a/b", b"newer")
    any_store.purge("a/", keep_latest=True)
    assert keys_of(any_store) == ["a/b", "a/c"]
    assert any_store.get("a/b").content == b"newer"


@pytest.mark.parametrize("place", ["", "/", "..", "a/../", "a//", "ä/", "a b"])
def test_a_place_that_is_none_is_refused(any_store, place):
    fill(any_store, "a/b")
    with pytest.raises(ValueError, match="not a key"):
        any_store.purge(place)
    assert keys_of(any_store) == ["a/b"]


def test_a_place_can_be_written_again(any_store):
    fill(any_store, "a/b")
    any_store.purge("a/")
    any_store.put_if_absent("a/b", b"new")
    assert any_store.get("a/b").content == b"new"


def test_more_than_a_page_is_removed(any_store):
    keys = [f"many/{n % 7}/{n:04}" for n in range(1_050)]
    fill(any_store, *keys, "other")
    assert any_store.purge("many/").keys == tuple(sorted(keys))
    assert keys_of(any_store) == ["other"]


def test_what_is_written_meanwhile_is_whole_or_gone(any_store):
    def write():
        for n in range(100):
            any_store.put(f"a/{n % 5}", b"x" * 1000)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        while not writing.done():
            with suppress(StoreUnavailableError):  # the writer came first each time
                any_store.purge("a/")
            for info in list(any_store.list("a/")):
                assert info.size == 1000
        writing.result()
    any_store.purge("a/")
    assert keys_of(any_store) == []


def test_a_writer_that_never_stops_is_told(any_store, monkeypatch):
    monkeypatch.setattr("tenantry.store.purged._PASSES", 0)
    with pytest.raises(StoreUnavailableError, match="others keep writing there"):
        any_store.purge("a/")


def test_what_a_purge_removes_is_metered(folder_store):
    store = MeteredStore(folder_store)
    fill(store, "a/b", "a/c")
    assert store.purge("a/").keys == ("a/b", "a/c")
    assert store.bytes_purged == 6


# --- a bucket that keeps versions -----------------------------------------------------------------


def test_every_version_and_marker_goes(versioned_store, versions):
    fill(versioned_store, "a/b", "a/b", "a/c", "d")
    versioned_store.delete("a/b")
    versioned_store.put("a/b", b"again")
    versioned_store.delete("a/c")
    assert len(versions()) == 7
    purged = versioned_store.purge("a/")
    assert purged.keys == ("a/b", "a/c")
    assert (purged.versions, purged.size) == (6, 14)
    assert versions() == [("some/prefix/d", False)]


def test_old_versions_go_and_the_latest_stays(versioned_store, versions):
    fill(versioned_store, "a/b", "a/c")
    tag = versioned_store.put("a/b", b"latest")
    versioned_store.delete("a/c")
    assert versioned_store.purge("a/", keep_latest=True).keys == ("a/b", "a/c")
    assert versions() == [("some/prefix/a/b", False)]
    assert versioned_store.get("a/b").tag == tag


def test_versions_of_a_bucket_that_keeps_no_more_go(
    versioned_store, versions, client, minio_address
):
    fill(versioned_store, "a/b", "a/b")
    client.set_bucket_versioning(minio_address.bucket, VersioningConfig(SUSPENDED))
    fill(versioned_store, "a/b", "a/c")
    versioned_store.delete("a/c")
    versioned_store.purge("a/")
    assert versions() == []


def test_a_lock_on_an_object_is_told_with_the_remedy(client, minio_address):
    bucket = f"{minio_address.bucket}-lock"
    client.make_bucket(bucket, object_lock=True)
    store = MinioStore(replace(minio_address, bucket=bucket))
    store.put("a/b", b"held")
    until = datetime.now(UTC) + timedelta(minutes=1)
    client.set_object_retention(bucket, "some/prefix/a/b", Retention(COMPLIANCE, until))
    with pytest.raises(StoreError, match=r"a/b cannot be removed .*s3:DeleteObjectVersion.*lock"):
        store.purge("a/")
    assert store.get("a/b").content == b"held"


FAULTS = {
    "refused": Fault(drop="before"),
    "answer lost": Fault(drop="after"),
    "busy": Fault(status=503),
    "cut": Fault(truncate=40),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("path", ["versions", "delete"])
def test_an_interrupted_purge_goes_on(
    versioned_store, versions, minio_address, fault_proxy, fault, path
):
    far = MinioStore(replace(minio_address, endpoint=fault_proxy.endpoint), waits=(0.01, 0.01))
    fill(versioned_store, "a/b", "a/b", "a/c")
    fault_proxy.fail(replace(fault, path=path))
    far.purge("a/")
    assert versions() == []


# --- a folder -------------------------------------------------------------------------------------


def hide(root, how):
    process = subprocess.Popen(
        [sys.executable, "-c", HIDE, str(root), how], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"written\n"
    return process


def drafts(root):
    return [path.read_bytes() for path in (root / ".~").glob("*")]


def test_what_a_killed_writer_left_goes_and_a_living_writer_is_left_alone(folder_store, tmp_path):
    root = tmp_path / "store"
    living = hide(root, "live")  # first: a new writer's first draft sweeps those of dead ones
    hide(root, "die").communicate()
    assert drafts(root) == [b"canary", b"canary"]
    folder_store.purge("a/")
    assert drafts(root) == [b"canary"]
    living.communicate()
    assert drafts(root) == []


def test_empty_folders_go(folder_store, tmp_path):
    fill(folder_store, "a/b/c", "a/b/d")
    folder_store.purge("a/")
    assert not (tmp_path / "store/a").exists()


def test_a_purge_and_many_writers_do_not_harm_each_other(folder_store):
    """Drafts come and go while they are looked through."""

    def write(name):
        for n in range(150):
            folder_store.put(f"b/{name}", b"%d" % n)

    with ThreadPoolExecutor(3) as pool:
        writing = [pool.submit(write, name) for name in range(3)]
        while not all(writer.done() for writer in writing):
            folder_store.purge("a/")
        for writer in writing:
            writer.result()
    assert [folder_store.get(f"b/{n}").content for n in range(3)] == [b"149"] * 3
