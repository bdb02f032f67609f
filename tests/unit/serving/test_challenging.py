"""A challenger is tried beside the champion: as a shadow nobody sees it, as a canary by a share."""

import asyncio
import math

from tenantry import layout
from tenantry.errors import ServingError
from tenantry.parquet import from_parquet
from tenantry.served import read_served
from tenantry.serving.challenging import Shadow
from tenantry.serving.entries import Trial
from tenantry.serving.figures import Figures
from tenantry.serving.index import read_entry, write_entries
from tenantry.serving.loading import Loader
from tenantry.serving.records import Logging
from tests.unit.serving.logged import ALWAYS, FIRST, WEEK
from tests.unit.serving.served import (
    PRODUCT,
    ROW,
    START,
    FlakyStore,
    publish,
    served,
    serving,
)

NEVER = Logging(share=0.0, start=START, window=WEEK)


class Broken:
    """A model that fails, and whose fault quotes a value."""

    def predict_row(self, own, pooled):
        msg = "secret JFK"
        raise ValueError(msg)


def try_beside(store, mode, share=1.0, log=NEVER, **changes):
    """Publish a champion and a challenger that says more."""
    publish(store, version="v2", intercept=3.0, counter=0, log=log)
    other = read_entry(store, PRODUCT, "ua").record
    entry = publish(store, version="v1", counter=1, log=log)
    trial = Trial(version="v2", record=other, share=share, mode=mode)
    write_entries(store, PRODUCT, {"ua": entry.model_copy(update={"trial": trial} | changes)})


def logged(store):
    """Role and version → the probabilities that were logged."""
    found = {}
    for receipt in read_served(store, PRODUCT, "ua", FIRST, until=START):
        rows = from_parquet(store.get(receipt.file.key).content)
        found.setdefault((receipt.role, receipt.model), []).extend(rows["probability"])
    return found


def row_of(number):
    return {**ROW, "at": f"2013-10-02T{number // 60:02}:{number % 60:02}:00Z"}


async def probability(client, row=ROW):
    answer = (await client.predict(rows=[row])).json
    return answer["model_version"], answer["predictions"][0]["probability"]


@served
async def test_a_shadow_is_scored_and_logged_and_the_champion_answers():
    store = FlakyStore()
    try_beside(store, "shadow")
    async with serving(store) as client:
        version, told = await probability(client)
        await client.serving.shadow.settle()
        assert client.serving.figures.tried == {"scored": 1}
    assert version == "v1"
    found = logged(store)
    assert found["champion", "v1"] == [told]
    assert found["challenger", "v2"] != [told]
    assert len(found["challenger", "v2"]) == 1


@served
async def test_a_canary_answers_its_share_by_key_and_names_itself():
    store = FlakyStore()
    try_beside(store, "canary", share=0.3, log=ALWAYS)
    async with serving(store) as client:
        versions = [(await probability(client, row_of(number)))[0] for number in range(300)]
        assert 60 <= versions.count("v2") <= 120
        again = [(await probability(client, row_of(number)))[0] for number in range(50)]
        assert again == versions[:50]
        inferred = (await client.infer(row=row_of(versions.index("v2")))).json
        assert inferred["model_version"] == "v2"
        assert client.serving.figures.tried.keys() == {"answered"}
    found = {place: len(rows) for place, rows in logged(store).items()}
    answered = versions.count("v2") + again.count("v2") + 1
    assert found == {("champion", "v1"): 351 - answered, ("challenger", "v2"): answered}


@served
async def test_a_row_without_its_key_goes_by_the_requests_id_or_to_the_champion():
    store, without = FlakyStore(), {"distance": 500.0, "origin": "JFK"}
    try_beside(store, "canary")
    async with serving(store) as client:
        assert (await probability(client, without))[0] == "v1"
        assert (await client.infer(row=without)).json["model_version"] == "v2"


@served
async def test_while_the_champion_is_pinned_a_canary_is_a_shadow():
    store = FlakyStore()
    try_beside(store, "canary", pinned=True)
    async with serving(store) as client:
        assert (await probability(client))[0] == "v1"
        await client.serving.shadow.settle()
        assert client.serving.figures.tried == {"scored": 1}


@served
async def test_a_rollback_ends_what_was_tried_with_the_next_poll():
    store = FlakyStore()
    try_beside(store, "canary")
    async with serving(store) as client:
        assert (await probability(client))[0] == "v2"
        publish(store, version="v0", counter=2)
        await client.serving.poll()
        await client.serving.pool.settle()
        assert (await probability(client))[0] == "v0"


