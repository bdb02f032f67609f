"""What is logged is sound whenever a server is killed, and gone when it is erased."""

import asyncio

import pandas as pd
import pytest

from tenantry import layout
from tenantry.erasure.suppression import Suppressed, hash_rows
from tenantry.erasure.tombstones import Tombstone, write_tombstone
from tenantry.errors import StoreUnavailableError
from tenantry.serving.figures import Figures
from tenantry.serving.log_writer import LogWriter
from tenantry.serving.prediction_log import PredictionLog
from tests.crash.sound import find_unsound
from tests.unit.erasure.killed import Killed, KillingStore
from tests.unit.memory_store import MemoryStore
from tests.unit.serving.logged import ALWAYS, DownStore, a_batch, logged
from tests.unit.serving.served import (
    PRODUCT,
    ROW,
    START,
    FlakyStore,
    make_record,
    publish,
    served,
    serving,
)

SALT = "00" * 32


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, 5))
def test_a_server_that_is_killed_while_it_writes_leaves_nothing_unsound(at, after):
    store = MemoryStore()
    rows = [(("2013-10-02",), 0.5), (("2013-10-09",), 0.5)]
    batch = a_batch(make_record(log=ALWAYS), *rows)
    with pytest.raises(Killed):
        LogWriter(KillingStore(store, at, after=after)).write([batch])
    assert not [*find_unsound(store)]
    assert LogWriter(store).write([batch]).counts == {"written": 2}
    assert not [*find_unsound(store)]


def suppressed(at):
    """The record of a row that is erased."""
    columns = make_record().columns
    hashes = hash_rows(SALT, pd.DataFrame({"at": [at]}), ("at",), columns)
    return Suppressed(salt=SALT).add(("at",), hashes).to_json()


class ErasingStore(FlakyStore):
    """A store in which something is erased right after the first file of answers is written."""

    def __init__(self, erase):
        super().__init__()
        self.erase = erase

    def put(self, key, content):
        tag = super().put(key, content)
        if "/served/" in key and self.erase:
            erase, self.erase = self.erase, None
            erase(self)
        return tag


async def log_two(store):
    """Log two rows; return the rest."""
    publish(store, log=ALWAYS)
    async with serving(store) as client:
        await client.infer()
        await client.infer(row={**ROW, "at": "2013-10-03T10:00:00Z"})
        await client.serving.predictions.write()
        return client.serving.figures.logged


def erase_row(store):
    store.put(layout.suppressed(PRODUCT, "ua"), suppressed(ROW["at"]))


def erase_tenant(store):
    write_tombstone(
        store, Tombstone(product=PRODUCT, tenant="ua", when=START, who="ann", why="asked")
    )


@served
async def test_rows_that_were_erased_are_not_logged_again():
    store = FlakyStore()
    erase_row(store)
    assert await log_two(store) == {"written": 1, "erased": 1}
    assert logged(store)[1]["at"].dt.day.tolist() == [3]


@served
async def test_a_row_that_is_erased_while_it_is_written_is_not_there_afterwards():
    store = ErasingStore(erase_row)
    assert await log_two(store) == {"written": 1, "erased": 1}
    assert logged(store)[1]["at"].dt.day.tolist() == [3]


@served
async def test_an_erased_tenants_answers_are_not_logged():
    store = FlakyStore()
    erase_tenant(store)
    assert await log_two(store) == {"erased": 2}
    assert not [*store.list(layout.served_folder(PRODUCT, "ua"))]


@served
async def test_a_tenant_that_is_erased_while_its_answers_are_written_has_none_afterwards():
    store = ErasingStore(erase_tenant)
    await log_two(store)
    assert not [*store.list(layout.served_folder(PRODUCT, "ua"))]


def test_a_store_that_goes_down_between_two_tenants_leaves_the_second():
    store = DownStore()
    publish(store, log=ALWAYS)
    batches = [a_batch(make_record(one, log=ALWAYS), ((ROW["at"],), 0.5)) for one in ("ua", "aa")]
    put, calls = store.put, []

    def stop_after_two(key, content):
        if len(calls) == 2:
            raise StoreUnavailableError(key)
        calls.append(key)
        return put(key, content)

    store.put = stop_after_two
    done = LogWriter(store).write(batches)
    assert done.counts == {"written": 1}
    assert [one.record.tenant for one in done.left] == ["ua"]


class StumblingStore(DownStore):
    """A store that goes down, once, right after something was erased and a row of it written."""

    def __init__(self, erase):
        super().__init__()
        self.erase = erase

    def put(self, key, content):
        tag = super().put(key, content)
        if key.endswith(".json") and "/served/" in key and self.erase:
            erase, self.erase = self.erase, None
            erase(self)
            self.is_down = True
        return tag


@pytest.mark.parametrize("erase", [erase_row, erase_tenant])
def test_what_is_erased_while_the_store_goes_down_is_gone_when_it_is_back(erase):
    store = StumblingStore(erase)
    batch = a_batch(make_record(log=ALWAYS), ((ROW["at"],), 0.5))
    log = PredictionLog(LogWriter(store), Figures())
    log._left = [batch]
    asyncio.run(log.write())
    assert log._left == [batch]
    store.is_down = False
    asyncio.run(log.close())
    assert not [*store.list(layout.served_folder(PRODUCT, "ua"))]


def test_a_tenant_that_is_erased_as_the_store_goes_down_is_gone_when_nothing_waits_any_more():
    store = FlakyStore()
    writer = LogWriter(store)
    batch = a_batch(make_record(log=ALWAYS), ((ROW["at"],), 0.5))
    look, looks = store.list, []

    def stop_at_the_last_look(prefix):
        looks.append(prefix)
        if len(looks) == 2:
            erase_tenant(store)
            raise StoreUnavailableError(prefix)
        return look(prefix)

    store.list = stop_at_the_last_look
    assert writer.write([batch]).left == []
    assert [*store.list(layout.served_folder(PRODUCT, "ua"))]
    writer.write([])
    assert not [*store.list(layout.served_folder(PRODUCT, "ua"))]


def test_rows_of_one_tenant_that_cannot_be_written_take_no_others_with_them(caplog):
    store = FlakyStore()
    batches = [a_batch(make_record(one, log=ALWAYS), ((ROW["at"],), 0.5)) for one in ("ua", "aa")]
    batches[0].answers[0] = batches[0].answers[0]._replace(told="secret JFK")
    done = LogWriter(store).write(batches)
    assert done.counts == {"failed": 1, "written": 1}
    assert "JFK" not in caplog.text
