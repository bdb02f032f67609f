"""Openings: who is being worked on, so that nobody takes the index for the truth about them.

A writer opens its tenants before its first write and closes them after its last: it reads what
their folders hold by then, adds that to the index, and only then removes the opening. A reader
lists the openings *first* and reads the index *then*: whatever was written by a writer that it does
not see open any more is in the index by then. Tenants that are open are read from their folders.

An opening that nobody closes is left by a run that died. Its tenants go on being read from their
folders, for a worker may have outlived its run; a day after its last stage began the next plan that
writes closes it. Should the run be alive after all, its next stage opens it again, and its end puts
the index right; between, a plan may at worst plan again what is done, which changes nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from tenantry import layout
from tenantry.at_work import strike
from tenantry.backoff import outcome_events
from tenantry.erasure.tombstones import erased_tenants
from tenantry.errors import ObjectMissingError, StoreError
from tenantry.events import write_event
from tenantry.facts import DEATHS, Measured
from tenantry.index import Index, map_tenants, read_index, write_segment
from tenantry.ledger import STAGES, Entry, Ledger
from tenantry.records import Record
from tenantry.states import TenantRecord
from tenantry.store.contract import ObjectStore
from tenantry.times import Moment
from tenantry.told import told_by_ledger
from tenantry.truth import read_state, told_by

STALE = timedelta(days=1)
"""A run that began no stage of a shard for so long is taken for dead."""

VERB = "verb"
"""The shard of an opening that a command made."""


class Opening(Record):
    """Who is being worked on by whom.

    Attributes:
        product: The product.
        run: The run, or what stands for one.
        shard: The shard.
        as_of: The run's logical time; None for a command.
        tenants: Who.
    """

    product: str
    run: str
    shard: str
    as_of: Moment | None = None
    tenants: tuple[str, ...]

    @property
    def key(self) -> str:
        """Where it is kept."""
        return layout.opening(self.product, self.run, self.shard)

    @property
    def at_work(self) -> str:
        """Where its shard says who is being worked on; see `tenantry.at_work`."""
        return layout.at_work(self.product, self.run, self.shard)


@dataclass(frozen=True)
class Found:
    """An opening in the store.

    Attributes:
        opening: What it says.
        modified: When it was last written, by the store's clock.
    """

    opening: Opening
    modified: datetime


def open_shard(store: ObjectStore, ledger: Ledger) -> None:
    """Say that a shard is being worked on; said again at each stage, so that it stays fresh."""
    opening = _opening_of(ledger)
    store.put(opening.key, opening.to_json())


def close_shard(store: ObjectStore, ledger: Ledger) -> None:
    """Bring a shard's tenants into the index after its last stage.

    Their trails are told first which stages failed, and which went well again; the index also
    learns what each stage cost. Who lived through the run is suspect of no earlier one any more.
    """
    header, entries = ledger.header, {entry.tenant: entry for entry in ledger.entries}
    lived = {name for name, entry in entries.items() if _has_lived(entry)}

    def conclude(record: TenantRecord) -> TenantRecord:
        entry = entries[record.tenant]
        if record.marked and record.tenant in lived:  # by an earlier version
            store.delete(layout.attempt(header.product, record.tenant))
        events = outcome_events(entry, header, record.failures)
        for event in events:
            write_event(store, event)
        costs = {
            done.stage: Measured(header.as_of, done.cost.cpu_seconds)
            for done in entry.outcomes
            if done.status in {"done", "fell_back"}
        }
        facts = told_by(record.tenant, events)
        return record.join(replace(facts, costs=costs))

    told = {name: told_by_ledger(entry, header) for name, entry in entries.items()}
    close(store, _opening_of(ledger), heard=told, conclude=conclude)
    strike(store, header.product, header.run, lived)


def _has_lived(entry: Entry) -> bool:
    """Say whether a tenant was worked on and took no worker down."""
    return bool(entry.outcomes) and not any(one.kind in DEATHS for one in entry.failures)


def close_run(store: ObjectStore, product: str, run: str) -> None:
    """Close the shards of a run that came to their ends and were not closed.

    Those that did not stay open: a worker may have outlived its shard, and still write.
    """
    for found in list_openings(store, product, run):
        key = layout.ledger(run, found.opening.shard, STAGES[-1])
        if store.find(key):
            close_shard(store, Ledger.from_lines(store.get(key).content, key))


def close(
    store: ObjectStore,
    opening: Opening,
    *,
    told: Mapping[str, TenantRecord] | None = None,
    heard: Mapping[str, TenantRecord] | None = None,
    conclude: Callable[[TenantRecord], TenantRecord] = lambda record: record,
) -> None:
    """Bring the tenants of an opening into the index, then remove the opening.

    Args:
        store: The store.
        opening: The opening.
        told: What the writer knows it wrote, for tenants whose folders need not be read.
        heard: What the writer knows it wrote, of tenants that others may have written about, too;
            their folders are listed, and what this does not tell is read.
        conclude: Adds to what a tenant's folder holds; is called for each that was read.
    """
    told = told or {}
    index = read_index(store, opening.product) or Index(opening.product)
    erased = erased_tenants(store, opening.product)
    unknown = [one for one in opening.tenants if one not in told and one not in erased]
    found = map_tenants(partial(_read, store, index, heard or {}, conclude), unknown)
    write_segment(store, opening.product, [*told.values(), *filter(None, found)])
    if opening.as_of:
        store.delete(opening.at_work)
    store.delete(opening.key)


def _read(
    store: ObjectStore,
    index: Index,
    heard: Mapping[str, TenantRecord],
    conclude: Callable[[TenantRecord], TenantRecord],
    tenant: str,
) -> TenantRecord | None:
    """Return what the index lacks of a tenant; None when it lacks nothing."""
    known = index.record(tenant)
    told = heard.get(tenant)
    before = known.join(told) if known and told else known or told
    record = conclude(read_state(store, index.product, tenant, before))
    if known is None:
        return record
    news = replace(record.minus(known), marked=False)
    return news if news != TenantRecord(tenant) else None


def list_openings(store: ObjectStore, product: str, run: str = "") -> tuple[Found, ...]:
    """Return what is open in a product, or of one of its runs."""
    folder = layout.openings_folder(product) + (f"{run}/" if run else "")
    return tuple(
        found for info in store.list(folder) for found in _find(store, info.key, info.modified)
    )


def busy_tenants(store: ObjectStore, product: str) -> dict[str, str]:
    """Return tenant → the run, or the command, that is working on it, or was when it died."""
    found = list_openings(store, product)
    return {tenant: one.opening.run for one in found for tenant in one.opening.tenants}


def _find(store: ObjectStore, key: str, modified: datetime) -> Iterator[Found]:
    try:
        content = store.get(key).content
    except ObjectMissingError:  # closed meanwhile
        return
    yield Found(Opening.from_json(content, key), modified)


class Told:
    """What a command says it wrote about tenants, so that their folders need not be read again."""

    def __init__(self) -> None:
        self.records: dict[str, TenantRecord] = {}

    def tell(self, record: TenantRecord) -> None:
        """Tell all that was written about a tenant; may be a part of what is known of it."""
        self.records[record.tenant] = record


@contextmanager
def opened(store: ObjectStore, product: str, tenants: Iterable[str], *, run: str) -> Iterator[Told]:
    """Open tenants for what a command writes about them, and close them after.

    Args:
        store: The store.
        product: The product.
        tenants: Whom the command may write about.
        run: A name of its own for this call of the command, e.g. ``rollback-<uuid>``.
    """
    opening = Opening(product=product, run=run, shard=VERB, tenants=tuple(sorted(tenants)))
    told = Told()
    if not opening.tenants:
        yield told
        return
    store.put(opening.key, opening.to_json())
    try:
        yield told
    except Exception:
        with suppress(StoreError):
            close(store, opening)
        raise
    close(store, opening, told=told.records)


def _opening_of(ledger: Ledger) -> Opening:
    header = ledger.header
    return Opening(
        product=header.product,
        run=header.run,
        shard=header.shard,
        as_of=header.as_of,
        tenants=tuple(sorted(entry.tenant for entry in ledger.entries)),
    )