@served
async def test_a_challenger_that_fails_is_nobodys_concern(caplog):
    for mode in ("shadow", "canary"):
        store = FlakyStore()
        try_beside(store, mode)
        async with serving(store) as client:
            await client.infer()
            await client.serving.shadow.settle()
            loaded = client.serving.pool.tenants[f"{PRODUCT}.ua"].loaded
            object.__setattr__(loaded.challenger, "scorer", Broken())
            answer = await client.predict()
            assert (answer.status, answer.json["model_version"]) == (200, "v1")
            await client.serving.shadow.settle()
            assert client.serving.figures.tried["failed"] == 1
    assert "JFK" not in caplog.text


@served
async def test_a_bad_request_is_not_the_challengers_fault():
    store = FlakyStore()
    try_beside(store, "canary")
    async with serving(store) as client:
        assert (await client.predict(rows=[{**ROW, "distance": "far"}])).status == 400
        assert not client.serving.figures.tried


@served
async def test_a_challenger_that_cannot_be_loaded_is_not_tried():
    store = FlakyStore()
    try_beside(store, "canary")
    store.put(f"{layout.model_folder(PRODUCT, 'ua', 'v2')}packed.bin", b"something else")
    async with serving(store) as client:
        assert (await probability(client))[0] == "v1"


@served
async def test_rows_beyond_the_room_of_a_shadow_are_dropped_and_counted():
    store, figures = FlakyStore(), Figures()
    try_beside(store, "shadow")
    async with serving(store) as client:
        await client.infer()
        loaded = client.serving.pool.tenants[f"{PRODUCT}.ua"].loaded
        shadow = Shadow(client.serving.predictions, figures, most=3)
        for _ in range(2):
            shadow.score(loaded.challenger, [ROW] * 2, START)
        scoring = asyncio.create_task(shadow.run())
        await shadow.settle()
        scoring.cancel()
    assert figures.tried == {"dropped": 2, "scored": 2}


@served
async def test_a_shadow_lets_others_go_first():
    store = FlakyStore()
    try_beside(store, "shadow")
    async with serving(store) as client:
        await client.infer()
        await client.serving.shadow.settle()
        loaded = client.serving.pool.tenants[f"{PRODUCT}.ua"].loaded
        client.serving.shadow.score(loaded.challenger, [ROW] * 100, START)
        for _ in range(50):
            await asyncio.sleep(0)
        assert client.serving.figures.tried == {"scored": 1}, "others got their turn in between"
        await client.serving.shadow.settle()
        assert client.serving.figures.tried == {"scored": 101}


class Boundless:
    """A model that came to nothing that is a number."""

    def predict_row(self, own, pooled):
        return math.nan


@served
async def test_a_challenger_that_comes_to_no_number_is_not_taken_for_a_fault_of_the_request():
    store = FlakyStore()
    try_beside(store, "canary")
    async with serving(store) as client:
        await client.infer()
        loaded = client.serving.pool.tenants[f"{PRODUCT}.ua"].loaded
        object.__setattr__(loaded.challenger, "scorer", Boundless())
        for rows in ([ROW], [ROW] * 40):
            answer = await client.predict(rows=rows)
            assert (answer.status, answer.json["model_version"]) == (200, "v1")
        assert client.serving.figures.tried == {"answered": 1, "failed": 41}


@served
async def test_a_challenger_whose_files_are_of_another_kind_leaves_the_champion_alone(monkeypatch):
    store = FlakyStore()
    try_beside(store, "canary")
    open_model = Loader._open

    def fail(self, record, entry, content):
        if record.version == "v2":
            raise KeyError("pipeline")
        return open_model(self, record, entry, content)

    monkeypatch.setattr(Loader, "_open", fail)
    async with serving(store) as client:
        assert (await probability(client))[0] == "v1"


@served
async def test_an_erasure_ends_a_trial_at_once_and_clears_the_servers_disk(tmp_path):
    store = FlakyStore()
    try_beside(store, "canary")
    past = tmp_path / f"objects/{layout.online_features(PRODUCT, 'ua', 'a' * 64)}"
    models = tmp_path / f"objects/{layout.models_folder(PRODUCT, 'ua')}"
    async with serving(store, cache=tmp_path) as client:
        assert (await probability(client))[0] == "v2"
        past.write_bytes(b"rows")
        assert {one.name for one in models.iterdir()} == {"v1", "v2"}
        entry = read_entry(store, PRODUCT, "ua").model_copy(update={"trial": None})
        write_entries(store, PRODUCT, {"ua": entry.model_copy(update={"counter": 2})})
        load = client.serving.pool._loader.load
        client.serving.pool._loader.load = broken_load
        await client.serving.poll()
        await client.serving.pool.settle()
        assert (await probability(client))[0] == "v1"
        client.serving.pool._loader.load = load
    assert not past.exists()
    assert {one.name for one in models.iterdir()} == {"v1"}


def broken_load(product, tenant, entry):
    msg = "no past is published of this tenant yet"
    raise ServingError(msg)
