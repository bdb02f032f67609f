"""Where each tenant of a product stands as of a time, from specs and store."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from tenantry import layout
from tenantry.champions import Reign, read_champion, tell_orders
from tenantry.fleet import Member, read_run
from tenantry.monitoring.judgements import Judgement, last_judgement
from tenantry.predictions import Receipt, list_predicted, read_receipts
from tenantry.specs.load import Fleet
from tenantry.store.contract import ObjectStore

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


def read_standings(store: ObjectStore, fleet: Fleet, as_of: datetime) -> tuple[Standing, ...]:
    """Read where every tenant stands: those of the specs and those only the store knows, by name.

    Args:
        store: The store.
        fleet: The product's specs.
        as_of: Nothing that a later run left counts (logical time).
    """
    stored = store.list_folders(layout.product_folder(fleet.product))
    return tuple(
        _read_standing(store, fleet, tenant, as_of) for tenant in sorted({*fleet.specs, *stored})
    )


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


def _read_standing(store: ObjectStore, fleet: Fleet, tenant: str, as_of: datetime) -> Standing:
    spec = fleet.specs.get(tenant)
    champion = read_champion(store, fleet.product, tenant)
    known = champion.until(as_of) if champion else None
    return Standing(
        tenant=tenant,
        state=spec.state if spec else MOVED if tenant in fleet.elsewhere else NO_SPEC,
        region=spec.region if spec else fleet.region,
        reign=known.current if known else None,
        receipt=_last_receipt(store, fleet.product, tenant, as_of),
        judgement=last_judgement(store, fleet.product, tenant, until=as_of),
        orders=tell_orders(known) if known else (),
    )


def _last_receipt(store: ObjectStore, product: str, tenant: str, as_of: datetime) -> Receipt | None:
    windows = {predicted.span for predicted in list_predicted(store, product, tenant)}
    for window in sorted(windows, reverse=True):
        found = read_receipts(store, product, tenant, windows=[window], until=as_of)
        if window in found:
            return found[window]
    return None
