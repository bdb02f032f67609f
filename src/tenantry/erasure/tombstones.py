"""Tombstones: what says that a tenant was erased, so that nothing brings it back by accident.

A tombstone is put before anything is removed. Whoever works for a tenant looks for one before it
begins and after it wrote; what was written under a tombstone is removed again. It holds no data of
the tenant but its name. An order to erase rows lies beside the tombstones and is heeded likewise.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from tenantry import layout
from tenantry.errors import ObjectMissingError, StoreError
from tenantry.records import Record
from tenantry.reigns import swap
from tenantry.store.adding import put_new
from tenantry.store.contract import ObjectStore
from tenantry.times import Moment

_STONE = re.compile(r"(?P<tenant>[^/]+)\.json")
_ORDER = re.compile(r"rows/(?P<tenant>[^/]+)/(?P<id>[^/]+)\.json")
_WAITING = re.compile(r"waiting/(?P<tenant>[^/.]+)(\.(?P<id>[^/.]+))?\.json")


class Tombstone(Record):
    """The mark of an erased tenant.

    Attributes:
        product: The product.
        tenant: The tenant.
        status: `pending` until every byte of its own is gone: `tenantry erase` again then goes on;
            `waiting` until the pooled models that it fed are replaced; `done`.
        when: When the erasure was ordered, wall clock.
        who: Who ordered it.
        why: Why.
        found: What was found or removed: kind → objects and bytes.
        rewritten: What was written anew without it.
        pooled: The pooled models it fed, ``<zone>/<version>``.
        waiting: Of these, those that stay in use until the next run has replaced them.
        named: Runs whose records named it.
        runs: Runs that were working on it then and may still leave something.
        certificate: Key of the certificate; empty while pending.
    """

    product: str
    tenant: str
    status: Literal["pending", "waiting", "done"] = "pending"
    when: Moment
    who: str
    why: str
    found: dict[str, tuple[int, int]] = Field(default_factory=dict)
    rewritten: dict[str, tuple[int, int]] = Field(default_factory=dict)
    pooled: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    certificate: str = ""


@dataclass(frozen=True)
class Marks:
    """What was ordered to be erased in a product, from names alone.

    Attributes:
        tenants: The erased tenants.
        rows: Tenant → ids of the orders to erase rows of it.
        waiting: Tenant and id (empty for the whole tenant) of what is not done yet.
    """

    tenants: frozenset[str] = frozenset()
    rows: Mapping[str, frozenset[str]] = field(default_factory=dict)
    waiting: frozenset[tuple[str, str]] = frozenset()

    def newer_rows(self, before: "Marks") -> frozenset[str]:
        """Return the tenants of which rows were ordered to be erased since `before` was read."""
        return frozenset(name for name in self.rows if self.rows[name] != before.rows.get(name))


def read_marks(store: ObjectStore, product: str) -> Marks:
    """Return what was ordered to be erased in a product: one listing, no reads."""
    folder = layout.tombstones_folder(product)
    tenants: set[str] = set()
    rows: dict[str, frozenset[str]] = {}
    waiting: set[tuple[str, str]] = set()
    for info in store.list(folder):
        name = info.key.removeprefix(folder)
        if stone := _STONE.fullmatch(name):
            tenants.add(stone["tenant"])
        elif order := _ORDER.fullmatch(name):
            rows[order["tenant"]] = rows.get(order["tenant"], frozenset()) | {order["id"]}
        elif left := _WAITING.fullmatch(name):
            waiting.add((left["tenant"], left["id"] or ""))
    return Marks(frozenset(tenants), rows, frozenset(waiting))


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
    return read_marks(store, product).tenants


def write_tombstone(store: ObjectStore, stone: Tombstone) -> Tombstone:
    """Put a tombstone; one that is there already stays as it is.

    Returns:
        The tombstone in force.
    """
    key = layout.tombstone(stone.product, stone.tenant)
    if put_new(store, key, stone.to_json()):
        return stone
    return read_tombstone(store, stone.product, stone.tenant) or stone


def amend_tombstone(store: ObjectStore, stone: Tombstone) -> None:
    """Write what has become of an erasure into its tombstone, unless that was lifted."""
    key = layout.tombstone(stone.product, stone.tenant)

    def change(found: Tombstone | None) -> Tombstone:
        if found is None:
            msg = f"{key}: was lifted meanwhile; order the erasure again"
            raise StoreError(msg)
        return found if found == stone else stone

    swap(store, key, Tombstone, change)
    store.purge(key, keep_latest=True)


def sweep(store: ObjectStore, product: str, tenants: Iterable[str]) -> tuple[str, ...]:
    """Remove what lies under the prefix of erased tenants; return those that had anything."""
    return tuple(
        tenant
        for tenant in sorted(tenants)
        if store.purge(layout.tenant_folder(product, tenant)).keys
    )


def explain_tombstone(stone: Tombstone, state: str) -> str:
    """Say that a tenant was erased, and what to do about its spec when that is still in Git."""
    if state == "retired":
        return f"erased {stone.when:%Y-%m-%d} by {stone.who}"
    return (
        f"{stone.tenant}.yaml: state: is {state}, but the tenant was erased {stone.when:%Y-%m-%d} "
        f"by {stone.who}; remove the file or write state: retired, or lift the tombstone with "
        f"`tenantry erase {stone.product} {stone.tenant} --lift`"
    )
