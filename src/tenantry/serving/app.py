"""The server as an ASGI application: health, metrics, the served document, and the models."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tenantry.serving.accesslog import AccessLog
from tenantry.serving.bodies import Patience, Receive, Scope, Send
from tenantry.serving.calls import V1, V2
from tenantry.serving.challenging import Shadow
from tenantry.serving.disk import Disk
from tenantry.serving.figures import Figures, to_text
from tenantry.serving.limits import Limits
from tenantry.serving.loading import Loader, PreparesFeatures
from tenantry.serving.log_writer import LogWriter
from tenantry.serving.models import Desk, Models
from tenantry.serving.openapi import make_document
from tenantry.serving.poller import Poller
from tenantry.serving.pool import Pool, Room
from tenantry.serving.prediction_log import PredictionLog
from tenantry.serving.refusals import NO_PLACE, NO_TOKEN, WRONG_METHOD, RefusedError, body_of
from tenantry.serving.shelf import Shelf
from tenantry.serving.tokens import METRICS, TokenFile
from tenantry.store.contract import ObjectStore

LOG = logging.getLogger(__name__)

_FLUSH_SECONDS = 0.2
_LAST_SECONDS = 1.0
"""How long the end waits for who reads the access log."""
_COLLECT_AFTER = 20_000
"""New objects after which Python looks for cycles: a request makes none."""


@dataclass(frozen=True)
class ServerOptions:
    """How a server behaves.

    Attributes:
        products: What it answers for; all that the store has when empty.
        cache: Folder in which it keeps what it read; None for none.
        cache_bytes: Of objects in that folder; the least recently used go.
        limits: What clients may ask for.
        room: What loaded models may take.
        tokens: The file of tokens; None where anybody may ask.
        poll_seconds: Between two readings of the change index.
        access_log: Where the access log goes; None for nowhere.
        log_seconds: Between two writings of the prediction log.
    """

    products: Sequence[str] = ()
    cache: Path | None = None
    cache_bytes: int = 2 << 30
    limits: Limits = field(default_factory=Limits)
    room: Room = field(default_factory=Room)
    tokens: Path | None = None
    poll_seconds: float = 2.0
    access_log: BinaryIO | None = None
    log_seconds: float = 900.0


class Serving:
    """One server process: what it knows, what it has loaded, and its application."""

    def __init__(
        self, store: ObjectStore, prepare: PreparesFeatures, options: ServerOptions
    ) -> None:
        """Make a server of a store; nothing is read yet, save the tokens.

        Raises:
            SettingsError: The file of tokens cannot be used.
        """
        self.options = options
        self.figures = Figures()
        self._token_file = TokenFile(options.tokens) if options.tokens else None
        self._tokens = self._token_file.load() if self._token_file else None
        shelf = Shelf(store, Disk(options.cache, options.cache_bytes))
        self.pool = Pool(
            Loader(shelf, prepare),
            limits=options.limits,
            room=options.room,
            figures=self.figures,
        )
        self._poller = Poller(shelf, self.pool, self.figures, options.products)
        self._patience = Patience(options.limits.timeout)
        self._log = AccessLog(options.access_log)
        self.predictions = PredictionLog(LogWriter(store), self.figures)
        self.shadow = Shadow(self.predictions, self.figures)
        self.is_stopping = False
        self.models = Models(self._make_desk())
        self._pages = self._make_pages()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application; what is asked most passes no router."""
        if scope["type"] == "http" and scope["path"].startswith((V1, V2)):
            await self.models(scope, receive, send)
        else:
            await self._pages(scope, receive, send)

    @property
    def is_ready(self) -> bool:
        """Whether it can answer for its tenants: it knows them, and is not about to stop.

        It does not know those of a product that was named and of which nothing is published.
        """
        return self._poller.knows and not self._poller.missing and not self.is_stopping

    def stop_taking(self) -> None:
        """Say from now on that it is not ready; it answers all the same until it ends."""
        self.is_stopping = True

    async def poll(self) -> bool:
        """Look at once for what changed in the store; say whether it answered."""
        if self._token_file is not None and self._tokens is not None:
            self._token_file.follow(self._tokens)
            self.figures.token_faults = self._token_file.faults
        return await self._poller.poll()

    def _make_desk(self) -> Desk:
        return Desk(
            pool=self.pool,
            limits=self.options.limits,
            tokens=self._tokens,
            figures=self.figures,
            log=self._log,
            predictions=self.predictions,
            shadow=self.shadow,
            knows=lambda: self._poller.knows,
            is_stopping=lambda: self.is_stopping,
            patience=self._patience,
        )

    def _make_pages(self) -> Starlette:
        document = make_document(has_tokens=self._tokens is not None)

        async def openapi(_: Request) -> Response:
            return _json(document)

        routes = [
            Route("/v2/health/live", _live),
            Route("/v2/health/ready", self._ready),
            Route("/v2", _about),
            Route("/", _alive),
            Route("/metrics", self._metrics),
            Route("/openapi.json", openapi),
        ]
        handlers = {404: _no_place, 405: _no_method}
        pages = Starlette(
            routes=routes, lifespan=lambda _: self.running(), exception_handlers=handlers
        )
        pages.router.redirect_slashes = False
        return pages

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Read the index, and follow it until the end."""
        await self._poller.start()
        gc.collect()
        gc.freeze()
        gc.set_threshold(_COLLECT_AFTER, 20, 50)
        logged = self.predictions.run(self.options.log_seconds)
        work = self._follow(), self._flush(), logged, self.shadow.run()
        tasks = [asyncio.create_task(one) for one in work]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task
            self._log.flush()
            self.shadow.close()
            await self.predictions.close()
            self._poller.close()
            self.pool.close()

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(self.options.poll_seconds)
            try:
                await self.poll()
            except Exception:
                LOG.exception("the change index was not followed")

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        writing = loop.run_in_executor(None, self._log.flush)
        try:
            while True:
                await asyncio.sleep(_FLUSH_SECONDS)
                self._patience.end_waiting()
                if writing.done():
                    writing = loop.run_in_executor(None, self._log.flush)
        finally:
            await asyncio.wait([writing], timeout=_LAST_SECONDS)

    async def _ready(self, _: Request) -> Response:
        text = b'{"ready":true}' if self.is_ready else b'{"ready":false}'
        return _json(text, 200 if self.is_ready else 503)

    async def _metrics(self, request: Request) -> Response:
        if self._tokens is not None and not self._tokens.may(request.scope["headers"], METRICS):
            return _json(body_of(NO_TOKEN()), NO_TOKEN.status, {"www-authenticate": "Bearer"})
        asked = ((tenant.name, tenant.requests) for tenant in self.pool.tenants.values())
        return Response(to_text(self.figures, asked), media_type="text/plain; version=0.0.4")


async def _live(_: Request) -> Response:
    return _json(b'{"live":true}')


async def _alive(_: Request) -> Response:
    return _json(b'{"status":"alive"}')


async def _about(_: Request) -> Response:
    return _json(b'{"name":"tenantry","version":"2","extensions":["binary_tensor_data"]}')


async def _no_place(_: Request, __: Exception) -> Response:
    return _refused(NO_PLACE())


async def _no_method(_: Request, __: Exception) -> Response:
    return _refused(WRONG_METHOD())


def _refused(refused: RefusedError) -> Response:
    return _json(body_of(refused), refused.status)


def _json(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status, headers, media_type="application/json")
