"""Whether tenants are at home in a region, in the zone they ask for, and near what they read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tenantry.errors import Fault, SpecError
from tenantry.specs.data import REGION, Sources
from tenantry.specs.document import read_document
from tenantry.specs.faults import place_in
from tenantry.specs.model import Spec
from tenantry.specs.operation import Residency
from tenantry.specs.product import Product
from tenantry.specs.regions import REGIONS_FILE, Regions, load_regions, unknown_region

ANY_ZONE = "default"
"""A tenant that names no zone is in that of its region."""


@dataclass(frozen=True)
class Places:
    """What the platform says of places.

    Attributes:
        file: What faults call the connections' file.
        lying: Connection → the region it lies in, empty where nobody says; None when the
            connections cannot be read.
        regions: The regions; None without `regions.yaml`.
        is_sound: Whether all that could be read.
    """

    file: str
    lying: Mapping[str, str] | None
    regions: Regions | None
    is_sound: bool

    def check(self, specs: Mapping[str, Spec], product: Product) -> Iterator[Fault]:
        """Yield what is wrong with the tenants' homes; told once where it is the product's."""
        told: dict[tuple[str, Residency], tuple[Fault, ...]] = {}
        for name, spec in specs.items() if self.is_sound else ():
            home = (spec.region, spec.residency)
            if home not in told:
                told[home] = tuple(self._check(spec))
            own = home != (product.region, product.residency)
            file = f"{name}.yaml" if own else "product.yaml"
            yield from place_in(f"{spec.product}/{file}", told[home])

    def find_unknown(self, connection: str, specs: Mapping[str, Spec]) -> list[str]:
        """Return which connections of that name, with tenants' regions filled in, nobody knows."""
        if self.lying is None:
            return []
        known = self.regions.regions if self.regions else None
        homes = {spec.region for spec in specs.values() if known is None or spec.region in known}
        names = {connection.replace(REGION, home) for home in homes or {REGION}}
        return sorted(name for name in names if name not in self.lying)

    def settle(self, specs: Mapping[str, Spec]) -> dict[str, Spec]:
        """Return the specs with the zones of their regions, and the connections there."""
        if self.regions is None and not any(map(_names_region, specs.values())):
            return dict(specs)
        made: dict[tuple[str, Residency, int], tuple[Residency, Sources]] = {}
        settled = {}
        for name, spec in specs.items():
            known = (spec.region, spec.residency, id(spec.sources))
            if known not in made:
                made[known] = (self._in_zone(spec), _sources_of(spec))
            residency, sources = made[known]
            update = {"residency": residency, "sources": sources}
            settled[name] = spec.model_copy(update=update)
        return settled

    def _in_zone(self, spec: Spec) -> Residency:
        if self.regions is None:
            return spec.residency
        zone = self.regions.regions[spec.region].zone
        return spec.residency.model_copy(update={"zone": zone})

    def _check(self, spec: Spec) -> Iterator[Fault]:
        if self.regions is None:
            if spec.residency.strict:
                fault = f"there is no {REGIONS_FILE}, so nobody says what lies where"
                yield Fault("residency.strict", fault, "write it, or leave strict out")
            return
        if spec.region not in self.regions.regions:
            yield unknown_region("region", spec.region, self.regions)
            return
        asked, zone = spec.residency.zone, self.regions.regions[spec.region].zone
        if asked not in (ANY_ZONE, zone):
            fault = f"{asked!r} is not the zone of region {spec.region}, which is {zone!r}"
            remedy = f"write a region of zone {asked}, or residency: {{zone: {zone}}}"
            yield Fault("residency.zone", fault, remedy)
        if spec.residency.strict:
            yield from self._check_sources(spec)

    def _check_sources(self, spec: Spec) -> Iterator[Fault]:
        sources = _sources_of(spec)
        for source in (*sources.rows, *sources.joins):
            region = (self.lying or {}).get(source.connection, "")
            what = f"source {source.name} (connection {source.connection})"
            if not region:
                remedy = f"write `region: {spec.region}` for it in {self.file} if it lies there"
                yield Fault("residency.strict", f"nobody says where {what} lies", remedy)
            elif region != spec.region:
                fault = f"{what} lies in region {region}, not in {spec.region}"
                remedy = f"read it from a copy in {spec.region}, or leave strict out"
                yield Fault("residency.strict", fault, remedy)


def _names_region(spec: Spec) -> bool:
    sources = (*spec.sources.rows, *spec.sources.joins)
    return any(REGION in source.connection for source in sources)


def _sources_of(spec: Spec) -> Sources:
    """Return a tenant's sources with the connections of its region."""
    parts = {
        form: tuple(
            source.model_copy(update={"connection": source.connection.replace(REGION, spec.region)})
            for source in getattr(spec.sources, form)
        )
        for form in Sources.model_fields
    }
    return spec.sources.model_copy(update=parts)


def read_places(folder: Path, connections: Path, faults: list[Fault]) -> Places:
    """Read where stores and sources lie; connections themselves are checked where they are used.

    Args:
        folder: The folder of specs.
        connections: The file of named connections.
        faults: Gets what is wrong.
    """
    before = len(faults)
    regions = lying = None
    try:
        regions = load_regions(folder)
    except SpecError as error:
        faults += error.faults
    try:
        lying = _read_lying(connections)
    except SpecError as error:
        faults += error.faults
    if regions and lying:
        place = f"{connections.name}: connections"
        unknown = {name: it for name, it in lying.items() if it and it not in regions.regions}
        faults += (unknown_region(f"{place}.{n}.region", it, regions) for n, it in unknown.items())
    return Places(connections.name, lying, regions, is_sound=len(faults) == before)


def _read_lying(path: Path) -> dict[str, str]:
    named = read_document(path, path.name).get("connections")
    if not isinstance(named, dict):
        fault = Fault(f"{path.name}: connections", "is missing or no map", "name the connections")
        raise SpecError([fault])
    regions = {
        name: it.get("region") if isinstance(it, dict) else None for name, it in named.items()
    }
    return {name: it if isinstance(it, str) else "" for name, it in regions.items()}
