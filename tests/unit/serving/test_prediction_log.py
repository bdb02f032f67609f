"""Answers are logged as the batch's predictions are, by the tenant's prefix; never in the way."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from tenantry import layout
from tenantry.digests import sha256
from tenantry.erasure.suppression import Suppressed, hash_rows
from tenantry.erasure.tombstones import Tombstone, write_tombstone
from tenantry.errors import StoreDeniedError, StoreUnavailableError
from tenantry.parquet import from_parquet, to_parquet
from tenantry.predictions import Interval
from tenantry.served import read_served
from tenantry.serving import prediction_log
from tenantry.serving.figures import Figures
from tenantry.serving.log_batch import Answer, Batch
from tenantry.serving.log_table import cut
from tenantry.serving.log_writer import LogWriter
from tenantry.serving.prediction_log import PredictionLog
from tenantry.serving.records import Logging
from tenantry.specs.data import Column
from tenantry.times import Window
from tests.crash.sound import find_unsound
from tests.unit.erasure.killed import Killed, KillingStore
from tests.unit.memory_store import MemoryStore
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

WEEK = timedelta(days=7)
FIRST = Window(START, START + WEEK)
ALWAYS = Logging(share=1.0, start=START, window=WEEK)
SALT = "00" * 32


def logged(store, window=FIRST, tenant="ua"):
    """The receipts of a window, and its rows."""
    receipts = [*read_served(store, PRODUCT, tenant, window, until=START)]
    frames = [from_parquet(store.get(one.file.key).content) for one in receipts]
    return receipts, pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


class DeniedStore(FlakyStore):
    """A store in which this server may not write."""

    def put(self, key, content):
        if "/served/" in key:
            raise StoreDeniedError(key)
        return super().put(key, content)


class DownStore(FlakyStore):
    """A store whose writes can be stopped, too."""

    def put(self, key, content):
        self._check()
        return super().put(key, content)


class SlowStore(FlakyStore):
    """A store in which a write of answers takes until it is let go."""

    def __init__(self):
        super().__init__()
        self.begun, self.gate = threading.Event(), threading.Event()

    def put(self, key, content):
        if "/served/" in key:
            self.begun.set()
            self.gate.wait(10)
        return super().put(key, content)


@served
async def test_answers_lie_under_the_tenants_prefix_with_a_receipt_that_says_who_answered():
    store = FlakyStore()
    entry = publish(store, log=ALWAYS)
    async with serving(store) as client:
        answered = await client.infer()
        await client.predict(rows=[{**ROW, "at": "2013-10-09T10:00:00Z"}])
        await client.serving.predictions.write()
        assert client.serving.figures.logged == {"written": 2}
    (receipt,), rows = logged(store)
    assert (receipt.model, receipt.role, receipt.rows) == ("v1", "champion", 1)
    assert (receipt.record, receipt.as_of) == (entry.record, entry.as_of)
    assert receipt.file.sha256 == sha256(store.get(receipt.file.key).content)
    assert receipt.file.key.startswith(
        f"{layout.tenant_folder(PRODUCT, 'ua')}served/{FIRST.id}/v1/"
    )
    (row,) = rows.to_dict("records")
    assert row["probability"] == answered.json["outputs"][0]["data"][0]
    assert row["at"] == row["event_time"] == pd.Timestamp(ROW["at"])
    assert datetime.now(UTC) - row["answered_at"] < timedelta(minutes=1)
    assert len(logged(store, Window(START + WEEK, START + 2 * WEEK))[1]) == 1


@served
async def test_nothing_is_logged_where_the_spec_does_not_say_so():
    store = FlakyStore()
    publish(store)
    async with serving(store) as client:
        await client.infer()
        await client.serving.predictions.write()
    assert not [*store.list(layout.served_folder(PRODUCT, "ua"))]


@served
async def test_a_share_of_requests_is_logged():
    store, draws = FlakyStore(), iter([0.1, 0.7, 0.2, 0.5])
    publish(store, log=Logging(share=0.5, start=START, window=WEEK))
    async with serving(store) as client:
        client.serving.predictions._draw = lambda: next(draws)
        for minute in range(4):
            await client.infer(row={**ROW, "at": f"2013-10-02T10:0{minute}:00Z"})
        await client.serving.predictions.write()
    assert logged(store)[1]["at"].dt.minute.tolist() == [0, 2]


@served
async def test_the_end_of_the_server_writes_what_waits():
    store = FlakyStore()
    publish(store, log=ALWAYS)
    async with serving(store) as client:
        await client.infer()
    assert len(logged(store)[1]) == 1


@served
async def test_what_a_store_that_is_down_does_not_take_is_written_later_and_once():
    store = DownStore()
    publish(store, log=ALWAYS)
    async with serving(store) as client:
        await client.infer()
        store.is_down = True
        await client.serving.predictions.write()
        assert (await client.infer()).status == 200
        assert client.serving.figures.log_waiting == 2
        store.is_down = False
        await client.serving.predictions.write()
        assert client.serving.figures.log_waiting == 0
    assert len(logged(store)[1]) == 2


@served
async def test_a_server_that_may_not_write_answers_on_and_counts_what_is_lost():
    store = DeniedStore()
    publish(store, log=ALWAYS)
    async with serving(store) as client:
        await client.infer()
        await client.serving.predictions.write()
        assert (await client.infer()).status == 200
        assert client.serving.figures.logged == {"failed": 1}
        text = (await client.ask("GET", "/metrics")).body.decode()
    assert 'tenantry_serving_logged_rows_total{outcome="failed"} 1.0' in text


@served
async def test_answers_do_not_wait_for_a_slow_store():
    store = SlowStore()
    publish(store, log=ALWAYS)
    async with serving(store) as client:
        await client.infer()
        writing = asyncio.create_task(client.serving.predictions.write())
        await asyncio.to_thread(store.begun.wait, 10)
        assert (await client.infer()).status == 200
        assert not writing.done()
        store.gate.set()
        await writing
    assert len(logged(store)[1]) == 2


@served
async def test_rows_that_there_is_no_room_for_are_counted_and_not_kept():
    store, figures = FlakyStore(), Figures()
    publish(store, log=ALWAYS)
    async with serving(store) as client:
        await client.infer()
        loaded = client.serving.pool.tenants[f"{PRODUCT}.ua"].loaded
    log = PredictionLog(LogWriter(store), figures, most=3)
    log.tell(loaded, [ROW] * 2, [0.5] * 2, START)
    log.tell(loaded, [ROW] * 2, [0.5] * 2, START)
    assert (figures.log_waiting, figures.logged) == (3, {"full": 1})
    await log.close()
    assert figures.logged == {"full": 1, "written": 3}


@served
async def test_servers_never_overwrite_one_another():
    store = FlakyStore()
    publish(store, log=ALWAYS)
    async with serving(store) as client:
        await client.infer()
        loaded = client.serving.pool.tenants[f"{PRODUCT}.ua"].loaded
        client.serving.predictions._batches.clear()
    for _ in range(2):
        log = PredictionLog(LogWriter(store), Figures())
        log.tell(loaded, [ROW], [0.5], START)
        await log.close()
    receipts, rows = logged(store)
    assert (len(receipts), len(rows)) == (2, 2)


@served
async def test_the_end_waits_for_a_slow_store_no_longer_than_it_says(monkeypatch):
    monkeypatch.setattr(prediction_log, "_LAST_SECONDS", 0.05)
    store = SlowStore()
    log = PredictionLog(LogWriter(store), Figures())
    log._left = [
        a_batch(make_record(one, log=ALWAYS), ((ROW["at"],), 0.5)) for one in ("ua", "aa", "dl")
    ]
    await log.close()
    store.gate.set()
    log._thread.shutdown(wait=True)
    assert [len(logged(store, tenant=one)[0]) for one in ("ua", "aa", "dl")] == [0, 0, 1]


# --- rows -----------------------------------------------------------------------------------------


def a_batch(record, *rows):
    """Rows that were answered: raw key and event time, and what was told."""
    store = MemoryStore()
    entry = publish(store)
    return Batch(entry, record, "champion", [Answer(named, told, START) for named, told in rows])


def rows_of(batch, suppressed=b""):
    return [from_parquet(piece.content) for piece in cut(batch, {}, suppressed).pieces]


def test_no_client_fills_a_store_with_files():
    times = [(START + n * WEEK).isoformat() for n in range(100) for _ in range(1 + (n < 50))]
    found = cut(a_batch(make_record(log=ALWAYS), *(((at,), 0.5) for at in times)), {}, b"")
    assert [piece.rows for piece in found.pieces] == [2] * 50


@pytest.mark.parametrize(
    "at", [None, "", "9999-12-31T23:00:00Z", "0001-01-20", "2013-09-30", "2014-10-20"]
)
def test_rows_that_no_label_could_be_told_of_are_left_out(at):
    found = cut(a_batch(make_record(log=ALWAYS), ((at,), 0.5)), {}, b"")
    assert (found.pieces, found.rows, found.erased) == ((), 0, 0)


def test_columns_have_the_batchs_types_and_the_row_filters_values():
    columns = {
        "carrier": Column(type="category"),
        "number": Column(type="integer"),
        "night": Column(type="boolean"),
        "at": Column(type="time"),
    }
    record = make_record(
        log=ALWAYS, columns=columns, key=("carrier", "number", "night"), bound={"carrier": "UA"}
    )
    (found,) = rows_of(a_batch(record, ((None, "7", True, ROW["at"]), 0.75)))
    expected = pd.DataFrame(
        {
            "carrier": pd.Series(["UA"], dtype="str"),
            "number": [7.0],
            "night": [1.0],
            "event_time": pd.to_datetime([ROW["at"]]).as_unit("us"),
            "probability": [0.75],
            "decision": [True],
            "answered_at": pd.to_datetime([START]).as_unit("us"),
        }
    )
    pd.testing.assert_frame_equal(found, from_parquet(to_parquet(expected)))


def test_values_and_their_intervals_are_logged():
    interval = Interval(level=0.8, low=-2.0, high=3.0, rows=50)
    record = make_record(log=ALWAYS, task="regression", threshold=None, interval=interval)
    (found,) = rows_of(a_batch(record, ((ROW["at"],), 10.0)))
    assert found[["probability", "low", "high"]].iloc[0].tolist() == [10.0, 8.0, 13.0]
    assert not found["decision"].any()


def test_probabilities_of_classes_are_logged():
    record = make_record(log=ALWAYS, task="multiclass", classes=("a", "b"), threshold=0.6)
    (found,) = rows_of(a_batch(record, ((ROW["at"],), [0.2, 0.8]), ((ROW["at"],), [0.5, 0.5])))
    assert found["probability"].tolist() == [0.8, 0.5]
    assert found["decision"].isna().tolist() == [False, True]
    assert found["probabilities"].tolist() == [{"a": 0.2, "b": 0.8}, {"a": 0.5, "b": 0.5}]


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


# --- erasure --------------------------------------------------------------------------------------


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
