"""Requests about single objects: built once, hashed once and signed by minio's signer.

The client does much more for each of them (it looks for redirects, traces, copies headers), which
takes as much CPU time as sending it; and it has no public method that sends conditions.
"""

from collections.abc import Mapping
from typing import cast
from urllib.parse import SplitResult

from minio.credentials.credentials import Credentials
from minio.error import InvalidResponseError, S3Error
from minio.helpers import BaseURL, DictType, quote
from minio.signer import sign_v4_s3
from minio.time import to_amz_date, utcnow
from urllib3 import BaseHTTPResponse, PoolManager

from tenantry.store.s3_client import NO_RETRIES, BucketAddress

_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""SHA-256 of an empty body."""


class ObjectRequests:
    """Sends requests about the objects of a bucket; repeats nothing.

    Args:
        address: Where the bucket is, and who asks.
        pool: Sends.
    """

    def __init__(self, address: BucketAddress, pool: PoolManager) -> None:
        scheme = "https" if address.secure else "http"
        self._region = address.region
        self._credentials = Credentials(
            address.access_key, address.secret_key, address.session_token or None
        )
        self._url = BaseURL(f"{scheme}://{address.endpoint}", address.region).build(
            method="GET", region=address.region, bucket_name=address.bucket, object_name="/"
        )
        self._root = self._url.path.rstrip("/")
        self._pool = pool.connection_from_host(self._url.hostname, self._url.port, scheme)

    def send(
        self,
        method: str,
        name: str,
        content: bytes | None = None,
        *,
        sha256: str = _NOTHING,
        headers: Mapping[str, str] | None = None,
    ) -> BaseHTTPResponse:
        """Send a request and read the whole answer.

        Args:
            method: ``GET``, ``HEAD``, ``PUT`` or ``DELETE``.
            name: The object's.
            content: What is written.
            sha256: Of the content.
            headers: More of them; all are signed.

        Raises:
            MinioException: The server refused.
            HTTPError: No proper answer came.
            ParseError: It was cut short.
        """
        url = self._url._replace(path=f"{self._root}/{quote(name)}")
        answer = self._pool.urlopen(
            method,
            url.path,
            body=content,
            headers=self._sign(method, url, sha256, headers or {}),
            retries=NO_RETRIES,
            redirect=False,
            decode_content=False,
        )
        if answer.status not in (200, 204, 206):
            raise _fault(method, answer)
        return answer

    def _sign(
        self, method: str, url: SplitResult, sha256: str, more: Mapping[str, str]
    ) -> Mapping[str, str]:
        now = utcnow()
        headers: DictType = {
            "Host": url.netloc,
            "User-Agent": "tenantry",
            "x-amz-content-sha256": sha256,
            "x-amz-date": to_amz_date(now),
            **more,
        }
        if self._credentials.session_token:
            headers["X-Amz-Security-Token"] = self._credentials.session_token
        sign_v4_s3(  # it adds the signature to the headers
            method=method,
            url=url,
            region=self._region,
            headers=headers,
            credentials=self._credentials,
            content_sha256=sha256,
            date=now,
        )
        return cast("Mapping[str, str]", headers)


def _fault(method: str, answer: BaseHTTPResponse) -> Exception:
    """Return what the client would raise of an answer that refuses."""
    if method == "HEAD":  # its answer has no body
        return S3Error(answer, None, None, None, None, None)
    kind = answer.headers.get("content-type")
    if answer.data and "application/xml" in (kind or ""):
        return S3Error.fromxml(answer)
    return InvalidResponseError(answer.status, kind, None)
