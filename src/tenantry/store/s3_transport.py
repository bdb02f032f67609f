"""HTTP requests to a store, signed and sent by libcurl over connections that it keeps.

A request of a few kilobytes takes it a quarter of the CPU time that urllib3 takes.
"""

import math
import os
import ssl
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from weakref import WeakSet

import pycurl

_CONNECT_SECONDS = 5
_BUFFER_BYTES = 1 << 17  # by default megabytes come in small pieces, at twice the CPU time
_KEPT = 16
"""Connections at the most; each takes a handle of its own, which no two threads may use at once."""

_NO_MEMORY = (pycurl.E_OUT_OF_MEMORY, pycurl.E_WRITE_ERROR)
"""libcurl had none, or what it calls: nothing else can fail there."""

_NAMES = {
    getattr(pycurl, name): name.removeprefix("E_").removeprefix("FTP_")
    for name in sorted(vars(pycurl), key=len, reverse=True)  # of several, the shortest
    if name.startswith("E_") and not name.startswith(("E_MULTI_", "E_CALL_"))
}


class NoAnswerError(Exception):
    """No proper answer came: no connection, silence, or one that broke off.

    Its text is libcurl's name for what happened.
    """


@dataclass(frozen=True)
class Signer:
    """Who signs requests, and for which service; the repr tells no secret.

    Attributes:
        service: ``s3`` or ``sts``.
        region: The service's.
        access_key: Who asks.
        secret_key: Their secret.
        session_token: Comes with temporary credentials.
    """

    service: str
    region: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Answer:
    """What a server answered.

    Attributes:
        status: Of HTTP.
        headers: Name in lower case → value.
        data: The body.
        may_be_second: Whether the server may have done the request once before: libcurl sends one
            again by itself when a connection that it had kept ends without an answer.
    """

    status: int
    headers: Mapping[str, str]
    data: bytes
    may_be_second: bool = False


class Transport:
    """Sends signed requests; follows no redirect, uses no proxy, decodes no content.

    Threads may share it. A process that is forked makes its own connections.

    Args:
        signer: Who asks.
        read_timeout: Seconds of silence after which a request has failed; whole ones, at least 1.
        ca_file: PEM file of the authorities that may sign the server's certificate; empty for the
            system's.
    """

    def __init__(self, signer: Signer, *, read_timeout: float, ca_file: str = "") -> None:
        self._options = _options(signer, read_timeout, ca_file)
        self._token = signer.session_token
        self._idle: list[pycurl.Curl] = []
        _TRANSPORTS.add(self)

    def send(
        self, method: str, url: str, headers: Sequence[str], content: bytes | None = None
    ) -> Answer:
        """Send a request and read the whole answer; raise an audit event of Python before.

        Args:
            method: Of HTTP.
            url: Path and query encoded.
            headers: Each ``Name: value``; all are signed.
            content: The body of a ``PUT`` or ``POST``.

        Raises:
            NoAnswerError: No proper answer came.
            MemoryError: There was none for the answer.
            ValueError: A header is none.
        """
        sys.audit("tenantry.request", method, url)
        handle, was_used = self._take()
        head: list[bytes] = []
        body = BytesIO()
        handle.setopt(pycurl.URL, url)
        handle.setopt(pycurl.HTTPHEADER, self._headers(headers))
        handle.setopt(pycurl.NOBODY, method == "HEAD")
        if content is not None:
            handle.setopt(pycurl.POSTFIELDS, content)
        elif method != "HEAD":
            handle.setopt(pycurl.HTTPGET, True)
        handle.setopt(pycurl.CUSTOMREQUEST, method)
        handle.setopt(pycurl.HEADERFUNCTION, head.append)
        handle.setopt(pycurl.WRITEFUNCTION, body.write)
        try:
            handle.perform()
        except pycurl.error as error:  # its words may quote the answer
            code = error.args[0]
            if code in _NO_MEMORY:
                raise MemoryError from None
            raise NoAnswerError(_NAMES.get(code, f"curl {code}")) from None
        answer = Answer(
            handle.getinfo(pycurl.RESPONSE_CODE),
            _parse_headers(head),
            body.getvalue(),
            was_used and handle.getinfo(pycurl.NUM_CONNECTS) > 0,
        )
        body.close()  # or the handle would hold what came and what went
        if content is not None:
            handle.setopt(pycurl.POSTFIELDS, b"")
        self._keep(handle)
        return answer

    def _headers(self, headers: Sequence[str]) -> list[str]:
        more = [f"X-Amz-Security-Token: {self._token}"] if self._token else []
        sent = [*headers, *more, "Expect:"]  # no waiting for a "100 Continue"
        if any("\n" in header or "\r" in header for header in sent):
            msg = "a header of more than one line"
            raise ValueError(msg)
        return sent

    def _take(self) -> tuple[pycurl.Curl, bool]:
        """Return a handle that nobody uses, and whether it has been used before."""
        try:
            return self._idle.pop(), True
        except IndexError:
            handle = pycurl.Curl()
            for option, value in self._options.items():
                handle.setopt(option, value)
            return handle, False

    def _keep(self, handle: pycurl.Curl) -> None:
        if len(self._idle) < _KEPT:
            self._idle.append(handle)

    def leave_to_parent(self) -> None:
        """Use no connection again that a parent has made; nor close one, which says good-bye."""
        _INHERITED.extend(self._idle)
        self._idle.clear()


