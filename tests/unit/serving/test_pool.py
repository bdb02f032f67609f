"""Models are loaded when asked for, once, up to so many bytes, and swapped under requests."""

import asyncio
import threading
from functools import cached_property

import pytest

from tenantry import layout
from tenantry.packed.linear import PackedLinear
from tenantry.serving import loading
from tenantry.serving.disk import Disk
from tenantry.serving.limits import Limits
from tenantry.serving.pool import Room
from tenantry.serving.shelf import Shelf
from tenantry.specs.data import Column
from tests.unit.serving.served import (
    PRODUCT,
    ROW,
    FlakyStore,
    make_record,
    prepare,
    publish,
    served,
    serving,
    withdraw,
)


class SlowStore(FlakyStore):
    """Reads of objects wait until they are let through."""

    def __init__(self):
        super().__init__()
        self.gate = threading.Event()

    def get(self, key):
        if key.startswith("tenants/"):
            self.gate.wait(5)
        return super().get(key)


@served
async def test_all_who_ask_meanwhile_wait_for_one_load():
    store = SlowStore()
    publish(store)
    async with serving(store) as client:
        store.reads = 0
        asked = [asyncio.create_task(client.infer()) for _ in range(20)]
        await asyncio.sleep(0.01)
        store.gate.set()
        answers = await asyncio.gather(*asked)
        assert {answer.status for answer in answers} == {200}
        assert store.reads == 2  # a record and a model


@served
async def test_who_comes_back_while_being_loaded_is_loaded_anew():
    store = SlowStore()
    publish(store)
    async with serving(store) as client:
        asked = [asyncio.create_task(client.infer())]
        await asyncio.sleep(0)
        withdraw(store, "ua")
        await client.serving.poll()
        publish(store, counter=2)
        await client.serving.poll()
        asked.append(asyncio.create_task(client.infer()))
        await asyncio.sleep(0)
        store.gate.set()
        assert [answer.status for answer in await asyncio.gather(*asked)] == [503, 200]


@served
async def test_a_load_that_takes_too_long_is_told_and_goes_on():
    store = SlowStore()
    publish(store)
    async with serving(store, limits=Limits(timeout=0.02)) as client:
        late = await client.infer()
        assert (late.status, late.json["reason"]) == (503, "load_timeout")
        assert late.headers["retry-after"]
        store.gate.set()
        await client.serving.pool.settle()
        assert (await client.infer()).status == 200


@served
async def test_the_least_recently_used_make_room():
    store = FlakyStore()
    for tenant in ("aa", "bb", "cc"):
        publish(store, tenant)
    async with serving(store) as client:
        await client.infer("aa")
        size = client.serving.figures.loaded_bytes
    async with serving(store, room=Room(bytes=int(2.5 * size))) as client:
        for tenant in ("aa", "bb", "aa", "cc"):
            assert (await client.infer(tenant)).status == 200
        loaded = {one.tenant for one in client.serving.pool.tenants.values() if one.loaded}
        assert loaded == {"aa", "cc"}
        assert client.serving.figures.evictions == 1
        assert (await client.infer("bb")).status == 200
        assert client.serving.figures.loaded_bytes <= 2.5 * size


@served
async def test_a_promotion_and_a_rollback_are_followed_without_a_failed_request():
    store = FlakyStore()
    first = publish(store)
    async with serving(store, limits=Limits(rate=1e9, burst=1e9)) as client:
        versions, statuses, is_over = [], set(), False

        async def ask():
            while not is_over:
                answer = await client.infer()
                statuses.add(answer.status)
                version = answer.json["model_version"]
                if version not in versions[-1:]:
                    versions.append(version)
                await asyncio.sleep(0)

        async def see(version):
            async with asyncio.timeout(10):
                while versions[-1:] != [version]:
                    await asyncio.sleep(0)

        clients = [asyncio.create_task(ask()) for _ in range(4)]
        await see("v1")
        for counter, version in ((2, "v2"), (3, "v1")):
            publish(store, version=version, counter=counter, intercept=float(counter))
            await client.serving.poll()
            await see(version)
        is_over = True
        await asyncio.gather(*clients)
        assert statuses == {200}
        assert versions == ["v1", "v2", "v1"]
        assert first.version == "v1"
        assert client.serving.figures.swaps == 2


@served
async def test_a_broken_model_leaves_the_one_before_in_place(caplog):
    store = FlakyStore()
    publish(store)
    publish(store, "aa")
    async with serving(store) as client:
        assert (await client.infer()).json["model_version"] == "v1"
        for tenant in ("ua", "aa"):
            publish(store, tenant, version="v2", counter=2)
            store.put(f"{layout.model_folder(PRODUCT, tenant, 'v2')}packed.bin", b"other")
        await client.serving.poll()
        await client.serving.pool.settle()
        assert (await client.infer()).json["model_version"] == "v1"
        broken = await client.infer("aa")
        assert (broken.status, broken.json["reason"]) == (503, "unavailable")
        assert "digest" in caplog.text
        assert "digest" not in broken.body.decode()
        store.reads = 0
        assert (await client.infer("aa")).status == 503
        assert store.reads == 0  # not tried again at once


@pytest.mark.parametrize("how", ["erased", "retired"])
@served
async def test_who_is_erased_or_retired_is_answered_for_no_more(how):
    store = FlakyStore()
    publish(store)
    async with serving(store) as client:
        assert (await client.infer()).status == 200
        if how == "erased":
            withdraw(store, "ua")
        else:
            from tenantry.serving.index import read_entries, write_entries

            entry = read_entries(store, PRODUCT)["ua"]
            write_entries(
                store, PRODUCT, {"ua": entry.model_copy(update={"retired": True, "counter": 9})}
            )
        await client.serving.poll()
        assert (await client.infer()).status == 404
        figures = client.serving.figures
        assert (figures.loaded, figures.loaded_bytes, figures.tenants) == (0, 0, 0)


def test_what_records_share_is_not_kept_for_good(monkeypatch):
    monkeypatch.setattr(loading, "_MOST_KNOWN", 3)
    store = FlakyStore()
    loader = loading.Loader(Shelf(store, Disk(None)), prepare)
    for number in range(5):
        name = f"extra{number}"
        columns = {**make_record().columns, name: Column(type="number", max=number)}
        entry = publish(store, f"t{number}", columns=columns)
        loader.load(PRODUCT, f"t{number}", entry)
        assert len(loader._known) <= 3 + len(columns) + 2


@served
async def test_what_reasons_are_looked_up_in_counts_as_memory(monkeypatch):
    monkeypatch.setattr(PackedLinear, "explained_bytes", cached_property(lambda _: 1 << 20))
    PackedLinear.explained_bytes.__set_name__(PackedLinear, "explained_bytes")
    store = FlakyStore()
    publish(store)
    publish(store, "aa")
    async with serving(store, room=Room(bytes=1 << 20)) as client:
        for tenant in ("ua", "aa"):
            assert (await client.infer(tenant)).status == 200
        before = client.serving.figures.loaded_bytes
        for _ in range(2):
            path = f"/v1/models/{PRODUCT}.ua:explain"
            assert (await client.ask("POST", path, {"instances": [ROW]})).status == 200
        aa, ua = (client.serving.pool.tenants[f"{PRODUCT}.{one}"] for one in ("aa", "ua"))
        assert ua.loaded.bytes == ua.loaded.size + (1 << 20)
        assert client.serving.figures.loaded_bytes == ua.loaded.bytes > before
        assert aa.loaded is None  # it was asked less recently
