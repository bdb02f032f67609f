"""What a bucket's requests do when servers, networks, threads and forks do their worst."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tenantry.errors import PreconditionError, StoreError, StoreUnavailableError
from tenantry.store.minio import MinioStore
from tenantry.store.s3_client import BucketAddress
from tenantry.store.s3_errors import translate
from tenantry.store.s3_transport import NoAnswerError, Signer, Transport
from tests.servers.scripted import OK, said

SIGNER = Signer("s3", "us-east-1", "k3y", "s3cr3t", "t0k3n")
LOST = b"<Error><Code>PreconditionFailed</Code></Error>"


@pytest.fixture
def transport():
    return Transport(SIGNER, read_timeout=60)


@pytest.fixture
def store(scripted_server):
    address = BucketAddress(scripted_server.endpoint, "bucket", "k3y", "s3cr3t", secure=False)
    return MinioStore(address, waits=())


def get(transport, scripted_server, *headers):
    return transport.send("GET", f"http://{scripted_server.endpoint}/a", headers)


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
def test_a_write_that_was_sent_twice_over_a_kept_connection_is_won(
    scripted_server, store, condition
):
    scripted_server.reply = Applying()
    store.get("a")  # from now on there is a connection to keep
    if condition == "if-match":
        assert store.put_if_match("a", b"mine", "old") == "of-kept"
    else:
        assert store.put_if_absent("a", b"mine") == "of-kept"
    assert [head.split()[0] for head in scripted_server.heads] == ["GET", "PUT", "PUT", "GET"]


def test_a_write_that_was_sent_twice_is_lost_to_another_content(scripted_server, store):
    applying = scripted_server.reply = Applying()
    store.get("a")

    def overtaken(head, body):
        answer = applying(head, body)
        applying.kept = b"theirs"
        return answer

    scripted_server.reply = overtaken
    with pytest.raises(PreconditionError):
        store.put_if_absent("a", b"mine")


def test_the_same_content_over_a_living_connection_is_anothers(scripted_server, store):
    scripted_server.reply = Applying(theirs=b"mine")
    store.get("a")
    with pytest.raises(PreconditionError):
        store.put_if_absent("a", b"mine")
    assert [head.split()[0] for head in scripted_server.heads] == ["GET", "PUT"]


CUT = {
    "nothing": (b"", "GOT_NOTHING"),
    "a cut head": (b"HTTP/1.1 200 OK\r\nContent-Le", "the answer ends within its headers"),
    "a cut body": (said(200, b"ok")[:-1], "PARTIAL_FILE"),
    "no HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "UNSUPPORTED_PROTOCOL"),
    "a bad status": (b"HTTP/1.1 x\r\n\r\n", "UNSUPPORTED_PROTOCOL"),
    "a bad chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n", "RECV_ERROR"),
    "a bad length": (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "WEIRD_SERVER_REPLY"),
}


def told(error):
    """Return what it means for a store."""
    return translate(error, "s3+http://host/bucket/a")


@pytest.mark.parametrize(("answer", "name"), CUT.values(), ids=CUT)
def test_what_is_no_proper_answer_is_transient(scripted_server, transport, answer, name):
    def reply(head, body):
        return answer

    scripted_server.reply = reply
    scripted_server.closes = True
    with pytest.raises(NoAnswerError, match=name) as caught:
        get(transport, scripted_server)
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


def test_an_authority_that_is_not_there_is_transient(scripted_server):
    transport = Transport(SIGNER, read_timeout=60, ca_file="/no/such.pem")
    with pytest.raises(NoAnswerError, match="SSL_CACERT_BADFILE") as caught:
        transport.send("GET", f"https://{scripted_server.endpoint}/a", ())
    assert told(caught.value).transient


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (MinioStore.find, said(200, b"", 'ETag: "x"', "Last-Modified: yesterday")),
        (MinioStore.find, said(200, b"", 'ETag: "x"', "Last-Modified: 31 Dec 9999 23:59 -0100")),
        (MinioStore.find, said(200)),
        (MinioStore.get, said(500, b"<Error>\xff</Error>", "Content-Type: application/xml")),
    ],
    ids=["no time", "no time of ours", "no tag", "no text"],
)
def test_an_answer_that_makes_no_sense_is_a_failure_of_the_store(
    scripted_server, store, ask, answer
):
    scripted_server.reply = lambda head, body: answer
    with pytest.raises(StoreUnavailableError):
        ask(store, "a")


def test_silence_is_transient(scripted_server):
    scripted_server.reply = lambda head, body: threading.Event().wait(5) or OK
    with pytest.raises(NoAnswerError, match="OPERATION_TIMEDOUT") as caught:
        get(Transport(SIGNER, read_timeout=0.3), scripted_server)
    assert told(caught.value).transient


GREEDY = """
import resource, sys
from tenantry.store.s3_transport import Signer, Transport
transport = Transport(Signer("s3", "us-east-1", "k3y", "s3cr3t", "t0k3n"), read_timeout=60)
transport.send("GET", sys.argv[1], ())
resource.setrlimit(resource.RLIMIT_DATA, (1 << 20, 1 << 20))  # it holds more already
try:
    transport.send("GET", sys.argv[1], ())
