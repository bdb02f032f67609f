"""What a store's address may be: a folder, or a bucket of a server that speaks S3."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tenantry.errors import Fault
from tenantry.store.contract import check_key

FORMS = "write file:///folder, s3+https://host/bucket or s3+http://host:9000/bucket/prefix"

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_SECRETS = "take them out; they are read from environment variables"


@dataclass(frozen=True)
class StoreAddress:
    """An address as it is written; ask `faults` before the rest.

    Attributes:
        text: The address.
    """

    text: str

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder's."""
        return self.text.startswith("file:")

    @property
    def folder(self) -> Path:
        """The folder."""
        return Path(unquote(urlsplit(self.text).path))

    @property
    def is_secure(self) -> bool:
        """Whether the server is spoken to by TLS."""
        return self.text.startswith("s3+https:")

    @property
    def server(self) -> str:
        """Host and port; empty for a folder."""
        return urlsplit(self.text).netloc

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return urlsplit(self.text).path.strip("/").partition("/")[0]

    @property
    def prefix(self) -> str:
        """The store's part of the bucket, without ``/`` at its end; empty for all of it."""
        return urlsplit(self.text).path.strip("/").partition("/")[2]

    def holds(self, other: "StoreAddress") -> bool:
        """Say whether what lies in the other store lies in this one, too."""
        if self.server.lower() != other.server.lower():
            return False
        return f"{other._path}/".startswith(f"{self._path}/")

    @property
    def _path(self) -> str:
        return unquote(urlsplit(self.text).path).strip("/")

    def faults(self, place: str) -> list[Fault]:
        """Return all that is wrong with the address; never quotes what may be a secret."""
        try:
            url = urlsplit(self.text)
            _ = url.port
        except ValueError as error:
            return [Fault(place, f"is not an address: {error}", FORMS)]
        if url.scheme == "file":
            wrong = url.netloc or not url.path.startswith("/") or url.query or url.fragment
            remedy = "write file:///folder, three '/'"
            return [Fault(place, "is not the address of a folder", remedy)] if wrong else []
        if url.scheme in ("s3+http", "s3+https"):
            return list(self._bucket_faults(place))
        fault = f"{url.scheme!r} is no kind of store" if url.scheme else "has no scheme"
        return [Fault(place, fault, FORMS)]

    def _bucket_faults(self, place: str) -> Iterator[Fault]:
        url = urlsplit(self.text)
        if "@" in url.netloc:
            yield Fault(place, "holds credentials", _SECRETS)
        elif not url.hostname:
            yield Fault(place, "names no host", FORMS)
        if not _BUCKET.fullmatch(self.bucket):
            yield Fault(place, f"{self.bucket!r} is not the name of a bucket", FORMS)
        if url.query or url.fragment:
            yield Fault(place, "has a query or a fragment", FORMS)
        try:
            if self.prefix and len(check_key(self.prefix)) > 100:
                yield Fault(place, "has a prefix of over 100 characters")
        except ValueError as error:
            yield Fault(place, f"has a prefix that no key can have: {error}")
