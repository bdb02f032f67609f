"""What is particular to a bucket: prefixes, credentials, forks."""

import multiprocessing
import os
import pickle
import traceback
from dataclasses import replace

import pytest
from minio import Minio

from tenantry.errors import StoreError, StoreUnavailableError
from tenantry.store.minio import MinioStore


@pytest.fixture
def client(minio_server):
    return Minio(
        minio_server.endpoint, minio_server.access_key, minio_server.secret_key, secure=False
    )


def test_keys_lie_below_the_prefix(minio_store, minio_address, client):
    minio_store.put("a/b", b"x")
    names = [found.object_name for found in client.list_objects(minio_address.bucket, None, True)]
    assert names == ["some/prefix/a/b"]
    assert (
        minio_store.url == f"s3+http://{minio_address.endpoint}/{minio_address.bucket}/some/prefix"
    )


def test_a_store_sees_nothing_beside_its_prefix(minio_store, minio_address):
    beside = MinioStore(replace(minio_address, prefix="some/prefix-2/"))
    top = MinioStore(replace(minio_address, prefix=""))
    beside.put("a", b"")
    top.put("a", b"")
    assert list(minio_store.list("")) == []
    assert list(minio_store.list_folders("")) == []
    assert list(top.list_folders("some/")) == ["prefix-2"]


def test_the_tag_is_the_etag(minio_store, minio_address, client):
    tag = minio_store.put("a", b"x")
    assert client.stat_object(minio_address.bucket, "some/prefix/a").etag == tag


def test_objects_of_other_tools_are_read(minio_store, minio_address, client, tmp_path):
    (tmp_path / "x").write_bytes(b"x" * 11_000_000)
    client.fput_object(
        minio_address.bucket, "some/prefix/a", str(tmp_path / "x"), part_size=5 * 1024 * 1024
    )
    found = minio_store.get("a")
    assert len(found.content) == 11_000_000
    assert found.tag.endswith("-3")
    minio_store.put_if_match("a", b"y", found.tag)


def test_a_missing_bucket_is_named_with_the_remedy(minio_address):
    store = MinioStore(replace(minio_address, bucket="no-such-bucket"))
    for call in (
        lambda: store.get("a"),
        lambda: store.find("a"),
        lambda: store.put("a", b""),
        lambda: store.put_if_match("a", b"", "0"),
        lambda: list(store.list("")),
        lambda: list(store.list_folders("")),
    ):
        with pytest.raises(StoreError, match=r"no such bucket; create it, or correct TENANTRY_ST"):
            call()


@pytest.mark.parametrize("field", ["access_key", "secret_key"])
def test_wrong_credentials_are_refused_at_once_and_stay_secret(minio_address, field):
    store = MinioStore(replace(minio_address, **{field: "s3cr3t-value"}), waits=(100,))
    for call in (lambda: store.get("a"), lambda: store.put("a", b""), lambda: store.find("a")):
        with pytest.raises(StoreError, match="access denied") as caught:
            call()
        told = "".join(traceback.format_exception(caught.value))
        assert "s3cr3t-value" not in told
        assert minio_address.secret_key not in told


def test_no_secret_is_shown(minio_address, minio_store):
    address = replace(minio_address, session_token="t0k3n")
    shown = f"{address!r} {address} {minio_store!r} {minio_store} {minio_store.url}"
    for secret in (address.access_key + "'", address.secret_key, "t0k3n"):
        assert secret not in shown


def test_a_server_that_is_not_there_is_transient(minio_address):
    store = MinioStore(replace(minio_address, endpoint="127.0.0.1:1"), waits=(0.01,))
    for call in (
        lambda: store.get("a"),
        lambda: store.put_if_absent("a", b""),
        lambda: list(store.list("")),
    ):
        with pytest.raises(StoreUnavailableError, match=r"127\.0\.0\.1:1.*no proper answer"):
            call()


def test_a_fork_makes_its_own_connections(minio_store):
    minio_store.put("a", b"x")
    context = multiprocessing.get_context("fork")
    said = context.SimpleQueue()

    def read():
        said.put([(os.getpid(), minio_store.get("a").content) for _ in range(20)])

    children = [context.Process(target=read) for _ in range(4)]
    for child in children:
        child.start()
    for _ in range(50):
        assert minio_store.get("a").content == b"x"
    answers = [said.get() for _ in children]
    for child in children:
        child.join()
        assert child.exitcode == 0
    assert {content for answer in answers for _, content in answer} == {b"x"}
    assert len({pid for answer in answers for pid, _ in answer}) == 4


def test_a_pickled_store_keeps_its_waits(minio_address):
    store = MinioStore(minio_address, waits=(1, 2), read_timeout=3)
    store.put("a", b"x")
    copy = pickle.loads(pickle.dumps(store))
    assert vars(copy) == {**vars(store), "_made": None}
