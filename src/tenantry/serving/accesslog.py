"""The access log: one line of JSON a request, written some at a time."""

import logging
import time
from collections import deque
from typing import BinaryIO

import orjson

LOG = logging.getLogger(__name__)

_MOST_LINES = 20_000
"""Lines that are kept back; the oldest of more are lost, as where nobody reads what is written."""


class AccessLog:
    """Writes what was asked, by which tenant's client, and how that ended; never rows or tokens.

    Lines are kept until `flush`, which the server calls several times a second, on another thread
    since it may have to wait for who reads them, and at its end.
    """

    def __init__(self, stream: BinaryIO | None) -> None:
        """Write to a stream; to none, where it is off."""
        self._stream = stream
        self._lines: deque[bytes] = deque(maxlen=_MOST_LINES)

    def tell(  # noqa: PLR0913 - the fields of a line
        self,
        model: str,
        call: str,
        *,
        status: int,
        reason: str,
        version: str,
        rows: int,
        seconds: float,
    ) -> None:
        """Keep a line."""
        if self._stream is None:
            return
        product, _, tenant = model.partition(".")
        line = {
            "time": time.time(),
            "product": product[:63],
            "tenant": tenant[:63],
            "call": call,
            "status": status,
            "version": version,
            "rows": rows,
            "ms": round(seconds * 1000, 3),
        }
        if reason:
            line["reason"] = reason
        self._lines.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    def flush(self) -> None:
        """Write the lines; one who cannot write them loses them, and goes on."""
        if self._stream is None or not self._lines:
            return
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        try:
            self._stream.write(b"".join(lines))
            self._stream.flush()
        except (OSError, ValueError) as error:
            LOG.warning("no more access log: it cannot be written (%s)", type(error).__name__)
            self._stream = None
