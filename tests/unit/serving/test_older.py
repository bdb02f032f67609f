"""A version that reigned before answers where a request names it; others do not exist."""

import asyncio
from datetime import timedelta

import pytest

from tenantry import layout
from tenantry.champions import Reign, read_champion
from tenantry.crowning import crown, move_champion
from tenantry.models.card import Card
from tenantry.serving.index import read_entry
from tenantry.serving.pool import Room
from tenantry.serving.records import read_record
from tests.unit.serving.logged import ALWAYS
from tests.unit.serving.served import (
    PRODUCT,
    ROW,
    START,
    FlakyStore,
    publish,
    served,
    serving,
    v2,
)
from tests.unit.serving.test_challenging import try_beside

FIRST = 0.18242552380635635  # 1 / (1 + exp(1.5)), with an intercept of 0


class AskedStore(FlakyStore):
    """Counts how often an object is asked for, in vain or not."""

    asked = 0

    def get(self, key):
        self.asked += 1
        return super().get(key)


def reigned(store, number, intercept=0.0, *, threshold=0.5, **fields):
    """Publish version ``v<number>``, crowned after those before; leave pointer and card."""
    version = f"v{number}"
    entry = publish(store, version=version, counter=number, intercept=intercept, **fields)
    card = Card(
        product=PRODUCT,
        tenant="ua",
        version=version,
        as_of=START,
        trained_until=START - timedelta(days=9 - number),
        recipe="logistic",
        task="classification",
        form="own",
        weight=0.0,
        file_digest="0" * 64,
        training_digest="t",
        spec_digest="s",
        snapshot="5",
        features="f",
        seed=7,
        code_version="1",
        rows=1000,
        metric="log_loss",
    )
    store.put(f"{layout.model_folder(PRODUCT, 'ua', version)}card.json", card.to_json())
    reign = Reign(
        since=START + timedelta(days=number),
        version=version,
        digest=card.file_digest,
        packed=read_record(store, PRODUCT, "ua", entry.record).model.packed,
        trained_until=card.trained_until,
        training_digest="t",
        recipe="logistic",
        gate="promoted",
    )
    crown(store, PRODUCT, "ua", reign)


def path(version, verb="infer", tenant="ua"):
    return f"/v2/models/{PRODUCT}.{tenant}/versions/{version}/{verb}"


async def infer(client, version):
    answer = await client.ask("POST", path(version), v2(ROW))
    if answer.status != 200:
        return answer.status, answer.json["reason"]
    return answer.json["model_version"], answer.json["outputs"][0]["data"][0]


@served
async def test_a_version_that_reigned_answers_where_it_is_named():
    store = FlakyStore()
    reigned(store, 1)
    reigned(store, 2, intercept=3.0)
    async with serving(store) as client:
        assert (await client.infer()).json["model_version"] == "v2"
        assert await infer(client, "v1") == ("v1", pytest.approx(FIRST, abs=1e-15))
        ready = await client.ask("GET", path("v1", "ready"))
        assert (ready.status, ready.json["ready"]) == (200, True)
        told = (await client.ask("GET", f"/v2/models/{PRODUCT}.ua/versions/v1")).json
        assert told["versions"] == ["v1"]
        assert told["parameters"]["trained_until"] == "2013-09-23T00:00:00Z"
        assert (await client.infer()).json["model_version"] == "v2"


@served
async def test_other_versions_do_not_exist_and_the_store_is_asked_once():
    store = FlakyStore()
    reigned(store, 1)
    reigned(store, 2)
    publish(store, tenant="aa", version="v7")
    async with serving(store) as client:
        await client.infer()
        assert await infer(client, "v9") == (404, "not_found")
        reads = store.reads
        missing = [await infer(client, one) for one in ("v8", "v7", "..", "v1.json")]
        assert set(missing) == {(404, "not_found")}
        assert store.reads == reads
        unknown = await client.ask("POST", path("v1", tenant="zz"), v2(ROW))
        body = (await client.ask("POST", path("v9"), v2(ROW))).body
        assert (unknown.status, unknown.body) == (404, body)


