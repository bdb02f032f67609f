"""An HTTP server that answers what a test says, byte for byte."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

OK = b'HTTP/1.1 200 OK\r\nETag: "x"\r\nContent-Length: 2\r\n\r\nok'


def said(status: int, body: bytes = b"", *headers: str) -> bytes:
    """Return an answer."""
    lines = (f"HTTP/1.1 {status} So", f"Content-Length: {len(body)}", *headers, "", "")
    return "\r\n".join(lines).encode() + body


class ScriptedServer:
    """Answers each request with what `reply` returns of it; closes the connection on b"".

    Attributes:
        reply: Head and body of a request → the answer.
        closes: Whether to close the connection after each answer.
        connections: How many there have been.
        heads: Of all requests so far.
        endpoint: Host and port.
    """

    def __init__(self):
        self.reply: Callable[[str, bytes], bytes] = lambda head, body: OK
        self.closes = False
        self.connections = 0
        self.heads: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with suppress(OSError), connection, connection.makefile("rb") as stream:
            while line := stream.readline():
                lines = [line]
                while (line := stream.readline()).strip():
                    lines.append(line)
                head = b"".join(lines).decode("latin-1")
                length = head.lower().partition("content-length: ")[2].partition("\r")[0]
                body = stream.read(int(length or 0))
                self.heads.append(head)
                if not (answer := self.reply(head, body)):
                    return
                connection.sendall(answer)
                if self.closes:
                    return
