"""What a tenant worker's credentials reach on a real MinIO: its own folder, and nothing else."""

import io
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from multiprocessing import Pipe
from threading import Thread

import pytest
from minio.commonconfig import CopySource
from minio.error import MinioException

from tenantry import layout
from tenantry.erasure.tombstones import read_marks
from tenantry.errors import ObjectMissingError, StoreDeniedError, StoreError
from tenantry.events import Event, write_event
from tenantry.isolation.errands import Errands, Runner
from tenantry.isolation.grants import erasing_grant, tenant_grant
from tenantry.isolation.policies import logging_server_policy, publisher_policy, server_policy
from tenantry.isolation.trails import Trail
from tenantry.specs.bundle import Bundle, publish, read_published
from tenantry.store.guarded import GuardedStore
from tenantry.store.minio import MinioStore
from tenantry.store.open import eraser, explain_sharing, require_sessions
from tenantry.store.probe import trust_store
from tenantry.store.sts import StsAddress
from tenantry.times import Window
from tests.servers.fixtures import as_user
from tests.store.hostile import SECRET, World, attempts
from tests.unit.answered import answer

OWN = "tenants/p/a/rows.parquet"
VICTIMS = (
    "tenants/p/b/rows.parquet",
    "tenants/p/a-2/rows.parquet",
    "tenants/p2/a/rows.parquet",
    "products/p2/pooled/default/v1/model.skops",
    "products/p/index/segments/0.jsonl",
    "runs/r1/specs/s.json",
    "specs/0123/product.yaml",
)
KEPT = (
    "tenants/p/a/events/20130101T000000Z-promoted-v1.json",
    "tenants/p/a/collections/c.json",
    "tenants/p/a/suppressed.json",
    "tenants/p/a/attempt.json",
)
SHARED = "products/p/pooled/default/v1/model.skops"
GRANT = tenant_grant("p", "a")
AS_OF = datetime(2013, 4, 1, tzinfo=UTC)


def of_run(address):
    return MinioStore(address, waits=(0.01,), sts=StsAddress(f"http://{address.endpoint}"))


@pytest.fixture
def everything(minio_store):
    """The store as its administrator sees it, with the data of several tenants."""
    for key in (OWN, *VICTIMS, *KEPT, SHARED):
        minio_store.put(key, SECRET)
    return minio_store


@pytest.fixture
def world(everything, run_address):
    prefix = run_address.prefix
    worker = of_run(run_address).limited(GRANT)
    return World(
        worker._address,
        own=f"{prefix}tenants/p/a/own.bin",
        victims=tuple(f"{prefix}{key}" for key in VICTIMS),
        kept=tuple(f"{prefix}{key}" for key in KEPT),
        shared=f"{prefix}{SHARED}",
    )


