"""Where a bucket is, and who asks."""

from dataclasses import dataclass, field


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