_TRANSPORTS: WeakSet[Transport] = WeakSet()
_INHERITED: list[pycurl.Curl] = []


def _leave_all_to_parent() -> None:
    for transport in _TRANSPORTS:
        transport.leave_to_parent()


os.register_at_fork(after_in_child=_leave_all_to_parent)


def _options(signer: Signer, read_timeout: float, ca_file: str) -> dict[int, object]:
    """Return what is the same of all requests."""
    authorities = ssl.get_default_verify_paths()  # of SSL_CERT_FILE, SSL_CERT_DIR
    return {
        pycurl.AWS_SIGV4: f"aws:amz:{signer.region}:{signer.service}",
        pycurl.USERNAME: signer.access_key,
        pycurl.PASSWORD: signer.secret_key,
        pycurl.CAINFO: ca_file or authorities.cafile,
        pycurl.CAPATH: None if ca_file else authorities.capath,
        pycurl.SSL_OPTIONS: pycurl.SSLOPT_NO_PARTIALCHAIN,
        pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
        pycurl.PROXY: "",
        pycurl.USERAGENT: "tenantry",
        pycurl.BUFFERSIZE: _BUFFER_BYTES,
        pycurl.ACCEPT_ENCODING: "identity",
        pycurl.HTTP_CONTENT_DECODING: False,
        pycurl.CONNECTTIMEOUT: _CONNECT_SECONDS,
        pycurl.LOW_SPEED_LIMIT: 1,
        pycurl.LOW_SPEED_TIME: max(1, math.ceil(read_timeout)),
        pycurl.DNS_CACHE_TIMEOUT: 0,
        pycurl.MAXCONNECTS: 1,
        pycurl.NOSIGNAL: True,
        pycurl.NOPROGRESS: False,
        pycurl.XFERINFOFUNCTION: _go_on,
    }


def _go_on(*_: int) -> None:
    """Let Python see its signals while libcurl waits: it calls this every second."""


def _parse_headers(lines: Sequence[bytes]) -> dict[str, str]:
    """Return the headers of an answer, without those of interim ones before it, and trailers.

    Raises:
        NoAnswerError: They were cut short.
    """
    headers: dict[str, str] = {}
    is_complete = False
    for line in lines:
        if line.startswith(b"HTTP/"):
            headers, is_complete = {}, False
        elif line in (b"\r\n", b"\n"):
            is_complete = True
        elif not is_complete:
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
    if not is_complete:
        msg = "the answer ends within its headers"
        raise NoAnswerError(msg)
    return headers
