"""What is answered below ``/v1/models/`` and ``/v2/models/``."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import orjson

from tenantry.errors import FieldsError
from tenantry.packed.columns import Row
from tenantry.serving.accesslog import AccessLog
from tenantry.serving.answers import make_outputs, make_rows
from tenantry.serving.bodies import (
    GoneError,
    Headers,
    Patience,
    Receive,
    Scope,
    Send,
    json_length,
    read_body,
    send_json,
)
from tenantry.serving.calls import Call, read_call
from tenantry.serving.describe import describe
from tenantry.serving.explaining import check_explainable, explain_row
from tenantry.serving.figures import Figures
from tenantry.serving.limits import Limits, Queue
from tenantry.serving.loading import Loaded
from tenantry.serving.pool import Pool, Tenant
from tenantry.serving.protocol import Asked, Fields, read_v1, read_v2, write_v1, write_v2
from tenantry.serving.refusals import (
    FAILED,
    NO_MODEL,
    NO_TOKEN,
    NOT_READY,
    SLOW_MODEL,
    RefusedError,
    bad_request,
    body_of,
)
from tenantry.serving.tokens import Tokens

LOG = logging.getLogger(__name__)

_TURN = 32
"""Rows after which others get their turn."""

_CHALLENGE: Headers = ((b"www-authenticate", b"Bearer"),)
_LAST: Headers = ((b"connection", b"close"),)


@dataclass(frozen=True)
class Desk:
    """What answering needs.

    Attributes:
        pool: The tenants.
        limits: What they may ask for.
        tokens: Who may ask; None where anybody may.
        figures: What is counted.
        log: The access log.
        knows: Says whether the tenants are known yet.
        is_stopping: Says whether the server is about to stop: clients are to go elsewhere.
        patience: How long bodies are waited for.
    """

    pool: Pool
    limits: Limits
    tokens: Tokens | None
    figures: Figures
    log: AccessLog
    knows: Callable[[], bool]
    is_stopping: Callable[[], bool]
    patience: Patience


class Models:
    """The models' part of the server, an ASGI application."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._queue = Queue(desk.limits.queue)
        self._slow = ThreadPoolExecutor(1, thread_name_prefix="scikit-learn")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever it is."""
        start = perf_counter()
        seen = _Seen()
        status, reason = 200, ""
        more: Headers = ()
        try:
            body = await self._answer(scope, receive, seen)
        except RefusedError as refused:
            status, reason = refused.status, refused.reason
            body, more = _refusal(refused)
        except GoneError:
            status, reason, body = 499, "gone", b""
        except Exception:
            LOG.exception("%s %s: failed", seen.call, seen.model)
            status, reason = FAILED.status, FAILED.reason
            body, more = _refusal(FAILED())
        seconds = perf_counter() - start
        figures = self._desk.figures
        figures.answered(seen.call, status, seconds)
        if reason:
            figures.refusals[reason] += 1
        self._desk.log.tell(
            seen.model,
            seen.call,
            status=status,
            reason=reason,
            version=seen.version,
            rows=seen.rows,
            seconds=seconds,
        )
        if reason != "gone":
            if self._desk.is_stopping():
                more += _LAST
            await send_json(send, status, body, more)

    async def _answer(self, scope: Scope, receive: Receive, seen: _Seen) -> bytes:
        desk = self._desk
        call = read_call(scope["path"], scope["method"])
        seen.call, seen.model = call.name, call.model
        if desk.tokens is not None and not desk.tokens.may(scope, call.model):
            raise NO_TOKEN()
        tenant = desk.pool.tenants.get(call.model)
        if tenant is None:
            raise NO_MODEL() if desk.knows() else NOT_READY()
        queue, allowance = self._queue, tenant.allowance
        queue.enter()
        desk.figures.active = queue.active
        try:
            allowance.enter(desk.limits, perf_counter())
            try:
                return await self._serve(call, tenant, scope, receive, seen)
            finally:
                allowance.leave()
        finally:
            queue.leave()
            desk.figures.active = queue.active

    async def _serve(
        self, call: Call, tenant: Tenant, scope: Scope, receive: Receive, seen: _Seen
    ) -> bytes:
        desk = self._desk
        tenant.requests += 1
        body = b""
        if scope["method"] == "POST":
            body = await read_body(scope, receive, most=desk.limits.body, patience=desk.patience)
        loaded = desk.pool.at_hand(tenant)
        if loaded is None:
            desk.figures.cold += 1
            loaded = await desk.pool.fetch(tenant)
        seen.version = version = loaded.entry.version
        if call.version and call.version != version:
            raise NO_MODEL()
        match call.verb:
            case "infer":
                asked = read_v2(body, desk.limits.rows, json_length(scope))
                told = await self._predict(tenant, loaded, asked.rows, seen)
                return _in_v2(call, loaded, asked, told)
            case "predict":
                asked = read_v1(body, desk.limits.rows)
                told = await self._predict(tenant, loaded, asked.rows, seen)
                rows = make_rows(make_outputs(loaded.record, told))
                return write_v1("predictions", rows, _about(call, loaded))
            case "explain":
                asked = read_v1(body, desk.limits.rows)
                explained = await self._explain(tenant, loaded, asked.rows, seen)
                return write_v1("explanations", explained, _about(call, loaded))
            case "about":
                return orjson.dumps(describe(call.model, loaded))
            case _:
                return orjson.dumps({"name": call.model, "ready": True})

    async def _explain(
        self, tenant: Tenant, loaded: Loaded, rows: Sequence[Fields], seen: _Seen
    ) -> list[dict[str, Any]]:
        """Predict rows, each with its reasons."""
        check_explainable(loaded)
        told = await self._predict(tenant, loaded, rows, seen)
        explained = make_rows(make_outputs(loaded.record, told))
        at = datetime.now(UTC)
        for row, answer in zip(rows, explained, strict=True):
            answer["reasons"] = explain_row(loaded, *_features(loaded, row, at))
            await asyncio.sleep(0)
        return explained

    async def _predict(
        self, tenant: Tenant, loaded: Loaded, rows: Sequence[Fields], seen: _Seen
    ) -> list[Any]:
        """Predict rows at one moment; others get their turn in between."""
        count = seen.rows = len(rows)
        tenant.allowance.charge(self._desk.limits, count)
        at = datetime.now(UTC)
        self._desk.figures.rows += count
        if loaded.engine != "packed":
            return await self._predict_slowly(loaded, rows, at)
        told = []
        for place, row in enumerate(rows, 1):
            told.append(_predict_row(loaded, row, at))
            if place % _TURN == 0:
                await asyncio.sleep(0)
        return told

    async def _predict_slowly(
        self, loaded: Loaded, rows: Sequence[Fields], at: datetime
    ) -> list[Any]:
        """Predict by scikit-learn, on the one thread that all such models share."""

        def work() -> list[Any]:
            return [_predict_row(loaded, row, at) for row in rows]

        future = asyncio.get_running_loop().run_in_executor(self._slow, work)
        try:
            return await asyncio.wait_for(future, self._desk.limits.timeout)
        except TimeoutError:
            raise SLOW_MODEL() from None


class _Seen:
    """What is known of a request so far, for log and figures."""

    __slots__ = ("call", "model", "rows", "version")

    def __init__(self) -> None:
        self.call, self.model, self.version, self.rows = "other", "", "", 0


def _predict_row(loaded: Loaded, row: Fields, at: datetime) -> Any:  # noqa: ANN401 - `Told`
    own, pooled = _features(loaded, row, at)
    told = loaded.scorer.predict_row(own, pooled)
    if type(told) is float and not math.isfinite(told):
        raise bad_request("a field is too large for the model")
    return told


def _features(loaded: Loaded, row: Fields, at: datetime) -> tuple[Row, Row]:
    try:
        return loaded.features(row, at)
    except FieldsError as error:
        raise bad_request(str(error)) from None


def _in_v2(call: Call, loaded: Loaded, asked: Asked, told: list[Any]) -> bytes:
    outputs = make_outputs(loaded.record, told)
    if asked.outputs:
        outputs = [one for one in outputs if one.name in asked.outputs]
        if len(outputs) != len(asked.outputs):
            raise bad_request("an output that is asked for is none of the model's")
    return write_v2(call.model, loaded.entry.version, asked, outputs, loaded.about)


def _about(call: Call, loaded: Loaded) -> Mapping[str, str]:
    return {"model_name": call.model, "model_version": loaded.entry.version, **loaded.about}


def _refusal(refused: RefusedError) -> tuple[bytes, Headers]:
    """Return the body of a refusal, and the headers that go with it."""
    body = body_of(refused)
    if refused.wait is not None:
        return body, ((b"retry-after", b"%d" % max(1, math.ceil(refused.wait))),)
    return body, _CHALLENGE if refused.status == NO_TOKEN.status else ()
