"""Where a bucket is, and the client that asks it."""

from dataclasses import dataclass, field

import urllib3
from minio import Minio

_CONNECTIONS = 16
NO_RETRIES = urllib3.Retry(False, redirect=False)
"""Neither failures nor redirects are followed up."""


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
        ca_file: PEM file of the authorities that may sign the server's certificate; empty for the
            system's.
        encryption: How the server encrypts what is written: empty for what the bucket says,
            ``s3``, or ``kms:`` and the key's id.
    """

    endpoint: str
    bucket: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)
    prefix: str = ""
    secure: bool = True
    region: str = "us-east-1"
    ca_file: str = ""
    encryption: str = ""

    @property
    def encryption_headers(self) -> dict[str, str]:
        """What a write says of how it is to be encrypted."""
        if not self.encryption:
            return {}
        kind, _, key = self.encryption.partition(":")
        header = "x-amz-server-side-encryption"
        if kind == "s3":
            return {header: "AES256"}
        return {header: "aws:kms", f"{header}-aws-kms-key-id": key}

    @property
    def url(self) -> str:
        """The address without credentials."""
        scheme = "s3+https" if self.secure else "s3+http"
        return f"{scheme}://{self.endpoint}/{self.bucket}/{self.prefix}".rstrip("/")


def make_client(address: BucketAddress, pool: urllib3.PoolManager) -> Minio:
    """Make a client that sends by a pool, and repeats nothing by itself."""
    return Minio(
        address.endpoint,
        access_key=address.access_key,
        secret_key=address.secret_key,
        session_token=address.session_token or None,
        secure=address.secure,
        region=address.region,
        http_client=pool,
    )


def make_pool(read_timeout: float, ca_file: str = "") -> urllib3.PoolManager:
    """Make connections that repeat nothing, and trust a server by its certificate alone.

    Args:
        read_timeout: Seconds of silence after which a request has failed.
        ca_file: PEM file of the authorities; empty for the system's.
    """
    return urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=5.0, read=read_timeout),
        maxsize=_CONNECTIONS,
        retries=NO_RETRIES,
        cert_reqs="CERT_REQUIRED",
        ca_certs=ca_file or None,
    )
