"""Which pooled model reigned when: the pointer `pooled.json` of a residency zone."""

from tenantry import layout
from tenantry.reigns import Reigned, Reigns, read_reigns, swap
from tenantry.store.contract import ObjectStore


class PooledReign(Reigned):
    """A pooled model's reign, since the `as_of` of the run that trained it; see `Reigned`.

    Attributes:
        definition: Digest of what it is made by.
    """

    definition: str


class PooledPointer(Reigns[PooledReign]):
    """Every pooled model of a zone."""


def read_pooled(store: ObjectStore, product: str, zone: str) -> PooledPointer | None:
    """Read the pointer of a zone; None when no pooled model was ever trained there.

    Raises:
        ValueError: The object is not such a record.
    """
    return read_reigns(store, layout.pooled(product, zone), PooledPointer)[0]


def enthrone(store: ObjectStore, product: str, zone: str, reign: PooledReign) -> PooledPointer:
    """Add a reign by compare-and-swap; a lost race is tried again on what the winner wrote.

    Reigns are kept in order of `since`, `turn`, `version`, whatever the order of writing; a reign
    of a version that is there for that moment already stays as it is.

    Raises:
        StoreUnavailableError: Other writers won a hundred times in a row.
    """

    def change(pointer: PooledPointer | None) -> PooledPointer:
        return pointer.with_reign(reign) if pointer else PooledPointer(counter=1, reigns=(reign,))

    return swap(store, layout.pooled(product, zone), PooledPointer, change)


def depose(store: ObjectStore, product: str, zone: str, version: str, why: str) -> None:
    """Let a pooled model count no more, at no moment; its files stay until they are collected."""

    def change(pointer: PooledPointer | None) -> PooledPointer:
        if pointer is None:
            msg = f"{product}: zone {zone} has no pooled model"
            raise ValueError(msg)
        return pointer.withdraw([version], why)

    swap(store, layout.pooled(product, zone), PooledPointer, change)
