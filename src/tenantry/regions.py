"""Which store holds what, where each region has its own."""

from tenantry import layout
from tenantry.errors import Fault, SettingsError, SpecError
from tenantry.settings import Settings
from tenantry.specs.faults import suggest
from tenantry.specs.load import load_product
from tenantry.specs.regions import choose_region, load_regions
from tenantry.store.contract import ObjectStore
from tenantry.store.open import open_store


def store_of(settings: Settings, product: str, tenant: str, region: str = "") -> ObjectStore:
    """Open the store that holds a tenant; for every verb about one tenant.

    Without `regions.yaml` it is the one there is, and no spec is read.

    Args:
        settings: The environment's.
        product: The product.
        tenant: The tenant; one that no spec declares is searched for in all stores.
        region: The region, where the caller names one: what a tenant that moved left behind.

    Raises:
        SettingsError: As `open_store`; or several stores hold a tenant that no spec declares.
        SpecError: The specs are wrong, or neither specs nor stores know the tenant.
    """
    return open_store(settings, home_of(settings, product, tenant, region))


def home_of(settings: Settings, product: str, tenant: str, region: str = "") -> str:
    """Return the region whose store holds a tenant, as `store_of` opens it; empty without regions.

    Raises:
        SettingsError: As `store_of`.
        SpecError: As `store_of`.
    """
    regions = load_regions(settings.specs)
    if regions is None or region or len(regions.names) == 1:
        return choose_region(regions, region)
    fleet = load_product(settings.specs, product, connections=settings.connections)
    if tenant in fleet.specs:
        return fleet.specs[tenant].region
    holding = [
        name for name in regions.names if _holds(open_store(settings, name), product, tenant)
    ]
    if not holding:
        fault = f"{product} has no such tenant, in neither specs nor stores"
        raise SpecError([Fault(tenant, fault, suggest(tenant, fleet.specs))])
    if len(holding) > 1:
        fault = f"has no spec, and the stores of {', '.join(holding)} hold it"
        raise SettingsError([Fault(tenant, fault, "name the region that is meant")])
    return holding[0]


def store_of_key(settings: Settings, key: str, region: str = "") -> ObjectStore:
    """Open the store that holds a key: its tenant's, or the one whose address it begins with.

    Args:
        settings: The environment's.
        key: A key, or a store's address with a key behind it.
        region: The region, where the caller names one.

    Raises:
        SettingsError: As `open_store`; a key that is no tenant's does not tell its region.
        SpecError: As `store_of`.
    """
    regions = load_regions(settings.specs)
    known = regions.regions if regions and not region else {}
    for name, one in known.items():
        if key.startswith(f"{one.store.rstrip('/')}/"):
            return open_store(settings, name)
    folder, _, rest = key.partition("/")
    product, tenant = [*rest.split("/"), ""][:2]
    if known and folder == "tenants" and tenant:
        return store_of(settings, product, tenant)
    return open_store(settings, region)


def zone_stores(settings: Settings, region: str = "") -> dict[str, ObjectStore]:
    """Open every store of a region's residency zone: where pooled models of its tenants may lie.

    Args:
        settings: The environment's.
        region: The region, as `home_of` returns it.

    Returns:
        Region → store; the one store there is under the empty name, without `regions.yaml`.

    Raises:
        SettingsError: As `open_store`.
        SpecError: `regions.yaml` is wrong.
    """
    regions = load_regions(settings.specs)
    if regions is None:
        return {"": open_store(settings, region)}
    zone = regions.regions[choose_region(regions, region)].zone
    return {name: open_store(settings, name) for name in regions.in_zone(zone)}


def _holds(store: ObjectStore, product: str, tenant: str) -> bool:
    return any(True for _ in store.list(layout.tenant_folder(product, tenant)))
