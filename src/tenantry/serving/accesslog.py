"""The access log: one line of JSON a request, written some at a time."""

import time
from typing import BinaryIO

import orjson

_MOST_LINES = 2000
"""Lines that are kept back; those of a burst are written at once."""


class AccessLog:
    """Writes what was asked, by which tenant's client, and how that ended; never rows or tokens.

    Lines are kept until `flush`, which the server calls several times a second and at its end.
    """

    def __init__(self, stream: BinaryIO | None) -> None:
        """Write to a stream; to none, where it is off."""
        self._stream = stream
        self._lines: list[bytes] = []

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
        if len(self._lines) >= _MOST_LINES:
            self.flush()

    def flush(self) -> None:
        """Write the lines; one who cannot write them loses them, and goes on."""
        if self._stream is None or not self._lines:
            return
        lines, self._lines = self._lines, []
        try:
            self._stream.write(b"".join(lines))
            self._stream.flush()
        except (OSError, ValueError):
            self._stream = None
