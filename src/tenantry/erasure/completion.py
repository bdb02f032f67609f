"""Bringing erasures to their end: what was in use has been replaced, a late run has left something.

`plan` calls this before it plans and `report` after a run; `tenantry erase` does the same by hand.
"""

from collections.abc import Mapping

from tenantry import layout
from tenantry.erasure.orders import read_order
from tenantry.erasure.settlement import settle_order
from tenantry.erasure.tenant import settle_tenant
from tenantry.erasure.tombstones import Marks, read_marks, read_tombstone, sweep
from tenantry.openings import list_openings
from tenantry.specs.model import Spec
from tenantry.store.contract import ObjectStore
from tenantry.store.open import eraser


def complete_erasures(store: ObjectStore, product: str, specs: Mapping[str, Spec]) -> Marks:
    """Go on with every erasure that is not done, and sweep away what came after one.

    Args:
        store: The store.
        product: The product.
        specs: The specs of its tenants.

    Returns:
        What is erased, and what is still waited for.
    """
    marks = read_marks(store, product)
    if marks.tenants:
        openings = (found.opening for found in list_openings(store, product))
        at_work = {tenant for opening in openings for tenant in opening.tenants}
        if late := marks.tenants & at_work:  # nobody writes who did not say so
            sweep(eraser(store, product), product, late)
    if not marks.waiting:
        return marks
    store = eraser(store, product)
    for tenant, order in sorted(marks.waiting):
        if order:
            _complete_order(store, product, specs, tenant, order)
        elif stone := read_tombstone(store, product, tenant):
            settle_tenant(store, stone, active_tenants(specs))
        else:
            store.purge(layout.waiting(product, tenant))
    return read_marks(store, product)


def active_tenants(specs: Mapping[str, Spec]) -> tuple[str, ...]:
    """Return the tenants that go on being predicted."""
    return tuple(sorted(name for name, spec in specs.items() if spec.state == "active"))


def _complete_order(
    store: ObjectStore, product: str, specs: Mapping[str, Spec], tenant: str, name: str
) -> None:
    order = read_order(store, product, tenant, name)
    if order is None:
        store.purge(layout.waiting(product, tenant, name))
        return
    if order.status == "pending" and tenant in specs:
        from tenantry.erasure.rows import scrub_rows

        order = scrub_rows(store, specs[tenant], name=name) or order
    settle_order(store, order, active_tenants(specs))
