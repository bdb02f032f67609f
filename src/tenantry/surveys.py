"""A survey: what is known of a product's tenants now, by the index where it holds the truth."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from itertools import chain

from tenantry import layout
from tenantry.at_work import find_at_work
from tenantry.erasure.tombstones import erased_tenants
from tenantry.errors import ObjectMissingError
from tenantry.events import Event, write_event
from tenantry.facts import SHARD_DIED
from tenantry.index import MANY, Index, compact, forget, map_tenants, read_index, rebuild
from tenantry.openings import STALE, Found, Opening, close, list_openings
from tenantry.serving.entries import Entry
from tenantry.serving.index import read_entries
from tenantry.states import TenantRecord
from tenantry.store.contract import ObjectStore
from tenantry.truth import read_state

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Survey:
    """What is known of a product's tenants.

    Attributes:
        store: Where.
        product: Of which product.
        openings: What was open before the index was read.
        index: The index; None when there is none, and the tenants' folders are read.
        erased: The tenants that were erased.
        suspects: The tenants that a shard is working on right now, or was when it died.
        folders: The tenants that have a folder, where there is no index.
    """

    store: ObjectStore
    product: str
    openings: tuple[Found, ...]
    index: Index | None
    erased: frozenset[str]
    suspects: frozenset[str] = frozenset()
    folders: frozenset[str] = frozenset()

    def record(self, tenant: str) -> TenantRecord:
        """Return what is known of a tenant."""
        if tenant in self.erased:
            return TenantRecord(tenant, erased=True)
        known = self.index.record(tenant) if self.index else None
        if tenant in self.folders or tenant in self.open_tenants:
            record = read_state(self.store, self.product, tenant, known)
            return replace(record, marked=record.marked or tenant in self.suspects)
        return known or TenantRecord(tenant)

    @cached_property
    def served(self) -> Mapping[str, Entry]:
        """What the change index tells servers, by tenant."""
        return read_entries(self.store, self.product)

    @cached_property
    def open_tenants(self) -> frozenset[str]:
        """The tenants that someone is working on, or was when it died."""
        return frozenset(chain.from_iterable(one.opening.tenants for one in self.openings))

    @cached_property
    def stored(self) -> frozenset[str]:
        """The tenants that the store holds anything of."""
        if self.index is None:
            return self.folders
        return (frozenset(self.index.lines) | self.open_tenants) - self.erased


def survey(store: ObjectStore, product: str) -> Survey:
    """Find out what is known of a product's tenants; reads few objects, however many they are."""
    openings = list_openings(store, product)  # before the index, see `tenantry.openings`
    marks = (find_at_work(store, one.opening.at_work) for one in openings if one.opening.as_of)
    suspects = frozenset(chain.from_iterable(mark.tenants for mark in marks if mark))
    index = read_index(store, product)
    folders = store.list_folders(layout.product_folder(product)) if index is None else ()
    return Survey(
        store,
        product,
        openings,
        index,
        erased_tenants(store, product),
        suspects,
        frozenset(folders),
    )


def tend(found: Survey) -> None:
    """Keep the index whole and small; done by a plan that writes anyway.

    Builds it where there is none, closes what a run that died left open a day ago, and joins
    segments when there are many.
    """
    if found.index is None:
        rebuild(found.store, found.product)
    now = datetime.now(UTC)
    for one in found.openings:
        if now - one.modified > STALE:
            _heal(found.store, one.opening)
    if found.index:
        _tidy(found.store, found.index, found.erased)


def _tidy(store: ObjectStore, index: Index, erased: frozenset[str]) -> None:
    for tenant in sorted(erased & index.lines.keys()):
        forget(store, index.product, tenant)  # who was late has added it again
    if len(index.segments) >= MANY:
        lines = {name: some for name, some in index.lines.items() if name not in erased}
        compact(store, replace(index, lines=lines))


def find_differences(found: Survey) -> dict[str, str]:
    """Compare the index with the folders of all tenants that nobody is working on.

    Returns:
        Tenant → what the index has differently, in words; empty when index and truth are equal.
    """
    folders = found.store.list_folders(layout.product_folder(found.product))
    tenants = sorted({*folders, *found.stored} - found.open_tenants - found.erased)
    read = partial(read_state, found.store, found.product)
    differences = {}
    for truth in map_tenants(read, tenants):
        known = found.index.record(truth.tenant) if found.index else None
        if words := _difference(known, truth):
            differences[truth.tenant] = words
    return differences


def _difference(known: TenantRecord | None, truth: TenantRecord) -> str:
    if known is None:
        return "is not in the index" if truth != TenantRecord(truth.tenant) else ""
    aside = ("tenant", "marked", "costs")
    names = [one.name for one in fields(truth) if one.name not in aside]
    others = [name for name in names if getattr(known, name) != getattr(truth, name)]
    return f"the index has other {', '.join(others)}" if others else ""


def _heal(store: ObjectStore, opening: Opening) -> None:
    """Close what a dead run left open; who was being worked on then has failed in it."""
    LOG.warning("run %s died in shard %s; its tenants are read again", opening.run, opening.shard)
    found = find_at_work(store, opening.at_work)
    if found and opening.as_of:
        erased = erased_tenants(store, opening.product)
        for tenant in found.tenants:
            if tenant not in erased:
                write_event(store, _crash(opening, tenant, found.stage))
    _heal_earlier(store, opening)
    close(store, opening)


def _heal_earlier(store: ObjectStore, opening: Opening) -> None:
    """Do so by what a version left that wrote an object for each tenant."""
    for tenant in opening.tenants:
        key = layout.attempt(opening.product, tenant)
        try:
            marker = json.loads(store.get(key).content)
        except ObjectMissingError:
            continue
        if opening.as_of and marker["run"] == opening.run:
            write_event(store, _crash(opening, tenant, marker["stage"]))
            store.delete(key)


def _crash(opening: Opening, tenant: str, stage: str) -> Event:
    return Event(
        kind="failed",
        as_of=opening.as_of,
        product=opening.product,
        tenant=tenant,
        run=opening.run,
        stage=stage,
        sentence=f"its shard died in {stage}, which worked on it or on one close by",
        evidence={"kind": SHARD_DIED},
    )
