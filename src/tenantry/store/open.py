"""Open the store that the settings name, or that `regions.yaml` names for a region."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from tenantry.errors import Fault, SettingsError
from tenantry.isolation.grants import Grant, erasing_grant
from tenantry.isolation.sandbox import keeps_apart
from tenantry.settings import Settings
from tenantry.specs.regions import REGIONS_FILE, Region, choose_region, load_regions
from tenantry.store.address import StoreAddress
from tenantry.store.contract import ObjectStore
from tenantry.store.folder import FolderStore

if TYPE_CHECKING:
    from tenantry.store.minio import MinioStore
    from tenantry.store.s3_client import BucketAddress

_ERASING_SECONDS = 3_600.0
"""As every role of Amazon's grants; an erasure that takes longer the next plan completes."""


def open_store(settings: Settings, region: str = "") -> ObjectStore:
    """Return the store of a region; nothing is asked of it yet.

    With `regions.yaml` among the specs it is that region's own store, otherwise the one at
    `settings.store`, which serves every region.

    Args:
        settings: The environment's.
        region: The region; empty where there is one store only.

    Raises:
        SettingsError: The region is not to be had, or the address or the credentials cannot be
            used; all faults at once.
        SpecError: `regions.yaml` is wrong.
    """
    return _open(_find_place(settings, region), settings)


def find_address(settings: Settings, region: str = "") -> str:
    """Return the address of a region's store.

    Raises:
        SettingsError: The region is not to be had.
        SpecError: `regions.yaml` is wrong.
    """
    return _find_place(settings, region).address.text


def _find_place(settings: Settings, region: str) -> "_Place":
    regions = load_regions(settings.specs)
    chosen = choose_region(regions, region)
    if regions is None:
        return _of_settings(settings)
    return _of_region(regions.regions[chosen], settings.environ)


def gives_sessions(store: ObjectStore) -> bool:
    """Say whether tenants' workers get credentials of their own from this store."""
    if not store.url.startswith("s3+"):
        return False
    from tenantry.store.minio import MinioStore

    return isinstance(store, MinioStore) and store.gives_sessions


def require_sessions(store: ObjectStore) -> None:
    """Make sure that tenants' workers get credentials of their own, where they are to have them.

    Raises:
        StoreError: The store gives none; its message names the setting that does without.
    """
    limited(store, Grant(reads=("store/",)))


def explain_sharing(store: ObjectStore) -> tuple[str, ...]:
    """Say whether tenants' workers have credentials of a bucket that reach other tenants."""
    if not store.url.startswith("s3+") or gives_sessions(store):
        return ()
    return (
        "The tenants' workers used the run's own credentials, which reach every tenant's data: "
        "TENANTRY_ISOLATION is shared.",
    )


def explain_exposure(store: ObjectStore) -> tuple[str, ...]:
    """Say whether workers here, with credentials of their own, could read the run's from others.

    Asks this machine's kernel; the shards of a run may be on others, whose logs say it of them.
    """
    if not gives_sessions(store) or keeps_apart():
        return ()
    return (
        "Tenants' workers can read the run's credentials from processes beside them, where they run"
        " as this report does: as root, or on a kernel without Landlock (docs/security.md).",
    )


def limited(store: ObjectStore, grant: Grant, *, seconds: float = 0.0) -> ObjectStore:
    """Return a store with credentials that reach only what a grant allows, where it gives them.

    Args:
        store: As `open_store` returned it.
        grant: What may be done.
        seconds: How long that is needed.

    Raises:
        StoreError: The store gives no such credentials.
    """
    if not gives_sessions(store):
        return store
    return cast("MinioStore", store).limited(grant, seconds=seconds)


def impatient(store: ObjectStore) -> ObjectStore:
    """Return a store that fails in seconds where it does not answer; a folder is as it is.

    Args:
        store: As `open_store` returned it.
    """
    return cast("MinioStore", store).impatient() if store.url.startswith("s3+") else store


def eraser(store: ObjectStore, product: str) -> ObjectStore:
    """Return a store with credentials that complete the erasures of a product.

    A run asks for a session; a person who has one already goes on with it.

    Args:
        store: As `open_store` returned it.
        product: The product.

    Raises:
        StoreError: The store gives no such credentials.
    """
    if gives_sessions(store) and cast("MinioStore", store).is_session:
        return store
    return limited(store, erasing_grant(product), seconds=_ERASING_SECONDS)


@dataclass(frozen=True)
class _Place:
    """An address and who asks there.

    Attributes:
        address: Where the store is.
        name: What faults call the address.
        aws_region: For signatures.
        variables: Field → the environment variable that holds it.
        values: Field → its value.
    """

    address: StoreAddress
    name: str
    aws_region: str
    variables: Mapping[str, str]
    values: Mapping[str, str] = field(repr=False)


def _of_settings(settings: Settings) -> _Place:
    variables = {"access_key": "AWS_ACCESS_KEY_ID", "secret_key": "AWS_SECRET_ACCESS_KEY"}
    values = {
        "access_key": settings.access_key,
        "secret_key": settings.secret_key,
        "session_token": settings.session_token,
    }
    address = StoreAddress(settings.store)
    return _Place(address, "TENANTRY_STORE", settings.region, variables, values)


def _of_region(region: Region, environ: Mapping[str, str]) -> _Place:
    variables = region.credentials.names if region.credentials else {}
    values = {name: environ.get(variable, "") for name, variable in variables.items()}
    address = StoreAddress(region.store)
    return _Place(address, REGIONS_FILE, region.aws_region, variables, values)


def _open(place: _Place, settings: Settings) -> ObjectStore:
    address = place.address
    faults = address.faults(place.name)
    if address.is_folder and not faults:
        return FolderStore(address.folder)
    if address.text.startswith("s3+"):
        unset = [name for field, name in place.variables.items() if not place.values[field]]
        faults += [Fault(name, "is not set", "a bucket needs it") for name in unset]
    if faults:
        raise SettingsError(faults)

    from tenantry.store.minio import MinioStore
    from tenantry.store.s3_client import BucketAddress
    from tenantry.store.sts import StsAddress

    bucket = BucketAddress(
        endpoint=address.server,
        secure=address.is_secure,
        bucket=address.bucket,
        prefix=f"{address.prefix}/" if address.prefix else "",
        region=place.aws_region,
        access_key=place.values["access_key"],
        secret_key=place.values["secret_key"],
        session_token=place.values.get("session_token", ""),
        ca_file=settings.ca_file,
        encryption=settings.encryption,
    )
    sts = StsAddress(settings.sts_url or _sts_url(bucket), settings.sts_role)
    return MinioStore(bucket, sts=None if settings.isolation == "shared" else sts)


def _sts_url(bucket: "BucketAddress") -> str:
    """Return where a bucket's server gives sessions: MinIO itself, Amazon at an address apart."""
    if bucket.endpoint.endswith(".amazonaws.com"):
        return f"https://sts.{bucket.region}.amazonaws.com"
    return f"{'https' if bucket.secure else 'http'}://{bucket.endpoint}"
