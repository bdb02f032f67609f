"""Signs a request anew, as a gateway does that stands before a store with its own credentials."""

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from minio.credentials import Credentials
from minio.signer import sign_v4_s3

_SIGNED = ("host", "content-type", "x-amz-", "if-")


def signer(
    access_key: str, secret_key: str
) -> Callable[[str, str, dict[str, str]], dict[str, str]]:
    """Return a function from method, path and headers to headers with a signature of these keys."""

    def sign(method: str, path: str, headers: dict[str, str]) -> dict[str, str]:
        kept = {name.lower(): value for name, value in headers.items()}
        del kept["authorization"]
        signed = {name: value for name, value in kept.items() if name.startswith(_SIGNED)}
        return kept | sign_v4_s3(
            method=method,
            url=urlsplit(f"http://{kept['host']}{path}"),
            region="us-east-1",
            headers=signed,
            credentials=Credentials(access_key, secret_key),
            content_sha256=kept["x-amz-content-sha256"],
            date=datetime.strptime(kept["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC),
        )

    return sign