except MemoryError:
    sys.exit(0)
sys.exit("there was memory")
"""


def test_what_a_worker_has_no_memory_for_is_no_fault_of_the_store(scripted_server):
    replies = iter([OK, said(200, bytes(64 << 20))])
    scripted_server.reply = lambda head, body: next(replies)
    url = f"http://{scripted_server.endpoint}/a"
    done = subprocess.run([sys.executable, "-c", GREEDY, url], stderr=subprocess.PIPE, check=False)
    assert done.returncode == 0, done.stderr


def test_a_redirect_is_not_followed(scripted_server, store):
    scripted_server.reply = lambda head, body: said(
        307, b"", f"Location: http://{scripted_server.endpoint}/b"
    )
    with pytest.raises(StoreError, match="refused the request") as caught:
        store.get("a")
    assert not caught.value.transient
    assert len(scripted_server.heads) == 1


def test_proxies_of_the_environment_are_not_used(scripted_server, transport, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert get(transport, scripted_server).data == b"ok"


def test_content_is_taken_as_it_comes(scripted_server, transport):
    scripted_server.reply = lambda head, body: said(200, b"\x1f\x8b", "Content-Encoding: gzip")
    assert get(transport, scripted_server).data == b"\x1f\x8b"
    assert "Accept-Encoding: identity" in scripted_server.heads[0]


def test_large_content_is_sent_at_once(scripted_server, transport):
    answer = transport.send("PUT", f"http://{scripted_server.endpoint}/a", (), b"x" * 3_000_000)
    assert answer.status == 200
    assert "expect" not in scripted_server.heads[0].lower()


def test_neither_what_came_nor_what_went_is_kept(scripted_server, transport):
    content = bytes(3000)
    held = sys.getrefcount(content)
    data = transport.send("PUT", f"http://{scripted_server.endpoint}/a", (), content).data
    assert sys.getrefcount(content) == held
    assert sys.getrefcount(data) == held


def test_headers_of_interim_answers_are_left_out(scripted_server, transport):
    hints = b'HTTP/1.1 103 Early Hints\r\nETag: "early"\r\nLink: a\r\n\r\n'
    scripted_server.reply = lambda head, body: hints + OK
    answer = get(transport, scripted_server)
    assert answer.headers == {"etag": '"x"', "content-length": "2"}
    assert (answer.status, answer.data) == (200, b"ok")


def test_all_headers_are_signed_and_none_has_two_lines(scripted_server, transport):
    get(transport, scripted_server, "If-Match: a", "x-amz-meta-b: c")
    signed = "host;if-match;x-amz-content-sha256;x-amz-date;x-amz-meta-b;x-amz-security-token"
    assert f"SignedHeaders={signed}," in scripted_server.heads[0]
    with pytest.raises(ValueError, match="more than one line"):
        get(transport, scripted_server, "If-Match: a\r\nX-Other: b")


def test_no_secret_is_shown(scripted_server, transport, capfd):
    get(transport, scripted_server)
    scripted_server.reply = lambda head, body: b""
    with pytest.raises(NoAnswerError) as caught:
        get(Transport(SIGNER, read_timeout=60), scripted_server)
    shown = f"{SIGNER!r}{transport!r}{vars(caught.value)}{caught.value!r}{capfd.readouterr()}"
    assert not [secret for secret in ("k3y", "s3cr3t", "t0k3n") if secret in shown]
    assert "s3cr3t" not in "".join(scripted_server.heads)


def test_threads_share_a_transport(scripted_server, transport):
    scripted_server.reply = lambda head, body: said(200, head.split()[1].encode() * 1000)

    def ask(number):
        return transport.send("GET", f"http://{scripted_server.endpoint}/{number}", ()).data

    with ThreadPoolExecutor(8) as pool:
        for number, data in enumerate(pool.map(ask, range(200))):
            assert data == f"/{number}".encode() * 1000


@pytest.fixture
def interruptible():
    """Interrupts are seen, even where a shell in the background has them ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_a_signal_is_seen_while_a_server_is_silent(scripted_server, transport):
    arrived = threading.Event()

    def reply(head, body):
        os.kill(os.getpid(), signal.SIGINT)
        arrived.wait(5)
        return OK

    scripted_server.reply = reply
    with pytest.raises(KeyboardInterrupt):
        get(transport, scripted_server)
    arrived.set()
    scripted_server.reply = lambda head, body: OK
    assert get(transport, scripted_server).data == b"ok"


def test_a_fork_leaves_its_parents_connection_alone(scripted_server, transport):
    get(transport, scripted_server)
    if not (child := os.fork()):
        code = 1
        try:
            get(transport, scripted_server)
            get(transport, scripted_server)
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    scripted_server.reply = lambda head, body: said(200, b"mine")
    get(transport, scripted_server)
    assert scripted_server.connections == 2
