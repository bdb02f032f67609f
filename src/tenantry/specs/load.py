"""Load what Git declares: a product and all its tenants, or every fault of every file."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tenantry.errors import Fault, SpecError
from tenantry.specs.checks import check
from tenantry.specs.document import read_document
from tenantry.specs.extends import PRODUCT_FILE, lent_by, read_base, with_origins
from tenantry.specs.faults import place_in, read_parts, suggest
from tenantry.specs.learning import Pooled
from tenantry.specs.merge import merge
from tenantry.specs.migrate import migrate
from tenantry.specs.model import Declared, Spec
from tenantry.specs.operation import Retention
from tenantry.specs.paths import find_fields, shown
from tenantry.specs.product import BOUND, Product
from tenantry.specs.regions import Regions, choose_region
from tenantry.specs.residency import Places, read_places
from tenantry.specs.tenant import Defaults, TenantReader, filter_values

__all__ = ["Fleet", "filter_values", "list_products", "load_product"]


@dataclass(frozen=True)
class Fleet:
    """All tenants of a product.

    Attributes:
        product: The product's name.
        title: The product in words.
        description: For people.
        specs: The tenants' specs by name, in order of name; `serving` leaves those of a region.
        pooled: How the pooled model is made.
        retention: What may be removed of pooled models and runs, and of tenants that do not differ.
        retire_max_share: More tenants than this share retired at once are refused.
        tenants_may_set: What tenants' files may change, as dotted paths.
        regions: The regions; None without `regions.yaml`.
        region: The region that it is seen from; empty for all of them, and without regions.
        elsewhere: The specs of tenants that are at home in other regions.
    """

    product: str
    title: str
    description: str
    specs: Mapping[str, Spec]
    pooled: Pooled
    retention: Retention
    retire_max_share: float
    tenants_may_set: tuple[str, ...]
    regions: Regions | None = None
    region: str = ""
    elsewhere: Mapping[str, Spec] = field(default_factory=dict)

    def serving(self, region: str) -> "Fleet":
        """Return the fleet as one region sees it: all of it without `regions.yaml`.

        Args:
            region: The region; empty where there is only one.

        Raises:
            SettingsError: There are several and none is named, or it is not among them.
        """
        chosen = choose_region(self.regions, region)
        if self.regions is None:
            return self
        specs = {**self.specs, **self.elsewhere}
        return replace(
            self,
            region=chosen,
            specs={name: specs[name] for name in sorted(specs) if specs[name].region == chosen},
            elsewhere={name: spec for name, spec in specs.items() if spec.region != chosen},
        )

    def zone_mates(self) -> tuple[Spec, ...]:
        """Return all tenants of the served region's residency zone, at home here or elsewhere."""
        if self.regions is None:
            return tuple(self.specs.values())
        mates = self.regions.in_zone(self.regions.regions[self.region].zone)
        specs = (*self.specs.values(), *self.elsewhere.values())
        return tuple(spec for spec in specs if spec.region in mates)


