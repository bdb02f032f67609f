"""Where each tenant of a product stands as of a time, from specs and store."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from tenantry import layout
from tenantry.champions import Reign, read_champion, tell_orders
from tenantry.fleet import read_run
from tenantry.members import Member
from tenantry.monitoring.judgements import Judgement, last_judgement
from tenantry.predictions import Receipt
from tenantry.receipts import read_receipts
from tenantry.records import passing_over
from tenantry.specs.load import Fleet
from tenantry.states import TenantRecord
from tenantry.store.contract import ObjectStore
from tenantry.surveys import Survey, survey

NO_SPEC = "no spec"
"""The state of a tenant that the store holds and no spec declares."""

MOVED = "moved"
"""The state of a tenant that the store holds and whose home is another region by now."""

_RUNS = 20
"""How many of the newest runs are searched for a tenant's failures."""


@dataclass(frozen=True)
class Standing:
    """Where a tenant stands.

    Attributes:
        tenant: Its name.
        state: `active`, `paused` or `retired` by its spec, or `no spec`, or `moved` away.
        region: Its home region; of one without a spec, or moved, the store's.
        reign: Its champion's reign; None when no model was crowned by then.
        orders: Orders of people that hold for it, in words: a rollback, a pin.
        unread: What of it cannot be read, in words, and is missing here.
        receipt: Of the latest window predicted; None when there is none.
        judgement: Of the latest window judged; None when there is none.
    """

    tenant: str
    state: str
    region: str
    reign: Reign | None
    receipt: Receipt | None
    judgement: Judgement | None
    orders: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def read_standings(store: ObjectStore, fleet: Fleet, as_of: datetime) -> tuple[Standing, ...]:
    """Read where every tenant stands: those of the specs and those only the store knows, by name.

    Args:
        store: The store.
        fleet: The product's specs.
        as_of: Nothing that a later run left counts (logical time).
    """
    found = survey(store, fleet.product)
    tenants = sorted({*fleet.specs, *found.stored})
    return tuple(_read_standing(found, fleet, tenant, as_of) for tenant in tenants)


def read_failures(store: ObjectStore, product: str, tenant: str) -> tuple[tuple[str, Member], ...]:
    """Return the runs, of the newest twenty, that failed a tenant or lost it, newest first.

    Newest by when their plans were written: runs have no order of their own.
    """
    runs = store.list_folders(layout.runs_folder())
    plans = ((info.modified, run) for run in runs if (info := store.find(layout.plan(run))))
    newest = (run for _, run in sorted(plans, reverse=True))
    return tuple(_failures(store, product, tenant, islice(newest, _RUNS)))


def _failures(
    store: ObjectStore, product: str, tenant: str, runs: Iterator[str]
) -> Iterator[tuple[str, Member]]:
    for run in runs:
        state = read_run(store, run)
        if state is None or state.product != product:
            continue
        for member in state.having("failed", "unknown"):
            if member.tenant == tenant:
                yield run, member


def _read_standing(found: Survey, fleet: Fleet, tenant: str, as_of: datetime) -> Standing:
    spec, record = fleet.specs.get(tenant), found.record(tenant)
    store, product = found.store, fleet.product
    champion = receipt = judgement = None
    unread: list[str] = []
    with passing_over(unread):
        champion = read_champion(store, product, tenant)
    with passing_over(unread):
        receipt = _last_receipt(store, product, record, as_of)
    with passing_over(unread):
        judgement = last_judgement(store, product, tenant, record.judged, until=as_of)
    known = champion.until(as_of) if champion else None
    return Standing(
        tenant=tenant,
        state=spec.state if spec else MOVED if tenant in fleet.elsewhere else NO_SPEC,
        region=spec.region if spec else fleet.region,
        reign=known.current if known else None,
        receipt=receipt,
        judgement=judgement,
        orders=tell_orders(known) if known else (),
        unread=tuple(unread),
    )


def _last_receipt(
    store: ObjectStore, product: str, record: TenantRecord, as_of: datetime
) -> Receipt | None:
    for window, some in sorted(record.predicted.items(), reverse=True):
        if any(one.as_of <= as_of for one in some):
            found = read_receipts(store, product, record.tenant, windows=[window], until=as_of)
            return found.get(window)
    return None