class _NoSts(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_error(405)

    def log_message(self, *_):
        pass


@pytest.fixture
def server_without_sts():
    """The address of a server that refuses as one does that never heard of sessions."""
    with HTTPServer(("127.0.0.1", 0), _NoSts) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def content(store):
    return {
        info.key: store.get(info.key).content
        for info in store.list("")
        if info.key != "tenants/p/a/own.bin"
    }


def test_every_attempt_to_get_out_fails_and_changes_nothing(world, everything):
    world.client.put_object(world.address.bucket, world.own, io.BytesIO(b"own"), 3)
    before = content(everything)
    tried, got = 0, []
    for name, attempt in attempts(world):
        tried += 1
        try:
            got.append((name, attempt()))
        except (MinioException, PermissionError, ValueError):
            continue
    assert tried >= 200
    assert got == []
    assert content(everything) == before
    assert everything.get("tenants/p/a/own.bin").content == b"own"


def test_inside_everything_succeeds(world):
    client, bucket, prefix = world.client, world.address.bucket, world.address.prefix
    key, copied = f"{prefix}tenants/p/a/x/y.bin", f"{prefix}tenants/p/a/x/z.bin"
    client.put_object(bucket, key, io.BytesIO(b"x"), 1)
    assert client.get_object(bucket, key).data == b"x"
    assert client.stat_object(bucket, key).size == 1
    client.copy_object(bucket, copied, CopySource(bucket, key))
    parts = io.BytesIO(bytes(11 << 20))
    client.put_object(bucket, key, parts, 11 << 20, part_size=5 << 20)
    assert client.stat_object(bucket, key).etag.endswith("-3")
    for name in (key, copied):
        client.remove_object(bucket, name)
    assert client.get_object(bucket, world.kept[0]).data == SECRET
    assert client.get_object(bucket, world.shared).data == SECRET


@pytest.fixture
def worker(everything, run_address):
    """A worker's store, and a shard that does its errands."""
    ours, theirs = Pipe()
    run = of_run(run_address)
    runner = Runner(run, GRANT, Trail("p", "a", "r1", AS_OF, "promote"))

    def serve():
        with suppress(EOFError):
            while True:
                ours.send_bytes(runner.answer(ours.recv_bytes()))

    thread = Thread(target=serve)
    thread.start()
    yield GuardedStore(run.limited(GRANT), GRANT, Errands(theirs))
    theirs.close()
    thread.join()


def test_the_contract_holds_for_a_worker(worker):
    key = layout.champion("p", "a")
    tag = worker.put_if_absent(key, b"1")
    assert worker.put_if_match(key, b"2", tag) != tag
    assert worker.find("tenants/p/a/none") is None
    assert [info.key for info in worker.list("tenants/p/a/events/")] == [KEPT[0]]
    found = worker.find(key)
    listed = next(worker.list(key))
    assert (listed.key, listed.size, listed.tag) == (found.key, found.size, found.tag)
    assert list(worker.list_folders("tenants/p/a/")) == ["collections", "events"]
    worker.delete(key)
    with pytest.raises(ObjectMissingError):
        worker.get(key)


def test_a_worker_appends_to_its_trail_and_cannot_change_it(worker, everything):
    event = Event(
        kind="promoted", as_of=AS_OF, product="p", tenant="a", run="r1", version="v", sentence="x"
    )
    key = write_event(worker, event)
    assert everything.get(key).content == event.to_json()
    assert write_event(worker, event.model_copy(update={"sentence": "y"})) == key
    assert everything.get(key).content == event.to_json()
    for change in (
        lambda: worker.put(key, b""),
        lambda: worker.delete(key),
        lambda: worker.purge(layout.tenant_folder("p", "a")),
    ):
        with pytest.raises(StoreDeniedError):
            change()


def test_a_session_asks_for_no_other(everything, run_address):
    again = of_run(of_run(run_address).limited(GRANT)._address)
    with pytest.raises(StoreError, match="has no STS for this user"):
        again.limited(tenant_grant("p", "b"))


def test_the_runs_own_identity_reads_records_only_and_writes_runs(everything, run_address):
    run = of_run(run_address)
    assert trust_store(run)
    run.put("runs/r1/plan.json", b"{}")
    run.put("products/p/index.json", b"{}")
    run.put(layout.at_work("p", "r1", "s"), b"{}")
    run.delete(layout.attempt("p", "a"))
    run.put_if_absent(layout.event("p", "a", "20130101T000000Z-failed"), b"{}")
    assert run.get("tenants/p/a/suppressed.json").content == SECRET
    for denied in (
        lambda: run.get(OWN),
        lambda: run.put(OWN, b""),
        lambda: run.delete(OWN),
        lambda: run.put("tenants/p/a/champion.json", b"{}"),
        lambda: run.delete(KEPT[0]),
        lambda: run.put("specs/0123/product.yaml", b""),
    ):
        with pytest.raises(StoreDeniedError):
            denied()


def test_the_sync_jobs_user_publishes_specs_and_does_nothing_else(
    everything, minio_server, minio_address
):
    policy = publisher_policy(minio_address.bucket, minio_address.prefix)
    publisher = MinioStore(as_user(minio_server, minio_address, policy), waits=(0.01,))
    bundle = Bundle({"connections.yaml": "connections: {}\n"})
    assert publish(publisher, bundle) == ""
    assert publish(publisher, Bundle({})) == bundle.digest
    assert read_published(everything) == Bundle({})
    for denied in (
        lambda: publisher.get(OWN),
        lambda: publisher.get("runs/r1/specs/s.json"),
        lambda: publisher.put("runs/r1/plan.json", b"{}"),
        lambda: publisher.delete("specs.json"),
        lambda: list(publisher.list("")),
    ):
        with pytest.raises(StoreDeniedError):
            denied()


READ_BY_SERVERS = (
    "products/p/serving/0a.json",
    "products/p/pooled/default/v1/packed.bin",
    "tenants/p/a/serving/0123.json",
    "tenants/p/a/models/v1/packed.bin",
    "tenants/p/a/champion.json",
)


def test_servers_read_what_answers_and_change_nothing(everything, minio_server, minio_address):
    for key in READ_BY_SERVERS:
        everything.put(key, b"x")
    policy = server_policy(minio_address.bucket, minio_address.prefix)
    server = MinioStore(as_user(minio_server, minio_address, policy), waits=(0.01,))
    assert {server.get(key).content for key in READ_BY_SERVERS} == {b"x"}
    assert "p" in server.list_folders("products/")
    assert [one.key for one in server.list("products/p/serving/")] == [READ_BY_SERVERS[0]]
    for key in (*READ_BY_SERVERS, OWN, "products/p/serving/new.json"):
        for change in (lambda key=key: server.put(key, b"y"), lambda key=key: server.delete(key)):
            with pytest.raises(StoreDeniedError):
                change()
    for key in (OWN, "runs/r1/specs/s.json", *KEPT):
        with pytest.raises(StoreDeniedError):
            server.get(key)
    with pytest.raises(StoreDeniedError):
        list(server.list("tenants/"))


def test_servers_that_keep_answers_write_those_and_nothing_else(
    everything, minio_server, minio_address
):
    policy = logging_server_policy(minio_address.bucket, minio_address.prefix)
    server = MinioStore(as_user(minio_server, minio_address, policy), waits=(0.01,))
    for key in READ_BY_SERVERS:
        everything.put(key, b"x")
    logged = answer(server, "p", "a", Window(AS_OF, AS_OF + timedelta(days=7)))
    assert everything.get(logged.file.key).content == b"rows"
    assert server.get(layout.suppressed("p", "a")).content == SECRET
    assert read_marks(server, "p").tenants == frozenset()
    server.purge(logged.file.key)
    assert everything.find(logged.file.key) is None
    for key in (*READ_BY_SERVERS, OWN, *KEPT):
        for change in (lambda key=key: server.put(key, b"y"), lambda key=key: server.delete(key)):
            with pytest.raises(StoreDeniedError):
                change()
    with pytest.raises(StoreDeniedError):
        server.get(logged.key)


def test_who_has_a_session_already_erases_with_it(everything, run_address):
    session = of_run(of_run(run_address).limited(erasing_grant("p"))._address)
    assert eraser(session, "p") is session
    assert eraser(everything, "p") is everything


def test_erasures_are_completed_by_a_session_for_the_product(everything, run_address):
    session = eraser(of_run(run_address), "p")
    assert len(session.purge(layout.tenant_folder("p", "a")).keys) == 1 + len(KEPT)
    with pytest.raises(StoreError, match=r"p2/a/rows.parquet cannot be removed \(AccessDenied\)"):
        session.purge("tenants/p2/a/")


def test_a_server_without_sts_is_named_with_the_setting_that_does_without(
    run_address, server_without_sts
):
    lame = MinioStore(run_address, sts=StsAddress(server_without_sts))
    with pytest.raises(StoreError, match=r"has no STS .*TENANTRY_ISOLATION=shared"):
        require_sessions(lame)
    wrong = replace(run_address, secret_key="s3cr3t-value")
    with pytest.raises(StoreError) as caught:
        of_run(wrong).limited(GRANT)
    assert "s3cr3t" not in str(caught.value)


def test_no_session_is_needed_where_workers_share_the_runs_credentials(
    minio_store, folder_store, run_address
):
    assert not minio_store.gives_sessions
    assert minio_store.limited(GRANT) is minio_store
    require_sessions(minio_store)
    require_sessions(of_run(run_address))
    assert "reach every tenant's data" in explain_sharing(minio_store)[0]
    assert explain_sharing(folder_store) == explain_sharing(of_run(run_address)) == ()
