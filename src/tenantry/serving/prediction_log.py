"""The log of predictions: answers that are kept in the store, for the monitor to judge.

Answering only adds to lists in memory, which are bounded; a thread of its own writes them, some
minutes at a time. What a store that is down cannot take is kept for the next time, as far as there
is room. A process that is killed loses what it had not written.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from random import random

from tenantry.serving.answers import Told
from tenantry.serving.figures import Figures
from tenantry.serving.loading import Loaded
from tenantry.serving.log_batch import Answer, Batch, names_of
from tenantry.serving.log_writer import LogWriter, Written
from tenantry.serving.protocol import Fields

LOG = logging.getLogger(__name__)

MOST_ROWS = 50_000
"""Rows that wait to be written, at most; those that come then are not logged, and are counted."""

_PAUSE = 1.0
"""Seconds between two writings at least, however much waits."""

_LAST_SECONDS = 10.0
"""How long the end waits for the last writing."""


class PredictionLog:
    """What is to be written; all but the writing happens on the event loop's thread."""

    def __init__(
        self,
        writer: LogWriter,
        figures: Figures,
        *,
        most: int = MOST_ROWS,
        draw: Callable[[], float] = random,
    ) -> None:
        """Make a log.

        Args:
            writer: What writes.
            figures: What is counted.
            most: Rows that may wait.
            draw: Returns a number in [0, 1), by which requests are chosen.
        """
        self._writer = writer
        self._figures = figures
        self._most = most
        self._draw = draw
        self._batches: dict[int, Batch] = {}
        self._left: list[Batch] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="prediction log")
        self._is_filling = asyncio.Event()

    def tell(
        self, loaded: Loaded, rows: Sequence[Fields], told: Sequence[Told], at: datetime
    ) -> None:
        """Keep the rows of a request, if it is among those that are logged."""
        rules = loaded.record.log
        if rules is not None and self._draw() < rules.share:
            self.keep(loaded, rows, told, at)

    def keep(
        self, loaded: Loaded, rows: Sequence[Fields], told: Sequence[Told], at: datetime
    ) -> None:
        """Keep the rows of a request, those that there is room for."""
        figures = self._figures
        room = max(self._most - figures.log_waiting, 0)
        if len(rows) > room:
            figures.logged["full"] += len(rows) - room
        batch = self._batch(loaded)
        names = names_of(loaded.record)
        for row, one in zip(rows[:room], told[:room], strict=True):
            batch.answers.append(Answer(tuple([row.get(name) for name in names]), one, at))
        figures.log_waiting += min(len(rows), room)
        if figures.log_waiting * 2 > self._most:
            self._is_filling.set()

    async def run(self, seconds: float) -> None:
        """Write again and again: every so many seconds, or earlier where much waits."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_filling.wait(), seconds)
            await self.write()
            await asyncio.sleep(_PAUSE)

    async def write(self) -> None:
        """Write what waits; what the store could not take now waits on."""
        self._is_filling.clear()
        batches = [*self._left, *self._batches.values()]
        self._left, self._batches = [], {}
        loop = asyncio.get_running_loop()
        try:
            written = await loop.run_in_executor(self._thread, self._writer.write, batches)
        except Exception:
            LOG.exception("the prediction log was not written")
            lost = sum(len(batch.answers) for batch in batches)
            written = Written(Counter(failed=lost))
        self._figures.logged += written.counts
        self._figures.log_waiting -= written.counts.total()
        self._left = written.left

    async def close(self) -> None:
        """Write what waits, if the store answers in time; then no more."""
        try:
            await asyncio.wait_for(self.write(), _LAST_SECONDS)
        except TimeoutError:
            self._writer.end()  # the interpreter waits for the thread at its end
            LOG.warning("the last rows of the prediction log were not written in time")
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _batch(self, loaded: Loaded) -> Batch:
        entry = loaded.entry
        key = id(entry)  # the batch holds the entry, so that its identity stays its own
        batch = self._batches.get(key)
        if batch is None:
            batch = self._batches[key] = Batch(entry, loaded.record, loaded.role)
        return batch
