"""Connections: small requests for models are answered where they are read, others by ASGI.

A one-row request takes microseconds to answer; a task, an event and messages for it would cost more
than that. So where a request for a model has come in whole, and its answer is at hand, the
connection asks `Models.answer` and writes what it returns. Everything else goes uvicorn's way: what
is not for a model, has a large or slow body, or has to wait for a model.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from tenantry.serving.answering import Coming
from tenantry.serving.app import Serving
from tenantry.serving.bodies import (
    CLOSE,
    JSON,
    Answer,
    Receive,
    Request,
    Scope,
    Send,
    find_header,
    send_answer,
)
from tenantry.serving.calls import V1, V2
from tenantry.serving.models import refuse
from tenantry.serving.refusals import SERVER_FULL

App = Callable[[Scope, Receive, Send], Awaitable[None]]

HEAD_SECONDS = 10.0
"""How long the head of a request may take, and a new connection until its first."""

KEEP_SECONDS = 75
"""How long a connection without requests is kept."""

_SMALL = 1 << 16
"""Bytes of a body up to which a request is answered where it is read."""

_MODELS = (V1.encode(), V2.encode())
_HEALTH = b"/v2/health/"


class Connection(HttpToolsProtocol):
    """One connection.

    Args:
        serving: What answers.
        most: Connections held at a time; of further ones only probes are answered.
        named: As uvicorn has it.
    """

    def __init__(self, serving: Serving, most: int, **named: Any) -> None:  # noqa: ANN401
        super().__init__(**named)
        self._serving = serving
        self._most = most
        self._small = min(_SMALL, serving.options.limits.body)
        self._is_extra = False
        self._until = math.inf
        self._body: bytes | None = None
        self._has_answered = False

    def look_after(self) -> None:
        """End the connection if what it owes is late; to be called about once a second.

        A body that is still on its way is left to ASGI, which waits for it no longer than it may
        take.
        """
        if self._body is not None:
            self._leave_to(self._serving)
        elif self.loop.time() > self._until and not self.transport.is_closing():
            self.transport.close()

    # --- what asyncio and the parser call ---------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection, and wait for its first head."""
        super().connection_made(transport)
        self._is_extra = len(self.connections) > self._most
        self._until = self.loop.time() + HEAD_SECONDS

    def connection_lost(self, exc: Exception | None) -> None:
        """Let what was under way end as gone."""
        if self._body is not None:
            self._leave_to(self._serving)
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """End once the request that is under way is answered."""
        if self._body is not None:
            self._leave_to(self._serving)
        super().shutdown()

    def data_received(self, data: bytes) -> None:
        """Read; of several requests at once the first alone is answered here, others wait."""
        self._has_answered = False
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Wait for a head."""
        self.url, self.headers, self.expect_100_continue = b"", [], False
        self._until = self.loop.time() + HEAD_SECONDS

    def on_headers_complete(self) -> None:
        """Decide who answers."""
        self._until = math.inf
        if self._is_extra:
            self._leave_to(self._serving if self.url.startswith(_HEALTH) else _answer_full)
            self.cycle.keep_alive = False
        elif self._is_small():
            self._body = b""
        else:
            self._leave_to(self._serving)

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body."""
        if self._body is None:
            super().on_body(body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        """Answer, if nobody else does."""
        if self._body is None:
            super().on_message_complete()
            return
        request = Request("POST", self.url.decode("ascii"), self.headers)
        answer = self._serving.models.answer(request, self._body)
        if isinstance(answer, Answer):
            self._body = None
            self._write(answer)
        else:
            self._leave_to(_later(answer))
            super().on_message_complete()

    # --- how it is answered -----------------------------------------------------------------------

    def _is_small(self) -> bool:
        """Whether a request is for a model, and its body is small and all that comes next."""
        url, parser = self.url, self.parser
        if (
            self._has_answered
            or not url.startswith(_MODELS)
            or b"%" in url
            or b"?" in url
            or not url.isascii()
        ):
            return False
        length = find_header(self.headers, b"content-length")
        if length is None or int(length) > self._small:
            return False
        return (
            parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.expect_100_continue
            and not self.flow.write_paused
            and (self.cycle is None or self.cycle.response_complete)
        )

    def _leave_to(self, app: App) -> None:
        """Let an ASGI application answer the request that is being read."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)
        self.app = app
        super().on_headers_complete()
        self.app = self._serving
        body, self._body = self._body, None
        if body:
            super().on_body(body)

    def _write(self, answer: Answer) -> None:
        content = [STATUS_LINE[answer.status], b"content-length: %d\r\n" % len(answer.body)]
        for name, value in (JSON, *self.server_state.default_headers, *answer.headers):
            content += name, b": ", value, b"\r\n"
        content += b"\r\n", answer.body
        self.transport.write(b"".join(content))
        if CLOSE in answer.headers:
            self.transport.close()
        self._until = self.loop.time() + KEEP_SECONDS
        self._has_answered = True


def _later(coming: Coming[Answer]) -> App:
    """Return what sends an answer when it has come."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - as ASGI
        await send_answer(send, await coming)

    return app


async def _answer_full(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - as ASGI
    await send_answer(send, refuse(SERVER_FULL()))