def list_products(folder: Path) -> tuple[str, ...]:
    """Return the products declared below `folder`, by name: its folders that hold YAML files.

    Raises:
        SpecError: There is no such folder.
    """
    if not folder.is_dir():
        raise SpecError([Fault(str(folder), "is no folder", "name the folder of the specs")])
    folders = (path for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")
    return tuple(sorted(path.name for path in folders if any(path.glob("*.y*ml"))))


def load_product(folder: Path, product: str, *, connections: Path | None = None) -> Fleet:
    """Load a product and all its tenants.

    Args:
        folder: The folder of specs.
        product: The product's name, a folder in it.
        connections: The file of named connections; `connections.yaml` in `folder` when None. Only
            the names in it matter here.

    Raises:
        SpecError: All faults of all files, placed as ``arrival-delay/ua.yaml: gate.min_rows``.
    """
    names = list_products(folder)
    if product not in names:
        raise SpecError([Fault(product, f"is no product in {folder}", suggest(product, names))])
    faults: list[Fault] = []
    defaults = _read_defaults(folder / product, faults)
    places = read_places(folder, connections or folder / "connections.yaml", faults)
    specs = _read_tenants(defaults, folder / product, faults)
    faults += _check_connections(defaults, specs, places)
    declared = defaults.product
    if declared and not defaults.broken:
        faults += places.check(specs, declared)
    if faults or declared is None:
        raise SpecError(dict.fromkeys(faults))
    return Fleet(
        product=product,
        title=declared.title,
        description=declared.description,
        specs=places.settle(specs),
        pooled=defaults.parts()["pooled"],
        retention=declared.retention,
        retire_max_share=declared.retire_max_share,
        tenants_may_set=declared.tenants_may_set,
        regions=places.regions,
    )


def _read_defaults(folder: Path, faults: list[Fault]) -> Defaults:
    place = f"{folder.name}/{PRODUCT_FILE}"
    try:
        own = migrate(read_document(folder / PRODUCT_FILE, place), place)
        base = read_base(folder, own, list_products(folder.parent))
    except SpecError as error:
        faults += error.faults
        return Defaults(folder.name)
    document = merge(base, own)
    product, names, found = _read_product(document)
    if document.get("product", folder.name) != folder.name:
        found.append(Fault("product", f"is not the folder's name {folder.name!r}"))
    raw = {name: value for name, value in document.items() if name in Declared.model_fields}
    lent = lent_by(base, own, Declared.model_fields) if base else {}
    if base:  # what is wrong there is told there
        _, _, inherited = _read_product(base | {"product": own["extends"], "title": "-"})
        faults += place_in(f"{own['extends']}/{PRODUCT_FILE}", inherited)
        there = [fault for fault in found if fault not in set(inherited)]
        faults += place_in(place, with_origins(there, own, base))
    else:
        faults += place_in(place, found)
    return Defaults(folder.name, raw, product, names, frozenset(found), lent)


def _read_product(document: Mapping[str, Any]) -> tuple[Product, frozenset[str], list[Fault]]:
    """Return a product as far as it can be read, its broken fields, and all that is wrong."""
    product, broken = read_parts(Product, document)
    names = frozenset(str(location[0]) for location in broken)
    found = [*broken.values(), *check(product, broken=names), *_check_product(product, names)]
    return product, names, found


def _check_product(product: Product, broken: Collection[str]) -> Iterator[Fault]:
    if "pooled" not in broken and product.pooled.features:
        yield Fault("pooled.features", "is filled in from features", "remove it")
    for path in () if "tenants_may_set" in broken else product.tenants_may_set:
        parts = path.split(".")
        if parts[0] in BOUND:
            fault = f"{parts[0]} is bound by the platform"
            yield Fault("tenants_may_set", fault, f"take {path} off the list")
        elif find_fields(Spec, parts) is None:
            above = find_fields(Spec, parts[:-1])
            remedy = suggest(parts[-1], above.names if above else Spec.model_fields)
            yield Fault("tenants_may_set", f"there is no field {path[:60]!r}", remedy)


def _check_connections(
    defaults: Defaults, specs: Mapping[str, Spec], places: Places
) -> Iterator[Fault]:
    """Yield connections that nobody knows."""
    if defaults.product is None or "sources" in defaults.broken:
        return
    for form in ("rows", "joins"):
        for n, source in enumerate(getattr(defaults.product.sources, form)):
            for name in places.find_unknown(source.connection, specs):
                file = f"{defaults.lent.get('sources', defaults.name)}/{PRODUCT_FILE}"
                place = f"{file}: sources.{form}[{n}].connection"
                fault = f"there is no connection {name!r} in {places.file}"
                yield Fault(place, fault, suggest(name, places.lying or ()))


def _read_tenants(defaults: Defaults, folder: Path, faults: list[Fault]) -> dict[str, Spec]:
    reader = TenantReader(defaults)
    specs: dict[str, Spec] = {}
    owners: dict[tuple[object, ...], str] = {}
    has_filter = defaults.product is not None and not any(
        fault.place.startswith("row_filter") for fault in defaults.faults
    )
    count = 0
    for path in _tenant_files(folder, faults):
        count += 1
        try:
            spec = reader.read(path)
            values = tuple(filter_values(spec).items()) if has_filter else (spec.tenant,)
        except SpecError as error:
            faults += error.faults
            continue
        owner = owners.setdefault(values, spec.tenant)
        if owner != spec.tenant:
            fault = f"gives the same rows as {owner}.yaml"
            place = f"{defaults.name}/{path.name}: tenant"
            faults.append(Fault(place, fault, "make row_filter.pattern tell them apart"))
        specs[spec.tenant] = spec
    if not count:
        remedy = "an empty folder is taken for a missing mount; add a tenant's file"
        faults.append(Fault(defaults.name, "has no tenant", remedy))
    return specs


def _tenant_files(folder: Path, faults: list[Fault]) -> Iterable[Path]:
    files = []
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        place = f"{folder.name}/{shown(path.name)}"
        if path.name.startswith(".") or path.name == PRODUCT_FILE:
            continue
        if path.suffix == ".yml":
            faults.append(Fault(place, "is not read", "rename it to end in .yaml"))
        elif path.suffix == ".yaml":
            files.append(path)
        elif path.is_dir():
            faults.append(Fault(place, "is a folder", "keep tenants beside product.yaml"))
    return files
