"""Open the store that the settings name, or that `regions.yaml` names for a region."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tenantry.errors import Fault, SettingsError
from tenantry.settings import Settings
from tenantry.specs.regions import REGIONS_FILE, Region, choose_region, load_regions
from tenantry.store.address import StoreAddress
from tenantry.store.contract import ObjectStore
from tenantry.store.folder import FolderStore


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
    regions = load_regions(settings.specs)
    chosen = choose_region(regions, region)
    if regions is None:
        return _open(_of_settings(settings))
    return _open(_of_region(regions.regions[chosen], settings.environ))


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


def _open(place: _Place) -> ObjectStore:
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

    return MinioStore(
        BucketAddress(
            endpoint=address.server,
            secure=address.is_secure,
            bucket=address.bucket,
            prefix=f"{address.prefix}/" if address.prefix else "",
            region=place.aws_region,
            access_key=place.values["access_key"],
            secret_key=place.values["secret_key"],
            session_token=place.values.get("session_token", ""),
        )
    )
