"""All that the store holds of a tenant: one listing, and the records that say what belongs where.

What lineage follows and what retention must not break is read here, once. Imports no pandas.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TypeVar

from tenantry import layout
from tenantry.champions import Champion, read_champion
from tenantry.errors import ObjectMissingError, StoreError
from tenantry.events import EventName, parse_names
from tenantry.manifests import Manifest, read_manifest
from tenantry.models.card import Card, PooledCard
from tenantry.monitoring.judgements import Judgement
from tenantry.origins import Origin
from tenantry.places import Place, PlaceKind, parse_key
from tenantry.predictions import Receipt
from tenantry.records import Record
from tenantry.served import ServedReceipt
from tenantry.serving.entries import Entry
from tenantry.serving.index import read_entry
from tenantry.store.contract import ObjectInfo, ObjectStore
from tenantry.times import compact

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Holding:
    """An object and what it stands for."""

    place: Place
    info: ObjectInfo


class _Folder:
    """A folder of the store, listed once; its records are read when they are asked for.

    Args:
        store: The store.
        folder: The folder.
    """

    def __init__(self, store: ObjectStore, folder: str) -> None:
        self.store = store
        self.infos: dict[str, ObjectInfo] = {info.key: info for info in store.list(folder)}
        self.unreadable: dict[str, str] = {}

    @cached_property
    def objects(self) -> tuple[Holding, ...]:
        """The objects whose keys we know, by key."""
        places = ((parse_key(key), info) for key, info in self.infos.items())
        return tuple(Holding(place, info) for place, info in places if place)

    def of(self, *kinds: PlaceKind) -> tuple[Holding, ...]:
        """Return the objects of some kinds, by key."""
        return tuple(one for one in self.objects if one.place.kind in kinds)

    def has(self, key: str) -> bool:
        """Say whether there is an object."""
        return key in self.infos

    def records(
        self, kind: type[R], wanted: Callable[[Place], bool]
    ) -> Iterator[tuple[Holding, R]]:
        """Yield the records of one kind by key; those that cannot be read go to `unreadable`."""
        for one in self.objects:
            if wanted(one.place) and (record := self.record(kind, one.info.key)):
                yield one, record

    def record(self, kind: type[R], key: str) -> R | None:
        """Read a record; None when there is none, or when it is none (noted in `unreadable`)."""
        if key not in self.infos:
            return None
        try:
            return kind.from_json(self.store.get(key).content, key)
        except ValueError as error:
            self.unreadable[key] = str(error)
            return None


class Holdings(_Folder):
    """All that the store holds of a tenant, as of when it is made.

    Args:
        store: The store.
        product: The product.
        tenant: The tenant.
    """

    def __init__(self, store: ObjectStore, product: str, tenant: str) -> None:
        super().__init__(store, layout.tenant_folder(product, tenant))
        self.product, self.tenant = product, tenant

    @cached_property
    def champion(self) -> Champion | None:
        """Its reigns; None without any."""
        try:
            return read_champion(self.store, self.product, self.tenant)
        except ValueError as error:
            self.unreadable[layout.champion(self.product, self.tenant)] = str(error)
            return None

    @cached_property
    def served(self) -> Entry | None:
        """What the change index tells servers of it; None when nothing."""
        return read_entry(self.store, self.product, self.tenant)

    @cached_property
    def events(self) -> tuple[EventName, ...]:
        """The audit trail by time, from names alone."""
        return parse_names(self.infos, layout.events_folder(self.product, self.tenant))

    @property
    def rows_erased(self) -> bool:
        """Whether rows of the tenant were erased by key: what held them is gone on purpose."""
        return any(name.kind == "rows_erased" for name in self.events)

    @cached_property
    def cards(self) -> Mapping[str, Card]:
        """Version → card."""
        found = self.records(Card, lambda it: (it.kind, it.part) == ("model", "card.json"))
        return {one.place.name: card for one, card in found}

    @cached_property
    def receipts(self) -> Mapping[str, Receipt]:
        """Key → receipt."""
        found = self.records(
            Receipt, lambda it: (it.kind, it.part) == ("prediction", "receipt.json")
        )
        return {one.info.key: receipt for one, receipt in found}

    @cached_property
    def answers(self) -> Mapping[str, ServedReceipt]:
        """Key → receipt of logged answers to single rows."""
        found = self.records(ServedReceipt, lambda it: (it.kind, it.part) == ("served", "json"))
        return {one.info.key: receipt for one, receipt in found}

    @cached_property
    def judgements(self) -> Mapping[str, Judgement]:
        """Key → judgement."""
        found = self.records(
            Judgement, lambda it: (it.kind, it.part) == ("judgement", "judgement.json")
        )
        return {one.info.key: judgement for one, judgement in found}

    @cached_property
    def origins(self) -> Mapping[str, Origin]:
        """Key → what an ingest read."""
        found = self.records(Origin, lambda it: it.kind == "origin")
        return {one.info.key: origin for one, origin in found}

    def origins_of(self, snapshot: str) -> tuple[Origin, ...]:
        """Return what the ingests read that gave a snapshot, by time; reads no other."""
        found = self.records(Origin, lambda it: it.kind == "origin" and it.name == snapshot)
        return tuple(origin for _, origin in found)

    def origins_at(self, moment: datetime) -> tuple[Origin, ...]:
        """Return what the ingests as of a moment read; reads no other."""
        prefix = f"{compact(moment)}-"
        found = self.records(Origin, lambda it: it.kind == "origin" and it.part.startswith(prefix))
        return tuple(origin for _, origin in found)

    def manifest(self, snapshot: str) -> Manifest | None:
        """Read what a snapshot is made of; None when that is gone or is no manifest."""
        try:
            return read_manifest(self.store, self.product, self.tenant, snapshot)
        except ObjectMissingError:
            return None
        except (StoreError, ValueError) as error:
            key = layout.snapshot(self.product, self.tenant, snapshot)
            self.unreadable[key] = str(error)
            return None


class PooledHoldings(_Folder):
    """All pooled models that the store holds of a product.

    Args:
        store: The store.
        product: The product.
    """

    def __init__(self, store: ObjectStore, product: str) -> None:
        super().__init__(store, layout.pooled_models_folder(product))
        self.product = product

    @cached_property
    def cards(self) -> Mapping[tuple[str, str], PooledCard]:
        """Zone and version → card."""
        found = self.records(PooledCard, lambda it: (it.kind, it.part) == ("pooled", "card.json"))
        return {(one.place.zone, one.place.name): card for one, card in found}
