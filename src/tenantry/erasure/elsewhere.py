"""Erasure in the other stores of a residency zone: their pooled models may hold a tenant's rows.

None of a tenant's own objects are there. What has to go is in pooled models and in the specs these
were made from; what has to come is what keeps their next training from reading the rows again.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from tenantry import layout
from tenantry.digests import digest
from tenantry.erasure.certificate import Certificate
from tenantry.erasure.orders import RowOrder, amend_order, place_order
from tenantry.erasure.pools import pools_fed_by
from tenantry.erasure.settlement import settle_order
from tenantry.regions import zone_stores
from tenantry.registry.orders import Order
from tenantry.settings import Settings
from tenantry.specs.load import Fleet
from tenantry.specs.model import Spec
from tenantry.store.contract import ObjectStore

if TYPE_CHECKING:
    import pandas as pd


def mate_stores(
    settings: Settings, fleet: Fleet, tenant: str, region: str
) -> dict[str, ObjectStore]:
    """Open the stores of the zone's other regions: region → store; none without regions.

    What a tenant that moved left behind concerns that one store only: the others may hold it
    because of where it is at home now. A strict one concerns those that pooled it before it was.

    Args:
        settings: The environment's.
        fleet: All tenants of the product.
        tenant: The tenant.
        region: The region that it is erased in.

    Raises:
        SettingsError: The credentials of such a store are not set.
    """
    spec = fleet.specs.get(tenant)
    if spec is not None and region and spec.region != region:
        return {}
    is_strict = spec is not None and spec.residency.strict
    return {
        name: store
        for name, store in zone_stores(settings, region).items()
        if name != region and not (is_strict and not pools_fed_by(store, fleet.product, tenant))
    }


def erase_rows_from_pools(  # noqa: PLR0913 - an order and what it concerns
    store: ObjectStore,
    spec: Spec,
    keys: pd.DataFrame,
    *,
    order: Order,
    active: Collection[str],
    now: bool = False,
) -> Certificate:
    """Replace the pooled models of a store that may have learnt from rows, and never read them.

    Args:
        store: The store of another region of the tenant's zone.
        spec: The tenant's spec.
        keys: What `read_keys` returned.
        order: Who orders it, when and why.
        active: The tenants that go on being predicted.
        now: Whether models that are in use go at once.
    """
    from tenantry.erasure.suppression import suppress

    product, tenant = spec.product, spec.tenant
    hashes = suppress(store, spec, keys)
    placed = RowOrder(
        product=product,
        tenant=tenant,
        name=digest(list(hashes))[:16],
        status="waiting",
        when=order.when,
        who=order.who,
        why=order.why,
        columns=tuple(sorted(str(column) for column in keys.columns)),
        keys=len(hashes),
        pooled=pools_fed_by(store, product, tenant),
    )
    store.put(layout.waiting(product, tenant, placed.name), b"{}")
    found = place_order(store, placed)
    hurried = amend_order(
        store, found, lambda it: it.model_copy(update={"at_once": now or it.at_once})
    )
    return settle_order(store, hurried, active)
