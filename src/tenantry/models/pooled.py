"""Which pooled model reigned when: the pointer `pooled.json` of a residency zone."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from tenantry import layout
from tenantry.champions import Champion, read_champion
from tenantry.reigns import Reigned, Reigns, read_reigns, swap
from tenantry.states import TenantRecord
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


@dataclass(frozen=True)
class PooledMarks:
    """Which pooled models learnt from rows that were erased since, ``<zone>/<version>`` → why.

    Attributes:
        tainted: Those to be replaced, still in use.
        withdrawn: Those whose files were removed; one that was only deposed still serves.
    """

    tainted: dict[str, str] = field(default_factory=dict)
    withdrawn: dict[str, str] = field(default_factory=dict)

    def apply(self, champion: Champion) -> Champion:
        """Return the champion with the reigns that stand on these marked likewise; for reading."""
        for reign in champion.reigns:
            if why := self.withdrawn.get(reign.pooled):
                champion = champion.withdraw([reign.version], why)
            elif why := self.tainted.get(reign.pooled):
                champion = champion.taint([reign.version], why)
        return champion

    def apply_to(self, record: TenantRecord) -> TenantRecord:
        """Return what is known of a tenant, its champion marked likewise."""
        if record.champion is None:
            return record
        return replace(record, champion=self.apply(record.champion))


def read_pooled_marks(store: ObjectStore, product: str) -> PooledMarks:
    """Read the marks of all zones of a product."""
    zones = store.list_folders(layout.pooled_models_folder(product))
    return _read_marks(store, product, zones)


def _read_marks(store: ObjectStore, product: str, zones: Iterable[str]) -> PooledMarks:
    marks = PooledMarks()
    for zone in zones:
        if pointer := read_pooled(store, product, zone):
            marks.tainted.update({f"{zone}/{one}": why for one, why in pointer.tainted.items()})
            for version, why in pointer.withdrawn.items():
                if not store.find(f"{layout.pooled_folder(product, zone, version)}card.json"):
                    marks.withdrawn[f"{zone}/{version}"] = why
    return marks


def read_usable_champion(store: ObjectStore, product: str, tenant: str) -> Champion | None:
    """Read a tenant's champion, marked where the pooled model that a reign stands on is.

    Raises:
        ValueError: The object is not such a record.
    """
    champion = read_champion(store, product, tenant)
    return mark_champion(store, product, champion) if champion else None


def mark_champion(store: ObjectStore, product: str, champion: Champion) -> Champion:
    """Return a champion, marked where the pooled model that a reign stands on is; for reading."""
    zones = {reign.pooled.split("/")[0] for reign in champion.reigns if reign.pooled}
    return _read_marks(store, product, sorted(zones)).apply(champion)
