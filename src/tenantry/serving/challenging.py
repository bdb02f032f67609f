"""Trying a challenger: which requests concern it, and scoring it after the champion answered."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from tenantry.serving.answers import Told
from tenantry.serving.figures import Figures
from tenantry.serving.loading import Loaded
from tenantry.serving.prediction_log import PredictionLog
from tenantry.serving.protocol import Asked, Fields
from tenantry.serving.rows import predict_row

LOG = logging.getLogger(__name__)

MOST_ROWS = 1000
"""Rows that wait for a challenger, at most; more are not scored, and are counted."""


def is_canary(loaded: Loaded) -> bool:
    """Whether the challenger of a champion answers its share; while that is pinned it does not."""
    trial = loaded.entry.trial
    return trial is not None and trial.mode == "canary" and not loaded.entry.pinned


def is_drawn(loaded: Loaded, asked: Asked) -> bool:
    """Whether a request is of the challenger's share: by a hash of the key of its first row.

    One key always goes the same way; where the row lacks its key, one request's id does, and
    without either the request is none of the challenger's.
    """
    trial, record = loaded.entry.trial, loaded.record
    if trial is None:
        return False
    row = asked.rows[0]
    named = [row.get(name) for name in record.key if name not in record.bound]
    text = asked.id if None in named else "\x1f".join(map(str, named))
    if not text:
        return False
    whole = f"{record.product}.{record.tenant}\x1f{text}".encode(errors="replace")
    return int.from_bytes(blake2b(whole, digest_size=8).digest()) < trial.share * 2**64


class _Waiting(NamedTuple):
    """Rows that the champion has answered."""

    challenger: Loaded
    rows: Sequence[Fields]
    at: datetime


class Shadow:
    """Scores challengers by what champions were asked, and logs what they would have said.

    It does so on the event loop, a row at a time, others first; by scikit-learn on a thread of its
    own. Nothing that happens here reaches a client.
    """

    def __init__(
        self, predictions: PredictionLog, figures: Figures, *, most: int = MOST_ROWS
    ) -> None:
        """Make a shadow that holds so many rows at most."""
        self._predictions = predictions
        self._figures = figures
        self._most = most
        self._waiting: deque[_Waiting] = deque()
        self._rows = 0
        self._has_work, self._is_idle = asyncio.Event(), asyncio.Event()
        self._is_idle.set()
        self._slow = ThreadPoolExecutor(1, thread_name_prefix="shadow")

    def score(self, challenger: Loaded, rows: Sequence[Fields], at: datetime) -> None:
        """Have rows scored soon; those of a request for which there is no room are dropped."""
        if self._rows + len(rows) > self._most:
            self._figures.tried["dropped"] += len(rows)
            return
        self._rows += len(rows)
        self._waiting.append(_Waiting(challenger, rows, at))
        self._is_idle.clear()
        self._has_work.set()

    async def run(self) -> None:
        """Score what waits, for ever."""
        while True:
            await self._has_work.wait()
            while self._waiting:
                one = self._waiting.popleft()
                await self._score(one)
                self._rows -= len(one.rows)
            self._has_work.clear()
            self._is_idle.set()

    async def settle(self) -> None:
        """Wait until nothing waits to be scored."""
        await self._is_idle.wait()

    async def _score(self, one: _Waiting) -> None:
        try:
            told = await self._predict(one)
        except Exception as error:  # never quoted: it may hold values
            self._figures.tried["failed"] += len(one.rows)
            version = one.challenger.entry.version
            LOG.warning("the challenger %s fails: %s", version, type(error).__name__)
        else:
            self._figures.tried["scored"] += len(one.rows)
            self._predictions.keep(one.challenger, one.rows, told, one.at)

    def close(self) -> None:
        """Score nothing more."""
        self._slow.shutdown(wait=False, cancel_futures=True)

    async def _predict(self, one: _Waiting) -> list[Told]:
        challenger, rows, at = one
        if challenger.packed is None:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(
                self._slow, lambda: [predict_row(challenger, row, at) for row in rows]
            )
        told = []
        for row in rows:
            await asyncio.sleep(0)
            told.append(predict_row(challenger, row, at))
        return told
