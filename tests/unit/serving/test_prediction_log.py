"""Answers are logged as the batch's predictions are, by the tenant's prefix; never in the way."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pandas as pd

from tenantry import layout
from tenantry.digests import sha256
from tenantry.errors import StoreDeniedError
from tenantry.serving import prediction_log
from tenantry.serving.figures import Figures
from tenantry.serving.log_writer import LogWriter
from tenantry.serving.prediction_log import PredictionLog
from tenantry.serving.records import Logging
from tenantry.times import Window
from tests.unit.serving.logged import ALWAYS, FIRST, WEEK, DownStore, a_batch, logged
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


class DeniedStore(FlakyStore):
    """A store in which this server may not write."""

    def put(self, key, content):
        if "/served/" in key:
            raise StoreDeniedError(key)
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
