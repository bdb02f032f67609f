"""The process: uvicorn around the application, and an end that drops no request."""

import asyncio
import logging
import signal
import socket
import sys
from dataclasses import dataclass
from functools import partial
from types import FrameType

import uvicorn

from tenantry.serving.app import Serving
from tenantry.serving.connection import KEEP_SECONDS, Connection

LOG = logging.getLogger(__name__)

_SWITCH_SECONDS = 0.001
"""How long a thread that loads may keep the event loop waiting."""


@dataclass(frozen=True)
class Listening:
    """Where a server listens, and how long it takes to stop.

    Attributes:
        host: The address.
        port: The port; any free one when 0.
        connections: Held at a time; on further ones only probes are answered, others get 503.
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


_LAST_SECONDS = 0.5
"""Between the end of listening and that of connections, for requests that were on their way."""


_TICKS = 10
"""Of uvicorn's, in a second."""


class _Server(uvicorn.Server):
    def __init__(self, serving: Serving, listening: Listening) -> None:
        config = uvicorn.Config(
            serving,
            host=listening.host,
            port=listening.port,
            loop="uvloop",
            http=partial(Connection, serving, listening.connections),  # type: ignore[arg-type]
            ws="none",
            lifespan="on",
            access_log=False,
            proxy_headers=False,
            log_config=None,
            server_header=False,
            timeout_keep_alive=KEEP_SECONDS,
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

    async def on_tick(self, counter: int) -> bool:
        if counter % _TICKS == 0:
            for connection in list(self.server_state.connections):
                if isinstance(connection, Connection):
                    connection.look_after()
        return await super().on_tick(counter)

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
