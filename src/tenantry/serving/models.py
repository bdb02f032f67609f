"""What is answered below ``/v1/models/`` and ``/v2/models/``: who is let in, and how it ended."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from tenantry.serving.accesslog import AccessLog
from tenantry.serving.answering import Answering, Coming, Visit
from tenantry.serving.bodies import (
    CLOSE,
    Answer,
    GoneError,
    Patience,
    Receive,
    Request,
    Scope,
    Send,
    read_body,
    send_answer,
)
from tenantry.serving.calls import read_call
from tenantry.serving.challenging import Shadow
from tenantry.serving.figures import Figures
from tenantry.serving.limits import Limits
from tenantry.serving.pool import Pool
from tenantry.serving.prediction_log import PredictionLog
from tenantry.serving.refusals import (
    FAILED,
    NO_MODEL,
    NO_TOKEN,
    NOT_READY,
    SERVER_FULL,
    RefusedError,
    body_of,
)
from tenantry.serving.tenants import Tenant
from tenantry.serving.tokens import Tokens

LOG = logging.getLogger(__name__)

_CHALLENGE = ((b"www-authenticate", b"Bearer"),)
_GONE = 499


@dataclass(frozen=True)
class Desk:
    """What answering needs.

    Attributes:
        pool: The tenants.
        limits: What they may ask for.
        tokens: Who may ask; None where anybody may.
        figures: What is counted.
        log: The access log.
        predictions: The log of predictions.
        shadow: What scores challengers beside champions.
        knows: Says whether the tenants are known yet.
        is_stopping: Says whether the server is about to stop: clients are to go elsewhere.
        patience: How long bodies are waited for.
    """

    pool: Pool
    limits: Limits
    tokens: Tokens | None
    figures: Figures
    log: AccessLog
    predictions: PredictionLog
    shadow: Shadow
    knows: Callable[[], bool]
    is_stopping: Callable[[], bool]
    patience: Patience


class Models:
    """The models' part of the server."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._answering = Answering(
            desk.pool, desk.limits, desk.figures, desk.predictions, desk.shadow
        )

    def answer(self, request: Request, body: bytes) -> Answer | Coming[Answer]:
        """Answer a request whose body is there; at once, unless something has to be waited for."""
        visit = Visit(perf_counter())
        try:
            tenant = self._admit(visit, request)
            told = self._answering.answer(visit, tenant, request, body)
        except Exception as error:
            self._leave(visit)
            return self._end(visit, error)
        if not isinstance(told, bytes):
            return self._wait(visit, told)
        self._leave(visit)
        return self._end(visit, told)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application; who may not ask is refused before the body is read."""
        visit = Visit(perf_counter())
        request = Request(scope["method"], scope["path"], scope["headers"])
        answer = await self._wait(visit, self._read_and_answer(visit, request, receive))
        if answer.status != _GONE:
            await send_answer(send, answer)

    async def _read_and_answer(self, visit: Visit, request: Request, receive: Receive) -> bytes:
        tenant = self._admit(visit, request)
        body, desk = b"", self._desk
        if request.method == "POST":
            most = desk.limits.body
            body = await read_body(request.headers, receive, most=most, patience=desk.patience)
        told = self._answering.answer(visit, tenant, request, body)
        return told if isinstance(told, bytes) else await told

    async def _wait(self, visit: Visit, coming: Coming[bytes]) -> Answer:
        try:
            return self._end(visit, await coming)
        except Exception as error:  # no name may keep it, else it keeps the body with it
            return self._end(visit, error)
        finally:
            self._leave(visit)

    def _admit(self, visit: Visit, request: Request) -> Tenant:
        """Let a request in, or say why not.

        Raises:
            RefusedError: It may not ask, there is no such model, or no room for it.
        """
        desk = self._desk
        visit.call = call = read_call(request.path, request.method)
        if desk.tokens is not None and not desk.tokens.may(request.headers, call.model):
            raise NO_TOKEN()
        tenant = desk.pool.tenants.get(call.model)
        if tenant is None:
            raise NO_MODEL() if desk.knows() else NOT_READY()
        if desk.figures.active >= desk.limits.queue:
            raise SERVER_FULL()
        tenant.allowance.enter(desk.limits, visit.start)
        tenant.requests += 1
        desk.figures.active += 1
        visit.tenant = tenant
        return tenant

    def _leave(self, visit: Visit) -> None:
        """Give back the place of a request, where it had been let in."""
        if visit.tenant is not None:
            visit.tenant.allowance.leave()
            self._desk.figures.active -= 1

    def _end(self, visit: Visit, told: bytes | Exception) -> Answer:
        """Make an answer of a body, or of what went wrong; count it, and put it into the log."""
        answer, reason = _ended(visit, told)
        desk, call = self._desk, visit.call
        seconds = perf_counter() - visit.start
        desk.figures.answered(call.name, answer.status, seconds)
        if reason:
            desk.figures.refusals[reason] += 1
        desk.log.tell(
            call.model,
            call.name,
            status=answer.status,
            reason=reason,
            version=visit.version,
            rows=visit.rows,
            seconds=seconds,
        )
        if desk.is_stopping():
            return answer._replace(headers=(*answer.headers, CLOSE))
        return answer


def _ended(visit: Visit, told: bytes | Exception) -> tuple[Answer, str]:
    """Return the answer, and the reason where it is a refusal."""
    if isinstance(told, bytes):
        return Answer(200, told), ""
    if isinstance(told, GoneError):
        return Answer(_GONE, b""), "gone"
    if not isinstance(told, RefusedError):
        LOG.error("%s %s: failed", visit.call.name, visit.call.model, exc_info=told)
        told = FAILED()
    return refuse(told), told.reason


def refuse(refused: RefusedError) -> Answer:
    """Return a refusal as an answer, with the headers that go with it."""
    body = body_of(refused)
    if refused.wait is not None:
        seconds = b"%d" % max(1, math.ceil(refused.wait))
        return Answer(refused.status, body, ((b"retry-after", seconds),))
    return Answer(refused.status, body, _CHALLENGE if refused.status == NO_TOKEN.status else ())
