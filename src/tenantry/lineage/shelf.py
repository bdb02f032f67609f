"""Reading the store for lineage: each folder once, and never an exception for what is gone."""

from functools import cached_property

from tenantry import layout
from tenantry.erasure.tombstones import read_tombstone
from tenantry.events import Event
from tenantry.holdings import Holdings, PooledHoldings
from tenantry.lineage.nodes import State
from tenantry.models.pooled import PooledPointer, read_pooled
from tenantry.predictions import Receipt
from tenantry.receipts import in_force
from tenantry.retention.collected import Collection, collected_keys, read_collections
from tenantry.store.contract import ObjectStore


class TenantShelf(Holdings):
    """What the store holds of a tenant, and what it once held."""

    @cached_property
    def tenants_state(self) -> State:
        """`erased` when the tenant was; else `there`."""
        stone = read_tombstone(self.store, self.product, self.tenant)
        return "erased" if stone else "there"

    @cached_property
    def collections(self) -> tuple[Collection, ...]:
        """What retention removed."""
        return tuple(read_collections(self.store, self.product, self.tenant))

    @cached_property
    def collected(self) -> frozenset[str]:
        """The keys of what retention removed, besides feature tables."""
        return collected_keys(self.collections)

    @cached_property
    def decisions(self) -> dict[str, Event]:
        """Version → the gate's last decision on it."""
        folder = layout.events_folder(self.product, self.tenant)
        keys = [key for key in self.infos if key.startswith(folder)]
        wanted = [key for key in keys if "-promoted-" in key or "-kept-" in key]
        found = [event for key in wanted if (event := self.record(Event, key))]
        return {event.version: event for event in found}

    @cached_property
    def in_force(self) -> dict[str, Receipt]:
        """Window → the receipt in force."""
        by_window: dict[str, list[Receipt]] = {}
        for receipt in self.receipts.values():
            by_window.setdefault(receipt.window, []).append(receipt)
        winners = ((window, in_force(rivals)) for window, rivals in by_window.items())
        return {window: winner for window, winner in winners if winner}

    @cached_property
    def judged_in(self) -> dict[str, tuple[str, ...]]:
        """Key of a receipt → keys of the judgements of it."""
        found: dict[str, tuple[str, ...]] = {}
        for key, judgement in self.judgements.items():
            found[judgement.receipt] = (*found.get(judgement.receipt, ()), key)
        return found

    def state_of(self, *keys: str) -> State:
        """Return the state of a thing that needs all these objects."""
        gone = [key for key in keys if not self.has(key)]
        if any(key in self.unreadable for key in keys):
            return "unreadable"
        if not gone:
            return "there"
        if self.tenants_state == "erased" or self._is_withdrawn(gone):
            return "erased"
        if all(self._is_collected(key) for key in gone):
            return "collected"
        return "erased" if self.rows_erased else "missing"

    def _is_collected(self, key: str) -> bool:
        if key in self.collected:
            return True
        is_table = key.startswith(layout.features_folder(self.product, self.tenant))
        return is_table and any(record.features for record in self.collections)

    def _is_withdrawn(self, keys: list[str]) -> bool:
        withdrawn = self.champion.withdrawn if self.champion else {}
        return any(f"/models/{version}/" in key for key in keys for version in withdrawn)


class Shelf:
    """All that lineage reads of a store, each thing once.

    Args:
        store: The store.
    """

    def __init__(self, store: ObjectStore) -> None:
        self.store = store
        self._tenants: dict[tuple[str, str], TenantShelf] = {}
        self._pooled: dict[str, PooledHoldings] = {}
        self._collected: dict[str, frozenset[str]] = {}

    def tenant(self, product: str, tenant: str) -> TenantShelf:
        """Return what is held of a tenant."""
        place = (product, tenant)
        if place not in self._tenants:
            self._tenants[place] = TenantShelf(self.store, product, tenant)
        return self._tenants[place]

    def tenants(self, product: str) -> tuple[str, ...]:
        """Return the tenants that the store holds of a product, by name."""
        return tuple(self.store.list_folders(layout.product_folder(product)))

    def pooled(self, product: str) -> PooledHoldings:
        """Return what is held of a product's pooled models."""
        if product not in self._pooled:
            self._pooled[product] = PooledHoldings(self.store, product)
        return self._pooled[product]

    def collected(self, product: str) -> frozenset[str]:
        """Return what retention removed of a product's pooled models and runs."""
        if product not in self._collected:
            self._collected[product] = collected_keys(read_collections(self.store, product))
        return self._collected[product]

    def products(self) -> tuple[str, ...]:
        """Return the products that the store knows, by name."""
        return tuple(self.store.list_folders("products/"))

    def pooled_pointer(self, product: str, zone: str) -> PooledPointer | None:
        """Return which pooled models reigned in a zone; None when nobody knows."""
        try:
            return read_pooled(self.store, product, zone)
        except ValueError:
            return None