@served
async def test_a_version_whose_file_was_changed_is_not_opened():
    store = FlakyStore()
    reigned(store, 1)
    reigned(store, 2)
    store.put(f"{layout.model_folder(PRODUCT, 'ua', 'v1')}packed.bin", b"something else")
    async with serving(store) as client:
        assert await infer(client, "v1") == (503, "unavailable")
        assert (await client.infer()).status == 200


@served
async def test_a_version_that_learnt_from_erased_rows_is_gone_with_the_next_poll():
    store = FlakyStore()
    reigned(store, 1)
    reigned(store, 2)
    async with serving(store) as client:
        assert (await infer(client, "v1"))[0] == "v1"
        move_champion(store, PRODUCT, "ua", lambda it: it.withdraw(["v1"], "erased"))
        publish(store, version="v2", counter=3)
        await client.serving.poll()
        await client.serving.pool.settle()
        assert await infer(client, "v1") == (404, "not_found")


@served
async def test_older_versions_make_room_as_all_models_do():
    store = FlakyStore()
    reigned(store, 1)
    reigned(store, 2)
    async with serving(store, room=Room(bytes=30_000)) as client:
        await client.infer()
        await infer(client, "v1")
        assert client.serving.figures.evictions == 1
        assert (await client.infer()).json["model_version"] == "v2"
        assert client.serving.figures.tenants == 1


@served
async def test_a_store_that_is_down_is_told_as_unavailable_and_found_again():
    store = AskedStore()
    reigned(store, 1)
    reigned(store, 2)
    async with serving(store) as client:
        await client.infer()
        store.is_down = True
        assert await infer(client, "v1") == (503, "unavailable")
        asked = store.asked
        assert await infer(client, "v1") == (503, "unavailable")
        assert store.asked == asked, "it is left alone for a moment"
        assert (await client.infer()).status == 200
        store.is_down = False
        await client.serving.poll()
        assert (await infer(client, "v1"))[0] == "v1"


@served
async def test_all_who_ask_for_a_version_meanwhile_wait_for_one_search_and_one_load():
    store = FlakyStore()
    reigned(store, 1)
    reigned(store, 2)
    async with serving(store) as client:
        await client.infer()
        reads = store.reads
        asked = await asyncio.gather(*(infer(client, "v1") for _ in range(10)))
        assert {version for version, _ in asked} == {"v1"}
        assert store.reads - reads == 4  # pointer, record, card, model


@served
async def test_a_named_version_is_neither_a_canary_nor_logged():
    store = FlakyStore()
    try_beside(store, "canary", log=ALWAYS)
    async with serving(store) as client:
        assert (await infer(client, "v1"))[0] == "v1", "the champion, though the canary has it all"
        assert (await infer(client, "v2"))[0] == "v2", "the challenger"
    store = FlakyStore()
    reigned(store, 1, log=ALWAYS)
    reigned(store, 2, log=ALWAYS)
    async with serving(store) as client:
        await infer(client, "v1")
        assert client.serving.figures.log_waiting == 0


@served
async def test_thresholds_are_those_of_today():
    store = FlakyStore()
    reigned(store, 1)
    reigned(store, 2, threshold=0.1, threshold_rule=0.1)
    async with serving(store) as client:
        answer = (await client.ask("POST", path("v1"), v2(ROW))).json
        assert {one["name"]: one["data"] for one in answer["outputs"]}["decision"] == [True]


def test_pointers_and_entries_of_these_tests_agree():
    store = FlakyStore()
    reigned(store, 1)
    reigned(store, 2)
    champion = read_champion(store, PRODUCT, "ua")
    assert read_entry(store, PRODUCT, "ua").version == champion.current.version == "v2"
