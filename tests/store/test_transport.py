"""What a bucket's requests do when servers, networks, threads and forks do their worst."""

import os
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from tenantry.errors import PreconditionError, StoreError, StoreUnavailableError
from tenantry.store.minio import MinioStore
from tenantry.store.s3_client import BucketAddress
from tenantry.store.s3_errors import translate
from tenantry.store.s3_transport import NoAnswerError, Signer, Transport

SIGNER = Signer("s3", "us-east-1", "k3y", "s3cr3t", "t0k3n")
OK = b'HTTP/1.1 200 OK\r\nETag: "x"\r\nContent-Length: 2\r\n\r\nok'
LOST = b"<Error><Code>PreconditionFailed</Code></Error>"


def said(status, body=b"", *headers):
    lines = (f"HTTP/1.1 {status} So", f"Content-Length: {len(body)}", *headers, "", "")
    return "\r\n".join(lines).encode() + body


class Server:
    """Answers each request with what `reply` returns of it; closes the connection on b""."""

    def __init__(self):
        self.reply = lambda head, body: OK
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


@pytest.fixture
def server():
    made = Server()
    yield made
    made.close()


@pytest.fixture
def transport():
    return Transport(SIGNER, read_timeout=60)


@pytest.fixture
def store(server):
    address = BucketAddress(server.endpoint, "bucket", "k3y", "s3cr3t", secure=False)
    return MinioStore(address, waits=())


def get(transport, server, *headers):
    return transport.send("GET", f"http://{server.endpoint}/a", headers)


class Applying:
    """Keeps what is written; answers its second request by closing the kept connection."""

    def __init__(self, *, theirs=None):
        self.kept, self.requests = theirs, 0

    def __call__(self, head, body):
        self.requests += 1
        if head.startswith("GET"):
            return said(200, self.kept or b"ok", 'ETag: "of-kept"')
        if self.kept is not None:
            return said(412, LOST, "Content-Type: application/xml")
        self.kept = body
        return b"" if self.requests == 2 else said(200, b"", 'ETag: "of-kept"')


@pytest.mark.parametrize("condition", ["if-none-match", "if-match"])
def test_a_write_that_was_sent_twice_over_a_kept_connection_is_won(server, store, condition):
    server.reply = Applying()
    store.get("a")  # from now on there is a connection to keep
    if condition == "if-match":
        assert store.put_if_match("a", b"mine", "old") == "of-kept"
    else:
        assert store.put_if_absent("a", b"mine") == "of-kept"
    assert [head.split()[0] for head in server.heads] == ["GET", "PUT", "PUT", "GET"]


def test_a_write_that_was_sent_twice_is_lost_to_another_content(server, store):
    applying = server.reply = Applying()
    store.get("a")

    def overtaken(head, body):
        answer = applying(head, body)
        applying.kept = b"theirs"
        return answer

    server.reply = overtaken
    with pytest.raises(PreconditionError):
        store.put_if_absent("a", b"mine")


def test_the_same_content_over_a_living_connection_is_anothers(server, store):
    server.reply = Applying(theirs=b"mine")
    store.get("a")
    with pytest.raises(PreconditionError):
        store.put_if_absent("a", b"mine")
    assert [head.split()[0] for head in server.heads] == ["GET", "PUT"]


CUT = {
    "nothing": (b"", "GOT_NOTHING"),
    "a cut head": (b"HTTP/1.1 200 OK\r\nContent-Le", "the answer ends within its headers"),
    "a cut body": (said(200, b"ok")[:-1], "PARTIAL_FILE"),
    "no HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "UNSUPPORTED_PROTOCOL"),
    "a bad status": (b"HTTP/1.1 x\r\n\r\n", "UNSUPPORTED_PROTOCOL"),
    "a bad chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n", "RECV_ERROR"),
    "a bad length": (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "FTP_WEIRD_SERVER_REPLY"),
}


def told(error):
    """Return what it means for a store."""
    return translate(error, "s3+http://host/bucket/a")


@pytest.mark.parametrize(("answer", "name"), CUT.values(), ids=CUT)
def test_what_is_no_proper_answer_is_transient(server, transport, answer, name):
    def reply(head, body):
        return answer

    server.reply = reply
    server.closes = True
    with pytest.raises(NoAnswerError, match=name) as caught:
        get(transport, server)
    fault = told(caught.value)
    assert isinstance(fault, StoreUnavailableError)
    assert str(fault) == f"s3+http://host/bucket/a: no proper answer ({name})"


