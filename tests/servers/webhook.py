"""A real HTTP server that takes messages, and answers as it is told."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Webhook:
    """What was received, and what is answered.

    Attributes:
        url: Where it listens; holds a token as real ones do.
        answers: Statuses of the next answers; 200 when none is left.
        messages: What was received, parsed.
        puts: Path and content of what was put, as a pushgateway takes it.
        adds: The same of what was posted to it.
    """

    def __init__(self, port: int):
        self.url = f"http://127.0.0.1:{port}/services/T0/B0/secret-token"
        self.answers: list[int] = []
        self.messages: list[dict] = []
        self.puts: list[tuple[str, str]] = []
        self.adds: list[tuple[str, str]] = []


@contextmanager
def webhook_running() -> Iterator[Webhook]:
    """Run one on a free port of the loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if "/metrics/job/" in self.path:
                hook.adds.append((self.path, content.decode()))
            else:
                assert self.headers["Content-Type"] == "application/json"
                hook.messages.append(json.loads(content))
            self._answer()

        do_GET = do_POST  # noqa: N815 - the name that http.server calls

        def do_PUT(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            hook.puts.append((self.path, content.decode()))
            self._answer()

        def _answer(self) -> None:
            status = hook.answers.pop(0) if hook.answers else 200
            self.send_response(status)
            if status == 302:
                self.send_header("Location", hook.url)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hook = Webhook(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield hook
        finally:
            server.shutdown()
            thread.join()
