"""The process: uvicorn around the application, and an end that drops no request."""

import asyncio
import logging
import signal
import socket
import sys
from dataclasses import dataclass
from types import FrameType

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tenantry.serving.app import Serving

LOG = logging.getLogger(__name__)

_SWITCH_SECONDS = 0.001
"""How long a thread that loads may keep the event loop waiting."""


@dataclass(frozen=True)
class Listening:
    """Where a server listens, and how long it takes to stop.

    Attributes:
        host: The address.
        port: The port; any free one when 0.
        connections: Held at a time; further ones get 503.
        drain: Seconds between SIGTERM, when it says that it is not ready, and the end of taking
            requests.
        grace: Seconds that requests then have to end.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    connections: int = 1000
    drain: float = 5.0
    grace: int = 10


def run_server(serving: Serving, listening: Listening) -> None:
    """Serve until SIGTERM or SIGINT.

    At the first signal the server says that it is not ready, so that nobody sends it more, and
    goes on answering for `drain` seconds; at the second it stops at once.
    """
    sys.setswitchinterval(_SWITCH_SECONDS)
    _Server(serving, listening).run()


_HEAD_SECONDS = 10.0
"""How long the head of a request may take, and a new connection until its first."""

_LAST_SECONDS = 0.5
"""Between the end of listening and that of connections, for requests that were on their way."""


class _Connection(HttpToolsProtocol):
    """A connection that ends when a request's head does not come in time.

    Else a client that sends none could hold all connections for good.
    """

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect_head()

    def on_headers_complete(self) -> None:
        self._expect_nothing()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(_HEAD_SECONDS, self.timeout_keep_alive_handler)

    def _expect_nothing(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


class _Server(uvicorn.Server):
    def __init__(self, serving: Serving, listening: Listening) -> None:
        config = uvicorn.Config(
            serving,
            host=listening.host,
            port=listening.port,
            loop="uvloop",
            http=_Connection,
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            server_header=False,
            limit_concurrency=listening.connections,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=listening.grace,
        )
        super().__init__(config)
        self._serving = serving
        self._drain = listening.drain
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            LOG.info("answering at http://%s:%d", f"[{host}]" if ":" in host else host, port)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's
        is_first = not self._serving.is_stopping
        self._serving.stop_taking()
        if is_first and self._loop is not None and sig == signal.SIGTERM:
            self._loop.call_soon_threadsafe(self._loop.call_later, self._drain, self._stop)
        else:
            self._end()

    def _stop(self) -> None:
        """Listen no more, and answer what has come in; each answer ends its connection."""
        for server in self.servers:
            server.close()
        asyncio.get_running_loop().call_later(_LAST_SECONDS, self._end)

    def _end(self) -> None:
        self.should_exit = True
