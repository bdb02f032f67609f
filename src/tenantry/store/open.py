"""Open the store that the settings name."""

import re
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from tenantry.errors import Fault, SettingsError
from tenantry.settings import Settings
from tenantry.store.contract import ObjectStore, check_key
from tenantry.store.folder import FolderStore

_PLACE = "TENANTRY_STORE"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_FORMS = "write file:///folder, s3+https://host/bucket or s3+http://host:9000/bucket/prefix"


def open_store(settings: Settings) -> ObjectStore:
    """Return the store at `settings.store`; nothing is asked of it yet.

    Raises:
        SettingsError: The address or the credentials cannot be used; all faults at once.
    """
    try:
        url = urlsplit(settings.store)
        _ = url.port
    except ValueError as error:
        raise SettingsError([Fault(_PLACE, f"is not an address: {error}", _FORMS)]) from None
    if url.scheme == "file":
        return _open_folder(url)
    if url.scheme in ("s3+http", "s3+https"):
        return _open_bucket(url, settings)
    fault = f"{url.scheme!r} is no kind of store" if url.scheme else "has no scheme"
    raise SettingsError([Fault(_PLACE, fault, _FORMS)])


def _open_folder(url: SplitResult) -> FolderStore:
    if url.netloc or not url.path.startswith("/") or url.query or url.fragment:
        fault = Fault(_PLACE, "is not the address of a folder", "write file:///folder, three '/'")
        raise SettingsError([fault])
    return FolderStore(Path(unquote(url.path)))


def _open_bucket(url: SplitResult, settings: Settings) -> ObjectStore:
    bucket, _, prefix = url.path.strip("/").partition("/")
    faults = [*_address_faults(url, bucket, prefix), *_credential_faults(settings)]
    if faults:
        raise SettingsError(faults)

    from tenantry.store.minio import BucketAddress, MinioStore

    address = BucketAddress(
        endpoint=url.netloc,
        secure=url.scheme == "s3+https",
        bucket=bucket,
        prefix=f"{prefix}/" if prefix else "",
        region=settings.region,
        access_key=settings.access_key,
        secret_key=settings.secret_key,
        session_token=settings.session_token,
    )
    return MinioStore(address)


def _address_faults(url: SplitResult, bucket: str, prefix: str) -> list[Fault]:
    faults = []
    if "@" in url.netloc:
        remedy = "move them to AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        faults.append(Fault(_PLACE, "holds credentials", remedy))
    elif not url.hostname:
        faults.append(Fault(_PLACE, "names no host", _FORMS))
    if not _BUCKET.fullmatch(bucket):
        faults.append(Fault(_PLACE, f"{bucket!r} is not the name of a bucket", _FORMS))
    if url.query or url.fragment:
        faults.append(Fault(_PLACE, "has a query or a fragment", _FORMS))
    try:
        if prefix and len(check_key(prefix)) > 100:
            faults.append(Fault(_PLACE, "has a prefix of over 100 characters"))
    except ValueError as error:
        faults.append(Fault(_PLACE, f"has a prefix that no key can have: {error}"))
    return faults


def _credential_faults(settings: Settings) -> list[Fault]:
    values = {
        "AWS_ACCESS_KEY_ID": settings.access_key,
        "AWS_SECRET_ACCESS_KEY": settings.secret_key,
    }
    return [Fault(name, "is not set", "a bucket needs it") for name, it in values.items() if not it]
