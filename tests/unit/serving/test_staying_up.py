"""A server goes on while the store is down, and says what it is ready for."""

import os

import pytest

from tenantry import layout
from tenantry.digests import sha256
from tenantry.serving.app import ServerOptions, Serving
from tenantry.serving.disk import Disk
from tenantry.serving.server import Listening, _Server
from tests.unit.serving.served import (
    PRODUCT,
    FlakyStore,
    prepare,
    publish,
    publish_pooled,
    served,
    serving,
    withdraw,
)

READY = "/v2/health/ready"


@served
async def test_what_is_loaded_goes_on_and_catches_up():
    store = FlakyStore()
    publish(store)
    publish(store, "aa")
    async with serving(store) as client:
        await client.infer()
        store.is_down = True
        assert await client.serving.poll() is False
        assert (await client.infer()).status == 200
        assert (await client.ask("GET", READY)).status == 200
        cold = await client.infer("aa")
        assert (cold.status, cold.json["reason"]) == (503, "unavailable")
        assert "secret-host" not in cold.body.decode()
        store.is_down = False
        assert (await client.infer("aa")).status == 503  # left alone until it is found again
        publish(store, version="v2", counter=2)
        assert await client.serving.poll()
        await client.serving.pool.settle()
        assert (await client.infer()).json["model_version"] == "v2"


@served
async def test_a_restart_without_the_store_serves_from_disk(tmp_path):
    store = FlakyStore()
    pooled = publish_pooled(store)
    publish(store, pooled=pooled, parts="pooled")
    publish(store, "never-asked-for")
    async with serving(store, cache=tmp_path) as client:
        before = (await client.infer()).json["outputs"]
    store.is_down = True
    async with serving(store, cache=tmp_path) as client:
        assert (await client.ask("GET", READY)).status == 200
        assert (await client.infer()).json["outputs"] == before
        assert (await client.infer("never-asked-for")).status == 503


@served
async def test_without_store_and_disk_it_is_alive_and_not_ready(tmp_path):
    store = FlakyStore()
    store.is_down = True
    async with serving(store, cache=tmp_path) as client:
        assert (await client.ask("GET", "/v2/health/live")).status == 200
        assert (await client.ask("GET", READY)).status == 503
        assert (await client.infer()).json["reason"] == "not_ready"
        store.is_down = False
        publish(store)
        await client.serving.poll()
        assert (await client.ask("GET", READY)).status == 200
        assert (await client.infer()).status == 200


@served
async def test_a_product_that_is_named_and_not_there_is_told_and_waited_for(caplog):
    store = FlakyStore()
    async with serving(store, products=(PRODUCT,)) as client:
        assert (await client.ask("GET", READY)).status == 503
        await client.serving.poll()
        told = [one.getMessage() for one in caplog.records if "spelt right" in one.getMessage()]
        assert [one.split(":")[0] for one in told] == [PRODUCT]
        publish(store)
        await client.serving.poll()
        assert (await client.ask("GET", READY)).status == 200
        assert (await client.infer()).status == 200
    async with serving(store, products=(PRODUCT, "arival-delay")) as client:
        assert (await client.ask("GET", READY)).status == 503
        assert (await client.infer()).status == 200  # who asks all the same is answered


@served
async def test_who_stops_says_so_and_still_answers():
    store = FlakyStore()
    publish(store)
    async with serving(store) as client:
        assert "connection" not in (await client.infer()).headers
        client.serving.stop_taking()
        assert (await client.ask("GET", READY)).status == 503
        last = await client.infer()
        assert (last.status, last.headers["connection"]) == (200, "close")


class Listener:
    """Takes connections until it is closed."""

    is_closed = False

    def close(self):
        self.is_closed = True


@served
async def test_who_ends_listens_no_more_before_connections_are_closed():
    process = _Server(Serving(FlakyStore(), prepare, ServerOptions()), Listening())
    process.servers = [Listener()]
    process._stop()
    assert process.servers[0].is_closed
    assert not process.should_exit


