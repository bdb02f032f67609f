"""An HTTP proxy before a server that fails on demand: drops, delays, cuts, strips, answers."""

import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Literal, Self

_HOP = {"connection", "keep-alive", "transfer-encoding"}


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a request; several things may.

    Attributes:
        method: The requests concerned; empty for all.
        path: A regular expression found in their path and query.
        times: How many requests fail, then they pass again.
        drop: Cut the connection `before` the server hears of it, or `after` it has done it.
        delay: Seconds before the server hears of it.
        truncate: How many bytes of the answer's body come through before the cut.
        corrupt: Whether a bit in the middle of the answer's body is changed.
        status: Answer with this status, and the server never hears of it.
        body: What to answer then.
        strip_request: Headers that the server does not see, lower case.
        strip_response: Headers that the client does not see, lower case.
    """

    method: str = ""
    path: str = ""
    times: int = 1
    drop: Literal["", "before", "after"] = ""
    delay: float = 0.0
    truncate: int | None = None
    corrupt: bool = False
    status: int = 0
    body: bytes = b""
    strip_request: frozenset[str] = frozenset()
    strip_response: frozenset[str] = frozenset()

    def concerns(self, method: str, path: str) -> bool:
        """Tell whether a request is one that fails."""
        return self.method in ("", method) and re.search(self.path, path) is not None


class Weather:
    """Lets a share of all requests fail: dropped, delayed, cut short or damaged.

    Args:
        seed: Of what is random.
        share: Of all requests.
        delay: Seconds.
    """

    def __init__(self, seed: int, share: float = 0.05, *, delay: float = 0.3) -> None:
        self._random, self._share = Random(seed), share
        cuts = (Fault(truncate=0), Fault(truncate=20), Fault(truncate=1_000))
        drops = (Fault(drop="before"), Fault(drop="after"))
        damage = Fault(method="GET", path=r"^[^?]*$", corrupt=True)  # an object, no listing
        self._faults = (*drops, Fault(delay=delay), *cuts, damage)

    def __call__(self) -> Fault:
        """Say what goes wrong with the next request."""
        if self._random.random() >= self._share:
            return Fault()
        return self._random.choice(self._faults)


@dataclass
class FaultProxy:
    """A proxy that runs.

    Attributes:
        upstream: Host and port of the server.
        endpoint: Host and port of the proxy.
        seen: Method and path of every request so far.
        struck: How many of them the weather has struck.
        is_recording: Whether to keep all that clients send.
        recorded: What they sent: path, headers and body of every request.
        weather: What goes wrong with a request that no other fault concerns.
        sign: Signs a request anew from which headers were stripped, as a gateway does that has
            credentials of its own: method, path, headers → headers.
    """

    upstream: str
    endpoint: str = ""
    seen: list[tuple[str, str]] = field(default_factory=list)
    struck: int = 0
    is_recording: bool = False
    recorded: list[bytes] = field(default_factory=list)
    weather: Callable[[], Fault] = Fault
    sign: Callable[[str, str, dict[str, str]], Mapping[str, str]] | None = None
    _faults: list[list[object]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    @contextmanager
    def running(cls, upstream: str) -> Iterator[Self]:
        """Run a proxy before `upstream` (host and port) on a free port of the loopback."""
        proxy = cls(upstream)
        handler = type("Handler", (_Handler,), {"proxy": proxy})
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            server.daemon_threads = True
            proxy.endpoint = f"127.0.0.1:{server.server_address[1]}"
            thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
            thread.start()
            try:
                yield proxy
            finally:
                server.shutdown()
                thread.join()

    def fail(self, fault: Fault) -> None:
        """Let the next requests that `fault` concerns fail."""
        with self._lock:
            self._faults.append([fault, fault.times])

    def take(self, method: str, path: str) -> Fault:
        """Note a request and return what goes wrong with it."""
        with self._lock:
            self.seen.append((method, path))
            for entry in self._faults:
                fault, left = entry
                assert isinstance(fault, Fault)
                assert isinstance(left, int)
                if left and fault.concerns(method, path):
                    entry[1] = left - 1
                    return fault
            fault = self.weather()
            if fault == Fault() or not fault.concerns(method, path):
                return Fault()
            self.struck += 1
            return fault


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: FaultProxy

    def _relay(self) -> None:
        fault = self.proxy.take(self.command, self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.proxy.is_recording:
            head = f"{self.command} {self.path}\n{self.headers}".encode()
            self.proxy.recorded.append(head + body)
        if fault.drop == "before":
            return self._cut()
        if fault.status:
            return self._answer(fault)
        time.sleep(fault.delay)
        upstream = HTTPConnection(self.proxy.upstream, timeout=60)
        try:
            answer = self._forward(upstream, body, fault)
            content = answer.read()
        finally:
            upstream.close()
        if fault.drop == "after":
            return self._cut()
        return self._return(answer, content, fault)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = _relay  # noqa: N815

    def _forward(self, upstream: HTTPConnection, body: bytes, fault: Fault) -> HTTPResponse:
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self._headers(fault).items():
            upstream.putheader(name, value)
        upstream.endheaders(body)
        return upstream.getresponse()

    def _headers(self, fault: Fault) -> Mapping[str, str]:
        headers = dict(self.headers.items())
        kept = {name: headers[name] for name in headers if name.lower() not in fault.strip_request}
        if self.proxy.sign and len(kept) < len(headers):
            return self.proxy.sign(self.command, self.path, kept)
        return kept

    def _return(self, answer: HTTPResponse, content: bytes, fault: Fault) -> None:
        if fault.corrupt and content:
            middle = len(content) // 2
            content = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        headers = {name.lower(): value for name, value in answer.getheaders()}
        if self.command != "HEAD":
            headers["content-length"] = str(len(content))
        self.send_response_only(answer.status, answer.reason)
        for name, value in headers.items():
            if name not in fault.strip_response | _HOP:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content[: fault.truncate])
        if fault.truncate is not None or "content-length" in fault.strip_response:
            self.close_connection = True

    def _answer(self, fault: Fault) -> None:
        self.send_response_only(fault.status)
        self.send_header("content-length", str(len(fault.body)))
        self.send_header("content-type", "application/xml" if fault.body else "text/plain")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(fault.body)

    def _cut(self) -> None:
        """Reset the connection, so that the client cannot take it for an end."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def handle(self) -> None:
        try:
            super().handle()
        except (OSError, ValueError):
            self.close_connection = True

    def finish(self) -> None:
        try:
            super().finish()
        except (OSError, ValueError):
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""
