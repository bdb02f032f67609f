"""From a request that was let in to the body of its answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson

from tenantry.serving.answers import make_outputs, make_rows
from tenantry.serving.bodies import Request, json_length
from tenantry.serving.calls import UNREAD, Call
from tenantry.serving.challenging import Shadow, is_canary, is_drawn
from tenantry.serving.describe import describe
from tenantry.serving.explaining import check_explainable, explain_row
from tenantry.serving.figures import Figures
from tenantry.serving.limits import Limits
from tenantry.serving.loading import Loaded
from tenantry.serving.pool import Pool
from tenantry.serving.prediction_log import PredictionLog
from tenantry.serving.protocol import Asked, Fields, read_v1, read_v2, write_v1, write_v2
from tenantry.serving.refusals import (
    SLOW_MODEL,
    bad_request,
)
from tenantry.serving.rows import features_of, predict_row
from tenantry.serving.tenants import Tenant

LOG = logging.getLogger(__name__)

_TURN = 32
"""Rows after which others get their turn."""

T = TypeVar("T")
Coming = Coroutine[Any, Any, T]
"""What has to be waited for."""


class Visit:
    """A request, and what is known of it so far, for log and figures.

    Attributes:
        start: When it came, seconds of `time.perf_counter`.
        call: What it calls.
        tenant: Whose place it has; None before it was let in.
        version: The version that answers.
        rows: How many it asks for.
    """

    __slots__ = ("call", "rows", "start", "tenant", "version")

    def __init__(self, start: float) -> None:
        self.start = start
        self.call = UNREAD
        self.tenant: Tenant | None = None
        self.version = ""
        self.rows = 0


class Answering:
    """Answers by the models of a pool: at once where it can, as packed models take microseconds."""

    def __init__(
        self,
        pool: Pool,
        limits: Limits,
        figures: Figures,
        predictions: PredictionLog,
        shadow: Shadow,
    ) -> None:
        self._pool = pool
        self._limits = limits
        self._figures = figures
        self._predictions = predictions
        self._shadow = shadow
        self._slow = ThreadPoolExecutor(1, thread_name_prefix="scikit-learn")

    def answer(
        self, visit: Visit, tenant: Tenant, request: Request, body: bytes
    ) -> bytes | Coming[bytes]:
        """Return the body of an answer, or what brings it.

        Raises:
            RefusedError: The request cannot be answered.
        """
        loaded = self._pool.at_hand(tenant)
        if loaded is None:
            return self._answer_cold(visit, tenant, request, body)
        return self._answer_by(loaded, visit, tenant, request, body)

    async def _answer_cold(
        self, visit: Visit, tenant: Tenant, request: Request, body: bytes
    ) -> bytes:
        self._figures.cold += 1
        loaded = await self._pool.fetch(tenant)
        return await _settled(self._answer_by(loaded, visit, tenant, request, body))

    async def _answer_older(
        self, loaded: Loaded, visit: Visit, tenant: Tenant, request: Request, body: bytes
    ) -> bytes:
        """Answer by a version that does not reign, and that the request names."""
        visit.version, other = "", loaded.challenger
        if other is None or other.entry.version != visit.call.version:
            older = await self._pool.find_older(tenant, visit.call.version)
            other = self._pool.at_hand(older) or await self._pool.fetch(older)
        return await _settled(self._answer_by(other, visit, tenant, request, body))

    def _answer_by(
        self, loaded: Loaded, visit: Visit, tenant: Tenant, request: Request, body: bytes
    ) -> bytes | Coming[bytes]:
        call = visit.call
        visit.version = version = loaded.entry.version
        if call.version and call.version != version:
            return self._answer_older(loaded, visit, tenant, request, body)
        if call.verb == "about":
            return orjson.dumps(describe(call.model, loaded))
        if call.verb in ("ready", "status"):
            return orjson.dumps({"name": call.model, "ready": True})
        most = self._limits.rows
        if call.verb == "infer":
            asked = read_v2(body, most, json_length(request.headers))
        else:
            asked = read_v1(body, most)
        if call.verb == "explain":
            check_explainable(loaded)
        visit.rows = count = len(asked.rows)
        tenant.allowance.charge(self._limits, count)
        self._figures.rows += count
        at = datetime.now(UTC)
        challenger = loaded.challenger
        if challenger is not None and not call.version and _answers(loaded, asked):
            return self._try(loaded, challenger, visit, asked, at)
        return self._predict_by(loaded, call, asked, at)

    def _try(
        self, loaded: Loaded, challenger: Loaded, visit: Visit, asked: Asked, at: datetime
    ) -> bytes | Coming[bytes]:
        """Let the challenger answer; the champion where something is wrong with the challenger.

        Raises:
            RefusedError: The request is wrong.
        """
        visit.version = challenger.entry.version
        try:
            if visit.call.verb == "explain":
                check_explainable(challenger)
            told = self._predict_by(challenger, visit.call, asked, at)
        except Exception as error:
            told = self._fall_back(loaded, visit, asked, at)
            if isinstance(told, bytes):
                self._blame(challenger.entry.version, asked, error)
                return told
            return self._wait_and_blame(told, challenger.entry.version, asked, error)
        if isinstance(told, bytes):
            self._figures.tried["answered"] += len(asked.rows)
            return told
        return self._wait_or_fall_back(told, loaded, visit, asked, at)

    async def _wait_or_fall_back(
        self, coming: Coming[bytes], loaded: Loaded, visit: Visit, asked: Asked, at: datetime
    ) -> bytes:
        version = visit.version
        try:
            told = await coming
        except Exception as error:
            told = await _settled(self._fall_back(loaded, visit, asked, at))
            self._blame(version, asked, error)
        else:
            self._figures.tried["answered"] += len(asked.rows)
        return told

    async def _wait_and_blame(
        self, coming: Coming[bytes], version: str, asked: Asked, error: Exception
    ) -> bytes:
        told = await coming
        self._blame(version, asked, error)
        return told

    def _fall_back(
        self, loaded: Loaded, visit: Visit, asked: Asked, at: datetime
    ) -> bytes | Coming[bytes]:
        """Let the champion answer; what is wrong with the request, it finds, too."""
        visit.version = loaded.entry.version
        return self._predict_by(loaded, visit.call, asked, at)

    def _blame(self, version: str, asked: Asked, error: Exception) -> None:
        """Tell of rows that a challenger could not answer, and the champion could."""
        self._figures.tried["failed"] += len(asked.rows)
        LOG.warning("the challenger %s fails: %s", version, type(error).__name__)

    def _predict_by(
        self, loaded: Loaded, call: Call, asked: Asked, at: datetime
    ) -> bytes | Coming[bytes]:
        if call.verb == "explain":
            return self._explain(loaded, call, asked, at)
        if loaded.packed is None or len(asked.rows) > _TURN:
            return self._predict(loaded, call, asked, at)
        told = [predict_row(loaded, row, at) for row in asked.rows]
        return self._give(loaded, call, asked, told, at)

    def _give(
        self, loaded: Loaded, call: Call, asked: Asked, told: list[Any], at: datetime
    ) -> bytes:
        """Write predictions as the protocol has them, and log them where the spec says so."""
        body = _write(loaded, call, asked, told)
        if loaded.record.log is not None:
            self._keep(loaded, asked, told, at)
        return body

    def _keep(self, loaded: Loaded, asked: Asked, told: list[Any], at: datetime) -> None:
        """Log an answer where it is drawn, beside what the challenger would have said."""
        challenger = loaded.challenger
        if challenger is None or is_canary(loaded) or not is_drawn(loaded, asked):
            self._predictions.tell(loaded, asked.rows, told, at)
            return
        self._predictions.keep(loaded, asked.rows, told, at)
        self._shadow.score(challenger, asked.rows, at)

    async def _predict(self, loaded: Loaded, call: Call, asked: Asked, at: datetime) -> bytes:
        predict = self._in_turns if loaded.packed is not None else self._slowly
        return self._give(loaded, call, asked, await predict(loaded, asked.rows, at), at)

    async def _in_turns(self, loaded: Loaded, rows: Sequence[Fields], at: datetime) -> list[Any]:
        """Predict rows at one moment; others get their turn in between."""
        told = []
        for place, row in enumerate(rows, 1):
            told.append(predict_row(loaded, row, at))
            if place % _TURN == 0:
                await asyncio.sleep(0)
        return told

    async def _slowly(self, loaded: Loaded, rows: Sequence[Fields], at: datetime) -> list[Any]:
        """Predict by scikit-learn, on the one thread that all such models share."""

        def work() -> list[Any]:
            return [predict_row(loaded, row, at) for row in rows]

        future = asyncio.get_running_loop().run_in_executor(self._slow, work)
        try:
            return await asyncio.wait_for(future, self._limits.timeout)
        except TimeoutError:
            raise SLOW_MODEL() from None

    async def _explain(self, loaded: Loaded, call: Call, asked: Asked, at: datetime) -> bytes:
        """Predict rows, each with its reasons; what those are looked up in is built by a thread."""
        if loaded.packed is not None and not loaded.packed.is_explained:
            await self._pool.explain(call.model, loaded.packed)
        told = await self._in_turns(loaded, asked.rows, at)
        explained = make_rows(make_outputs(loaded.record, told))
        for row, answer in zip(asked.rows, explained, strict=True):
            answer["reasons"] = explain_row(loaded, *features_of(loaded, row, at))
            await asyncio.sleep(0)
        if loaded.record.log is not None:
            self._keep(loaded, asked, told, at)
        return write_v1("explanations", explained, _about(call, loaded))


async def _settled(told: bytes | Coming[bytes]) -> bytes:
    """Return a body that is there, or wait for it."""
    return told if isinstance(told, bytes) else await told


def _answers(loaded: Loaded, asked: Asked) -> bool:
    """Whether the challenger is to answer a request that names no version."""
    return is_canary(loaded) and is_drawn(loaded, asked)


def _write(loaded: Loaded, call: Call, asked: Asked, told: list[Any]) -> bytes:
    """Write predictions as the protocol of the call has them."""
    outputs = make_outputs(loaded.record, told)
    if call.verb == "predict":
        return write_v1("predictions", make_rows(outputs), _about(call, loaded))
    if asked.outputs:
        outputs = [one for one in outputs if one.name in asked.outputs]
        if len(outputs) != len(asked.outputs):
            raise bad_request("an output that is asked for is none of the model's")
    return write_v2(call.model, loaded.entry.version, asked, outputs, loaded.about)


def _about(call: Call, loaded: Loaded) -> Mapping[str, str]:
    return {"model_name": call.model, "model_version": loaded.entry.version, **loaded.about}