URLS = {
    "COULDNT_CONNECT": "http://127.0.0.1:1/a",
    "COULDNT_RESOLVE_HOST": "http://host.invalid/a",
}


@pytest.mark.parametrize(("name", "url"), URLS.items())
def test_no_connection_is_transient(transport, name, url):
    with pytest.raises(NoAnswerError, match=name) as caught:
        transport.send("GET", url, ())
    assert told(caught.value).transient


def test_an_authority_that_is_not_there_is_transient(server):
    transport = Transport(SIGNER, read_timeout=60, ca_file="/no/such.pem")
    with pytest.raises(NoAnswerError, match="SSL_CACERT_BADFILE") as caught:
        transport.send("GET", f"https://{server.endpoint}/a", ())
    assert told(caught.value).transient


def test_silence_is_transient(server):
    server.reply = lambda head, body: threading.Event().wait(5) or OK
    with pytest.raises(NoAnswerError, match="OPERATION_TIMEDOUT") as caught:
        get(Transport(SIGNER, read_timeout=0.3), server)
    assert told(caught.value).transient


def test_a_redirect_is_not_followed(server, store):
    server.reply = lambda head, body: said(307, b"", f"Location: http://{server.endpoint}/b")
    with pytest.raises(StoreError, match="refused the request") as caught:
        store.get("a")
    assert not caught.value.transient
    assert len(server.heads) == 1


def test_proxies_of_the_environment_are_not_used(server, transport, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert get(transport, server).data == b"ok"


def test_content_is_taken_as_it_comes(server, transport):
    server.reply = lambda head, body: said(200, b"\x1f\x8b", "Content-Encoding: gzip")
    assert get(transport, server).data == b"\x1f\x8b"
    assert "Accept-Encoding: identity" in server.heads[0]


def test_large_content_is_sent_at_once(server, transport):
    answer = transport.send("PUT", f"http://{server.endpoint}/a", (), b"x" * 3_000_000)
    assert answer.status == 200
    assert "expect" not in server.heads[0].lower()


def test_headers_of_interim_answers_are_left_out(server, transport):
    hints = b'HTTP/1.1 103 Early Hints\r\nETag: "early"\r\nLink: a\r\n\r\n'
    server.reply = lambda head, body: hints + OK
    answer = get(transport, server)
    assert answer.headers == {"etag": '"x"', "content-length": "2"}
    assert (answer.status, answer.data) == (200, b"ok")


def test_all_headers_are_signed_and_none_has_two_lines(server, transport):
    get(transport, server, "If-Match: a", "x-amz-meta-b: c")
    signed = "host;if-match;x-amz-content-sha256;x-amz-date;x-amz-meta-b;x-amz-security-token"
    assert f"SignedHeaders={signed}," in server.heads[0]
    with pytest.raises(ValueError, match="more than one line"):
        get(transport, server, "If-Match: a\r\nX-Other: b")


def test_no_secret_is_shown(server, transport, capfd):
    get(transport, server)
    server.reply = lambda head, body: b""
    with pytest.raises(NoAnswerError) as caught:
        get(Transport(SIGNER, read_timeout=60), server)
    shown = f"{SIGNER!r}{transport!r}{vars(caught.value)}{caught.value!r}{capfd.readouterr()}"
    assert not [secret for secret in ("k3y", "s3cr3t", "t0k3n") if secret in shown]
    assert "s3cr3t" not in "".join(server.heads)


def test_threads_share_a_transport(server, transport):
    server.reply = lambda head, body: said(200, head.split()[1].encode() * 1000)

    def ask(number):
        return transport.send("GET", f"http://{server.endpoint}/{number}", ()).data

    with ThreadPoolExecutor(8) as pool:
        for number, data in enumerate(pool.map(ask, range(200))):
            assert data == f"/{number}".encode() * 1000


def test_a_signal_is_seen_while_a_server_is_silent(server, transport):
    arrived = threading.Event()

    def reply(head, body):
        os.kill(os.getpid(), signal.SIGINT)
        arrived.wait(5)
        return OK

    server.reply = reply
    with pytest.raises(KeyboardInterrupt):
        get(transport, server)
    arrived.set()
    server.reply = lambda head, body: OK
    assert get(transport, server).data == b"ok"


def test_a_fork_leaves_its_parents_connection_alone(server, transport):
    get(transport, server)
    if not (child := os.fork()):
        code = 1
        try:
            get(transport, server)
            get(transport, server)
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    server.reply = lambda head, body: said(200, b"mine")
    get(transport, server)
    assert server.connections == 2
