"""The versions that a bucket keeps: how they are listed, and how they are removed for good."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import urllib3
from minio import Minio
from minio.datatypes import Object
from minio.deleteobjects import DeleteObject
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from urllib3.exceptions import HTTPError

from tenantry.errors import StoreError
from tenantry.store.s3_client import BucketAddress
from tenantry.store.s3_errors import RefusalError
from tenantry.store.s3_transport import NoAnswerError

_AT_ONCE = 1000
_BUSY = ("InternalError", "OperationAborted", "ServiceUnavailable", "SlowDown")
_REMEDY = (
    "let AWS_ACCESS_KEY_ID delete versions (s3:DeleteObjectVersion), and see whether an object lock"
    " or a legal hold keeps it"
)


class Versions:
    """The versions of a bucket, by minio-py's client: it asks for them as nothing else does.

    Args:
        address: Where the bucket is, and who asks.
        read_timeout: Seconds of silence after which a request has failed.
    """

    def __init__(self, address: BucketAddress, read_timeout: float) -> None:
        self._address = address
        self._client = make_client(address, make_pool(read_timeout, address.ca_file))

    def find(self, place: str, *, keep_latest: bool) -> list[Object]:
        """Return every version and delete marker of an object or a folder.

        Args:
            place: An object's name, or a folder's, which ends in ``/``.
            keep_latest: Leave out the versions that are read.

        Raises:
            RefusalError: The server refused.
            NoAnswerError: No proper answer came.
            ParseError: It was cut short.
        """
        with _failures_of_requests():
            found = list(
                self._client.list_objects(
                    self._address.bucket, prefix=place, recursive=True, include_version=True
                )
            )
        return [
            version
            for version in found
            if (place.endswith("/") or version.object_name == place)
            and not (keep_latest and _is_latest(version) and not version.is_delete_marker)
        ]

    def remove(self, versions: Sequence[Object]) -> None:
        """Remove versions for good; those that are gone already are no fault.

        The newest go last: while they are there, no older one can be read again.

        Args:
            versions: What to remove.

        Raises:
            StoreError: The store refused to remove one.
            RefusalError: It is busy, or refused the request.
            NoAnswerError: No proper answer came.
            ParseError: It was cut short.
        """
        older = [one for one in versions if not _is_latest(one)]
        newest = [one for one in versions if _is_latest(one)]
        with _failures_of_requests():
            for batch in (*_batches(older), *_batches(newest)):
                self._remove(batch)

    def _remove(self, batch: Sequence[Object]) -> None:
        # without versioning, "null" is the one version that there is
        doomed = [DeleteObject(str(one.object_name), one.version_id or "null") for one in batch]
        for error in self._client.remove_objects(self._address.bucket, doomed):
            if error.code in _BUSY:
                raise ServerError(error.code, 503)  # as a whole answer of that kind does
            msg = f"{self._address.url}: {error.name} cannot be removed ({error.code}); {_REMEDY}"
            raise StoreError(msg)


@contextmanager
def _failures_of_requests() -> Iterator[None]:
    """Raise for what the client raises what `tenantry.store.s3_requests` would."""
    try:
        yield
    except S3Error as error:
        raise RefusalError(error.code or "", error.response.status) from error
    except ServerError as error:
        raise RefusalError("", error.status_code) from error
    except InvalidResponseError as error:
        raise RefusalError("", error._code) from error
    except (MinioException, HTTPError) as error:
        raise NoAnswerError(type(error).__name__) from error


def _batches(versions: Sequence[Object]) -> Iterator[Sequence[Object]]:
    for first in range(0, len(versions), _AT_ONCE):
        yield versions[first : first + _AT_ONCE]


def _is_latest(version: Object) -> bool:
    return str(version.is_latest).lower() == "true"


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
        maxsize=1,
        retries=urllib3.Retry(False, redirect=False),
        cert_reqs="CERT_REQUIRED",
        ca_certs=ca_file or None,
    )
