"""The versions that a bucket keeps: how they are listed, and how they are removed for good."""

from collections.abc import Iterator, Sequence

from minio import Minio
from minio.datatypes import Object
from minio.deleteobjects import DeleteObject
from minio.error import ServerError

from tenantry.errors import StoreError

_AT_ONCE = 1000
_BUSY = ("InternalError", "OperationAborted", "ServiceUnavailable", "SlowDown")
_REMEDY = (
    "let AWS_ACCESS_KEY_ID delete versions (s3:DeleteObjectVersion), and see whether an object lock"
    " or a legal hold keeps it"
)


def list_versions(client: Minio, bucket: str, place: str, *, keep_latest: bool) -> list[Object]:
    """Return every version and delete marker of an object or a folder.

    Args:
        client: The client.
        bucket: The bucket.
        place: An object's name, or a folder's, which ends in ``/``.
        keep_latest: Leave out the versions that are read.
    """
    found = client.list_objects(bucket, prefix=place, recursive=True, include_version=True)
    return [
        version
        for version in found
        if (place.endswith("/") or version.object_name == place)
        and not (keep_latest and _is_latest(version) and not version.is_delete_marker)
    ]


def remove_versions(client: Minio, bucket: str, versions: Sequence[Object], url: str) -> None:
    """Remove versions for good; those that are gone already are no fault.

    The newest go last: while they are there, no older one can be read again.

    Args:
        client: The client.
        bucket: The bucket.
        versions: What to remove.
        url: The store's address, for the error.

    Raises:
        StoreError: The store refused to remove one.
        ServerError: It is busy.
    """
    older = [one for one in versions if not _is_latest(one)]
    for batch in (*_batches(older), *_batches([one for one in versions if _is_latest(one)])):
        # without versioning, "null" is the one version that there is
        doomed = [DeleteObject(str(one.object_name), one.version_id or "null") for one in batch]
        for error in client.remove_objects(bucket, doomed):
            if error.code in _BUSY:
                raise ServerError(error.code, 503)  # as a whole answer of that kind does
            msg = f"{url}: {error.name} cannot be removed ({error.code}); {_REMEDY}"
            raise StoreError(msg)


def _batches(versions: Sequence[Object]) -> Iterator[Sequence[Object]]:
    for first in range(0, len(versions), _AT_ONCE):
        yield versions[first : first + _AT_ONCE]


def _is_latest(version: Object) -> bool:
    return str(version.is_latest).lower() == "true"
