"""Orders to erase rows of a tenant, and what became of them. They hold no value of any row."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal

from pydantic import Field

from tenantry import layout
from tenantry.errors import ObjectMissingError
from tenantry.records import Record
from tenantry.reigns import swap
from tenantry.store.contract import ObjectStore
from tenantry.times import Moment

Counts = dict[str, tuple[int, int]]
"""Kind → objects and bytes."""


class RowOrder(Record):
    """An order to erase the rows of a data subject.

    Attributes:
        product: The product.
        tenant: The tenant.
        name: Digest of the hashes of the keys: the same keys are the same order.
        status: `pending` until the rows are gone from the data: `tenantry erase` again then goes
            on; `waiting` until the models that learnt from them are replaced; `done`.
        when: When it was ordered, wall clock.
        who: Who ordered it.
        why: Why.
        columns: What the keys are values of.
        keys: How many keys.
        rows: How many rows they named, in snapshots and predictions.
        snapshots: The snapshots that held them.
        models: The versions that learnt from them.
        pooled: The pooled models that did, ``<zone>/<version>``.
        named: Runs whose records name the tenant.
        removed: What was removed.
        rewritten: What was written anew without the rows.
        certificate: Key of the certificate; empty while pending.
        at_once: Whether models in use go at once, too.
    """

    product: str
    tenant: str
    name: str
    status: Literal["pending", "waiting", "done"] = "pending"
    when: Moment
    who: str
    why: str
    columns: tuple[str, ...]
    keys: int
    rows: int = 0
    snapshots: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    pooled: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    removed: Counts = Field(default_factory=dict)
    rewritten: Counts = Field(default_factory=dict)
    certificate: str = ""
    at_once: bool = False

    @property
    def key(self) -> str:
        """Where it lies."""
        return layout.row_order(self.product, self.tenant, self.name)


def read_order(store: ObjectStore, product: str, tenant: str, name: str) -> RowOrder | None:
    """Read an order; None when there is none.

    Raises:
        ValueError: The object is not an order.
    """
    key = layout.row_order(product, tenant, name)
    try:
        return RowOrder.from_json(store.get(key).content, key)
    except ObjectMissingError:
        return None


def read_orders(store: ObjectStore, product: str, tenant: str) -> Iterator[RowOrder]:
    """Yield all orders to erase rows of a tenant."""
    for info in store.list(layout.row_orders_folder(product, tenant)):
        yield RowOrder.from_json(store.get(info.key).content, info.key)


def place_order(store: ObjectStore, order: RowOrder) -> RowOrder:
    """Put an order; the same one that is there already stays as it is."""
    return swap(store, order.key, RowOrder, lambda found: found or order)


def amend_order(
    store: ObjectStore, order: RowOrder, change: Callable[[RowOrder], RowOrder]
) -> RowOrder:
    """Change an order by compare-and-swap; return it as stored."""

    def changed(found: RowOrder | None) -> RowOrder:
        wanted = change(found or order)
        return found if found is not None and wanted == found else wanted

    return swap(store, order.key, RowOrder, changed)


def united(one: Iterable[str], other: Iterable[str]) -> tuple[str, ...]:
    """Return the names in either, sorted."""
    return tuple(sorted({*one, *other}))


def summed(one: Mapping[str, tuple[int, int]], other: Mapping[str, tuple[int, int]]) -> Counts:
    """Add up objects and bytes by kind."""
    kinds = sorted({*one, *other})
    nothing = (0, 0)
    return {
        kind: (
            one.get(kind, nothing)[0] + other.get(kind, nothing)[0],
            one.get(kind, nothing)[1] + other.get(kind, nothing)[1],
        )
        for kind in kinds
    }
