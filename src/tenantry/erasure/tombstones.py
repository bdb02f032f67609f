"""Tombstones: what says that a tenant was erased, so that nothing brings it back by accident.

A tombstone is put before anything is removed. Whoever works for a tenant looks for one before it
begins and after it wrote; what was written under a tombstone is removed again. It holds no data of
the tenant but its name.
"""

from typing import Literal

from tenantry import layout
from tenantry.errors import ObjectMissingError, PreconditionError
from tenantry.records import Record
from tenantry.store.contract import ObjectStore
from tenantry.times import Moment


class Tombstone(Record):
    """The mark of an erased tenant.

    Attributes:
        product: The product.
        tenant: The tenant.
        status: `pending` until every byte is gone; `tenantry erase` again then goes on.
        when: When the erasure was ordered, wall clock.
        who: Who ordered it.
        why: Why.
        certificate: Key of the certificate; empty while pending.
    """

    product: str
    tenant: str
    status: Literal["pending", "done"] = "pending"
    when: Moment
    who: str
    why: str
    certificate: str = ""


def read_tombstone(store: ObjectStore, product: str, tenant: str) -> Tombstone | None:
    """Read a tenant's tombstone; None when it was not erased.

    Raises:
        ValueError: The object is not a tombstone.
    """
    key = layout.tombstone(product, tenant)
    try:
        return Tombstone.from_json(store.get(key).content, key)
    except ObjectMissingError:
        return None


def is_erased(store: ObjectStore, product: str, tenant: str) -> bool:
    """Say whether a tenant was erased, or is being erased now."""
    return store.find(layout.tombstone(product, tenant)) is not None


def erased_tenants(store: ObjectStore, product: str) -> frozenset[str]:
    """Return the names of all erased tenants of a product: one listing, no reads."""
    folder = layout.tombstones_folder(product)
    names = (info.key.removeprefix(folder) for info in store.list(folder))
    return frozenset(name.removesuffix(".json") for name in names)


def write_tombstone(store: ObjectStore, stone: Tombstone) -> Tombstone:
    """Put a tombstone; one that is there already stays as it is.

    Returns:
        The tombstone in force.
    """
    key = layout.tombstone(stone.product, stone.tenant)
    try:
        store.put_if_absent(key, stone.to_json())
    except PreconditionError:
        return read_tombstone(store, stone.product, stone.tenant) or stone
    return stone
