"""Where a bucket is, and the client that asks it."""

from dataclasses import dataclass, field

import urllib3
from minio import Minio

_CONNECTIONS = 16


@dataclass(frozen=True)
class BucketAddress:
    """Where a bucket is and who asks; can be pickled, and its repr tells no secret.

    Attributes:
        endpoint: Host and port.
        bucket: The bucket's name.
        access_key: Who asks.
        secret_key: Their secret.
        session_token: Comes with temporary credentials.
        prefix: The store's part of the bucket; empty, or ends in ``/``.
        secure: Whether to speak TLS.
        region: The bucket's region.
    """

    endpoint: str
    bucket: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)
    prefix: str = ""
    secure: bool = True
    region: str = "us-east-1"

    @property
    def url(self) -> str:
        """The address without credentials."""
        scheme = "s3+https" if self.secure else "s3+http"
        return f"{scheme}://{self.endpoint}/{self.bucket}/{self.prefix}".rstrip("/")


def make_client(address: BucketAddress, read_timeout: float) -> Minio:
    """Make a client that repeats nothing by itself."""
    pool = urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=5.0, read=read_timeout),
        maxsize=_CONNECTIONS,
        retries=urllib3.Retry(False, redirect=False),
    )
    return Minio(
        address.endpoint,
        access_key=address.access_key,
        secret_key=address.secret_key,
        session_token=address.session_token or None,
        secure=address.secure,
        region=address.region,
        http_client=pool,
    )