@served
async def test_the_disk_keeps_nothing_of_who_is_erased_nor_of_old_versions(tmp_path):
    store = FlakyStore()
    for tenant in ("ua", "aa"):
        publish(store, tenant)
    async with serving(store, cache=tmp_path) as client:
        for tenant in ("ua", "aa"):
            await client.infer(tenant)
        publish(store, version="v2", counter=2)
        await client.serving.poll()
        await client.serving.pool.settle()
        withdraw(store, "aa")
        await client.serving.poll()
        await client.serving.poll()
    names = [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()]
    assert not [name for name in names if f"/{PRODUCT}/aa/" in name or "/v1/" in name]
    assert [name for name in names if "/v2/packed.bin" in name]
    assert b'"aa"' not in b"".join(p.read_bytes() for p in tmp_path.rglob("*.json"))


@served
async def test_who_was_erased_while_no_server_ran_is_removed_from_disk(tmp_path):
    store = FlakyStore()
    for version, tenant in (("p1", "ua"), ("p2", "aa")):
        publish(store, tenant, pooled=publish_pooled(store, version), parts="pooled")
    async with serving(store, cache=tmp_path) as client:
        for tenant in ("ua", "aa"):
            await client.infer(tenant)
    withdraw(store, "aa")
    store.delete(f"{layout.pooled_folder(PRODUCT, 'us', 'p2')}packed.bin")
    async with serving(store, cache=tmp_path) as client:
        await client.serving.poll()
    names = [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()]
    assert not [name for name in names if f"/{PRODUCT}/aa/" in name or "/p2/" in name]
    assert [name for name in names if f"/{PRODUCT}/ua/" in name]
    assert [name for name in names if "/p1/" in name]


@pytest.mark.parametrize("is_restarted", [False, True])
@served
async def test_an_index_that_is_gone_whole_is_a_fault_of_the_store(tmp_path, is_restarted):
    store = FlakyStore()
    publish(store)
    away = {}
    async with serving(store, cache=tmp_path) as client:
        await client.infer()
        store.objects, away = {}, store.objects
        assert is_restarted or await client.serving.poll() is False
        assert (await client.infer()).status == 200
    async with serving(store, cache=tmp_path) as client:
        assert (await client.ask("GET", READY)).status == 200
        assert (await client.infer()).status == 200
        store.objects = away
        publish(store, version="v2", counter=2)
        assert await client.serving.poll()
        await client.serving.pool.settle()
        assert (await client.infer()).json["model_version"] == "v2"


@served
async def test_who_has_nobody_left_answers_for_nobody(tmp_path):
    store = FlakyStore()
    publish(store)
    async with serving(store, cache=tmp_path) as client:
        withdraw(store, "ua")
        assert await client.serving.poll()
        assert (await client.infer()).status == 404


def test_the_disk_has_a_bound_and_keeps_what_was_used_last(tmp_path):
    disk = Disk(tmp_path, most_bytes=1000)
    contents = {f"objects/{number}": bytes([number]) * 300 for number in range(3)}
    for number, (key, content) in enumerate(contents.items()):
        disk.write(key, content)
        os.utime(tmp_path / "objects" / key, (number, number))
    disk.touch("objects/0")
    disk.write("objects/3", b"3" * 300)
    kept = {key for key, content in contents.items() if disk.read(key, sha256(content))}
    assert kept == {"objects/0", "objects/2"}
    assert disk.read("objects/3", sha256(b"3" * 300))
    assert Disk(tmp_path, most_bytes=1000).write("objects/4", b"4" * 200) is None
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) <= 1000


@served
async def test_what_was_changed_on_disk_is_not_believed(tmp_path):
    store = FlakyStore()
    publish(store)
    async with serving(store, cache=tmp_path) as client:
        await client.infer()
    for path in tmp_path.rglob("packed.bin"):
        path.write_bytes(b"other")
    async with serving(store, cache=tmp_path) as client:
        assert (await client.infer()).status == 200
    for path in tmp_path.rglob("*.json"):
        path.write_bytes(b"{")
    store.is_down = True
    async with serving(store, cache=tmp_path) as client:
        assert (await client.ask("GET", READY)).status == 503


def test_a_disk_that_cannot_be_written_stops_nothing(tmp_path, caplog):
    (tmp_path / "file").write_bytes(b"")
    disk = Disk(tmp_path / "file" / "folder")
    disk.write("some/key", b"1")
    disk.write("some/key", b"1")
    assert disk.read("some/key", "0" * 64) is None
    assert caplog.text.count("nothing is cached") == 1


@pytest.mark.parametrize("key", ["../x", "/etc/passwd"])
def test_no_key_leads_out_of_the_folder(tmp_path, key):
    with pytest.raises(ValueError, match="is not a key"):
        Disk(tmp_path).write(key, b"")
