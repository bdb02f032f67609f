"""`regions.yaml`: where each region's results live, and which residency zone it belongs to.

Without the file one store serves every region, and there is nothing to choose.
"""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from pydantic import Field

from tenantry.errors import Fault, SettingsError, SpecError
from tenantry.specs.document import read_document
from tenantry.specs.faults import place_in, read_parts, suggest
from tenantry.specs.parts import DnsLabel, SpecPart, VariableName
from tenantry.store.address import StoreAddress

REGIONS_FILE = "regions.yaml"


class Credentials(SpecPart):
    """Names of the environment variables that hold a bucket's credentials; never the values."""

    access_key: VariableName
    """Holds the access key."""
    secret_key: VariableName
    """Holds the secret key."""
    session_token: VariableName | None = None
    """Holds the token that comes with temporary credentials."""

    @property
    def names(self) -> dict[str, str]:
        """Field → variable."""
        return {name: value for name, value in self if value}


class Region(SpecPart):
    """One region: a store of its own."""

    store: str = Field(min_length=1)
    """Where its tenants' results live: `s3+https://host/bucket/prefix`, `s3+http://…`,
    `file:///folder`, or a folder relative to this file."""
    zone: DnsLabel = "default"
    """The residency zone it belongs to; the pooled model pools within a zone."""
    credentials: Credentials | None = None
    """Of the bucket; a folder has none."""
    aws_region: str = Field(default="us-east-1", min_length=1, max_length=64)
    """What the bucket's server calls its own region, for signatures."""


class Regions(SpecPart):
    """All regions by name."""

    regions: dict[DnsLabel, Region] = Field(min_length=1)
    """By name; a tenant's spec names its home region."""

    @property
    def names(self) -> tuple[str, ...]:
        """All regions, by name."""
        return tuple(sorted(self.regions))

    def in_zone(self, zone: str) -> tuple[str, ...]:
        """Return the regions of a residency zone, by name."""
        return tuple(name for name in self.names if self.regions[name].zone == zone)


def load_regions(folder: Path) -> Regions | None:
    """Read `regions.yaml` of a folder of specs; None when there is none.

    Raises:
        SpecError: All faults of the file; no message quotes what may be a secret.
    """
    path = folder / REGIONS_FILE
    if not path.exists():
        return None
    document = read_document(path, REGIONS_FILE)
    regions, broken = read_parts(Regions, document)
    faults = [_without_secrets(fault) for fault in broken.values()]
    if not broken:
        regions = _resolved(regions, folder)
        faults = [*_check_stores(regions), *_check_borders(regions)]
    if faults:
        raise SpecError(dict.fromkeys(place_in(REGIONS_FILE, faults)))
    return regions


def choose_region(regions: Regions | None, region: str) -> str:
    """Return the region that a run or a command serves; empty without `regions.yaml`.

    Args:
        regions: All regions; None without `regions.yaml`.
        region: Its name; empty where there is only one, or no `regions.yaml`.

    Raises:
        SettingsError: There are several and none is named, or it is not among them.
    """
    if regions is None:
        if region:
            fault = f"{region[:63]!r} is given, but there is no {REGIONS_FILE} beside the products"
            raise SettingsError([Fault("region", fault, "write it, or name no region")])
        return ""
    if region and region not in regions.regions:
        raise SettingsError([unknown_region("region", region, regions)])
    if not region and len(regions.names) > 1:
        fault = f"is not given, and {REGIONS_FILE} lists {', '.join(regions.names)}"
        raise SettingsError([Fault("region", fault, "name the one that is meant")])
    return region or regions.names[0]


def unknown_region(place: str, region: str, regions: Regions) -> Fault:
    """Return the fault of a name that is no region's."""
    fault = f"{region[:63]!r} is no region of {REGIONS_FILE}"
    return Fault(place, fault, suggest(region, regions.names))


def _without_secrets(fault: Fault) -> Fault:
    if ".credentials" in fault.place and fault.fault.endswith(" text"):
        return Fault(fault.place, "is not text", "write the name of an environment variable")
    return fault


def _resolved(regions: Regions, folder: Path) -> Regions:
    """Return the regions with the addresses of relative folders made absolute."""
    return Regions(
        regions={
            name: region
            if "://" in region.store
            else region.model_copy(update={"store": (folder / region.store).resolve().as_uri()})
            for name, region in regions.regions.items()
        }
    )


def _check_stores(regions: Regions) -> Iterator[Fault]:
    for name, region in regions.regions.items():
        place, address = f"regions.{name}", StoreAddress(region.store)
        faults = address.faults(f"{place}.store")
        yield from faults
        if faults:
            continue
        if address.is_folder and region.credentials:
            yield Fault(f"{place}.credentials", "a folder has none", "remove them")
        if not address.is_folder and not region.credentials:
            remedy = "write `{access_key: <NAME>, secret_key: <NAME>}`, names of variables"
            yield Fault(f"{place}.credentials", "is missing, and a bucket needs it", remedy)


def _check_borders(regions: Regions) -> Iterator[Fault]:
    """Yield what would let one region's data or credentials reach another's store."""
    for one, other in combinations(regions.names, 2):
        first, second = regions.regions[one], regions.regions[other]
        here, there = StoreAddress(first.store), StoreAddress(second.store)
        if here.faults("") or there.faults(""):
            continue
        if here.holds(there) or there.holds(here):
            fault = f"lies in the store of {one}" if here.holds(there) else f"holds that of {one}"
            yield Fault(f"regions.{other}.store", fault, "give each region a store of its own")
        if here.server.lower() == there.server.lower():
            continue
        known = set((first.credentials.names if first.credentials else {}).values())
        for field, name in (second.credentials.names if second.credentials else {}).items():
            if name in known:
                fault = f"{name} is for the server of {one}, too"
                place = f"regions.{other}.credentials.{field}"
                yield Fault(place, fault, "name another variable: no server learns another's")
