"""Requests and answers; bodies are read from ASGI up to a size and within a time."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping, Sequence
from time import monotonic
from typing import Any, NamedTuple

from tenantry.serving.refusals import TOO_LARGE, TOO_SLOW, bad_request

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Headers = Sequence[tuple[bytes, bytes]]
Send = Callable[[Message], Awaitable[None]]

JSON = (b"content-type", b"application/json")
CLOSE = (b"connection", b"close")
_TOO_LONG = "the body did not come in time"
_DIGITS = re.compile(rb"[0-9]{1,12}")


class Request(NamedTuple):
    """A request without its body.

    Attributes:
        method: As ``POST``.
        path: Without a query.
        headers: Names in small letters, and values.
    """

    method: str
    path: str
    headers: Headers


class Answer(NamedTuple):
    """An answer in JSON.

    Attributes:
        status: The HTTP status.
        body: The body.
        headers: Those beside type and length.
    """

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


class GoneError(Exception):
    """The client is gone; nobody waits for an answer."""


class Patience:
    """How long bodies are waited for: one timer for all, as most bodies are there already."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waiting: dict[asyncio.Task[Any], float] = {}

    def end_waiting(self) -> None:
        """Give up the bodies that have been waited for long enough; to be called now and then."""
        oldest = monotonic() - self._seconds
        for task, since in list(self._waiting.items()):
            if since < oldest:
                del self._waiting[task]
                task.cancel(_TOO_LONG)

    async def wait(self, reading: Coroutine[Any, Any, bytes]) -> bytes:
        """Wait for a body.

        Raises:
            RefusedError: It did not come in time.
        """
        task = asyncio.current_task()
        if task is None:
            return await reading
        self._waiting[task] = monotonic()
        try:
            return await reading
        except asyncio.CancelledError as error:
            if error.args == (_TOO_LONG,):
                task.uncancel()
                raise TOO_SLOW() from None
            raise
        finally:
            self._waiting.pop(task, None)


async def read_body(headers: Headers, receive: Receive, *, most: int, patience: Patience) -> bytes:
    """Read a request's body.

    Args:
        headers: The request's.
        receive: As ASGI has it.
        most: Bytes that are taken.
        patience: How long it is waited for.

    Raises:
        RefusedError: It is larger, or comes more slowly.
        GoneError: The client went away.
    """
    length = find_header(headers, b"content-length")
    if length is not None and _DIGITS.fullmatch(length) and int(length) > most:
        raise TOO_LARGE()
    return await patience.wait(_read(receive, most))


async def _read(receive: Receive, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise GoneError
        part = message.get("body", b"")
        size += len(part)
        if size > most:
            raise TOO_LARGE()
        if not message.get("more_body", False):
            return part if not parts else b"".join((*parts, part))
        parts.append(part)


def find_header(headers: Headers, name: bytes) -> bytes | None:
    """Return a header's value by its name in small letters; None without one."""
    for key, value in headers:
        if key == name:
            return value
    return None


def json_length(headers: Headers) -> int | None:
    """Return the length of the JSON part, where binary tensors follow it; None where none do.

    Raises:
        RefusedError: The header says no length.
    """
    value = find_header(headers, b"inference-header-content-length")
    if value is None:
        return None
    if not _DIGITS.fullmatch(value):
        raise bad_request("Inference-Header-Content-Length is no length")
    return int(value)


async def send_answer(send: Send, answer: Answer) -> None:
    """Send an answer by ASGI."""
    length = (b"content-length", b"%d" % len(answer.body))
    headers = (JSON, length, *answer.headers)
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
