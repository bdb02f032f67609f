"""Answers that were logged, the rows of one log file, and a store that may be down."""

from datetime import timedelta

import pandas as pd

from tenantry.parquet import from_parquet
from tenantry.served import read_served
from tenantry.serving.log_batch import Answer, Batch
from tenantry.serving.records import Logging
from tenantry.times import Window
from tests.unit.memory_store import MemoryStore
from tests.unit.serving.served import PRODUCT, START, FlakyStore, publish

WEEK = timedelta(days=7)
FIRST = Window(START, START + WEEK)
ALWAYS = Logging(share=1.0, start=START, window=WEEK)


def logged(store, window=FIRST, tenant="ua"):
    """The receipts of a window, and its rows."""
    receipts = [*read_served(store, PRODUCT, tenant, window, until=START)]
    frames = [from_parquet(store.get(one.file.key).content) for one in receipts]
    return receipts, pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def a_batch(record, *rows):
    """Rows that were answered: raw key and event time, and what was told."""
    store = MemoryStore()
    entry = publish(store)
    return Batch(entry, record, "champion", [Answer(named, told, START) for named, told in rows])


class DownStore(FlakyStore):
    """A store whose writes can be stopped, too."""

    def put(self, key, content):
        self._check()
        return super().put(key, content)
