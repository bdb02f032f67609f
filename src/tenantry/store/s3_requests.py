"""Requests about a bucket and its objects, as minio-py cannot make them.

They carry conditions, for which it has no public method; and it does much more for each of them (it
looks for redirects, traces, copies headers), which takes several times the CPU time of sending it.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode, urlsplit

from tenantry.store.s3_client import BucketAddress
from tenantry.store.s3_errors import RefusalError
from tenantry.store.s3_transport import Answer, Signer, Transport

_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""SHA-256 of an empty body."""

_CLOUDS = (".amazonaws.com", ".amazonaws.com.cn", ".aliyuncs.com")
"""Which have a host for each bucket."""


class ObjectRequests:
    """Sends requests about the objects of a bucket; repeats nothing.

    Args:
        address: Where the bucket is, and who asks.
        read_timeout: Seconds of silence after which a request has failed.
    """

    def __init__(self, address: BucketAddress, *, read_timeout: float) -> None:
        self._root = bucket_url(address)
        signer = Signer(
            "s3", address.region, address.access_key, address.secret_key, address.session_token
        )
        self._transport = Transport(signer, read_timeout=read_timeout, ca_file=address.ca_file)

    def send(
        self,
        method: str,
        name: str,
        content: bytes | None = None,
        *,
        sha256: str = _NOTHING,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request about an object and read the whole answer.

        Args:
            method: ``GET``, ``HEAD``, ``PUT`` or ``DELETE``.
            name: The object's.
            content: What is written.
            sha256: Of the content.
            headers: More of them; all are signed.

        Raises:
            RefusalError: The server refused.
            NoAnswerError: No proper answer came.
            ParseError: It was cut short.
        """
        signed = [f"x-amz-content-sha256: {sha256}"]
        signed += [f"{header}: {value}" for header, value in (headers or {}).items()]
        return self._send(method, f"{self._root}/{quote(name)}", signed, content)

    def ask(self, query: Mapping[str, str]) -> Answer:
        """Ask about the bucket and read the whole answer.

        Args:
            query: What is asked.

        Raises:
            RefusalError: The server refused.
            NoAnswerError: No proper answer came.
            ParseError: It was cut short.
        """
        url = f"{self._root}?{urlencode(query, quote_via=quote)}"
        return self._send("GET", url, [f"x-amz-content-sha256: {_NOTHING}"])

    def _send(
        self, method: str, url: str, headers: Sequence[str], content: bytes | None = None
    ) -> Answer:
        answer = self._transport.send(method, url, headers, content)
        if answer.status not in (200, 204, 206):
            raise RefusalError.from_answer(answer)
        return answer


def bucket_url(address: BucketAddress) -> str:
    """Return where a bucket is asked: at a path of its server, or a cloud's host of its own."""
    server = f"{'https' if address.secure else 'http'}://{address.endpoint}"
    if not (urlsplit(server).hostname or "").endswith(_CLOUDS):
        return f"{server}/{address.bucket}"
    from minio.helpers import BaseURL  # which knows how they name hosts; it takes .2 CPU-seconds

    url = BaseURL(server, address.region).build(
        method="GET", region=address.region, bucket_name=address.bucket
    )
    return str(url.geturl()).rstrip("/")
