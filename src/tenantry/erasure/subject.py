"""Erasing a data subject: the rows that some keys name, and the models that learnt from them."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from tenantry.digests import digest
from tenantry.erasure.certificate import Certificate
from tenantry.erasure.models import models_made_of
from tenantry.erasure.orders import RowOrder, amend_order, place_order, read_orders, united
from tenantry.erasure.pools import pools_fed_by, pools_in_use
from tenantry.erasure.rows import Holdings, find_holdings, scrub_rows
from tenantry.erasure.settlement import settle_order
from tenantry.erasure.suppression import Suppressed, hash_rows, read_suppressed, suppress
from tenantry.errors import ErasureError, Fault
from tenantry.events import Event, write_event
from tenantry.specs.model import Spec
from tenantry.store.contract import ObjectStore
from tenantry.values import FAULTS, read_values


@dataclass(frozen=True)
class Preview:
    """What an erasure of rows would concern.

    Attributes:
        rows: How many rows the keys name, in snapshots.
        snapshots: The snapshots that hold them.
        models: The versions made of these.
        pooled: The pooled models that may have learnt from them.
        in_use: Of these, those on which champions stand, with the tenants' names.
    """

    rows: int
    snapshots: tuple[str, ...]
    models: tuple[str, ...]
    pooled: tuple[str, ...]
    in_use: dict[str, tuple[str, ...]]


def read_keys(spec: Spec, columns: Sequence[str], values: Sequence[Sequence[str]]) -> pd.DataFrame:
    """Return the keys of a data subject as a frame.

    Args:
        spec: The tenant's spec.
        columns: Columns of the contract.
        values: A value for each column, a key a row.

    Raises:
        ErasureError: A column is not in the contract, or a value is none of its type. Values are
            not quoted.
    """
    known = ", ".join(spec.contract.columns)
    faults = [
        Fault(f"--key: {name}", "is no column of the contract", f"its columns are {known}")
        for name in columns
        if name not in spec.contract.columns
    ]
    frame = pd.DataFrame(list(values), columns=list(columns), dtype="str")
    for name in columns:
        if name in spec.contract.columns and frame[name].notna().all():
            kind = spec.contract.columns[name].type
            read = read_values(frame[name], kind)
            bad = int((read.bad | read.clean.isna().to_numpy()).sum())
            if bad:
                faults.append(Fault(f"--key: {name}", f"{bad} values: {FAULTS[kind]} or missing"))
    if frame.empty:
        faults.append(Fault("--key", "names nothing", "write column=value"))
    if faults:
        raise ErasureError(faults)
    return frame


def preview_rows(
    store: ObjectStore, spec: Spec, keys: pd.DataFrame, active: Collection[str]
) -> Preview:
    """Find what an erasure of rows would concern; changes nothing."""
    salt = secrets.token_hex(32)
    columns = tuple(sorted(str(name) for name in keys.columns))
    hashes = [one for one in hash_rows(salt, keys, columns, spec.contract.columns) if one]
    held = find_holdings(store, spec, Suppressed(salt=salt).add(columns, sorted(hashes)))
    pooled = _pooled(store, spec, held)
    in_use = pools_in_use(store, spec.product, active)
    return Preview(
        rows=len(held.keys),
        snapshots=held.snapshots,
        models=models_made_of(store, spec.product, spec.tenant, {*held.snapshots}),
        pooled=pooled,
        in_use={pool: in_use[pool] for pool in pooled if pool in in_use},
    )


def erase_rows(  # noqa: PLR0913 - an order and what it concerns
    store: ObjectStore,
    spec: Spec,
    keys: pd.DataFrame,
    *,
    who: str,
    why: str,
    when: datetime,
    active: Collection[str],
    now: bool = False,
) -> Certificate:
    """Erase the rows that `keys` name, from all that a tenant has, and for good.

    Args:
        store: The store.
        spec: The tenant's spec.
        keys: What `read_keys` returned.
        who: Who orders it.
        why: Why.
        when: Now, by the clock on the wall.
        active: The tenants that go on being predicted.
        now: Whether models that learnt from the rows go at once, even those in use.
    """
    product, tenant = spec.product, spec.tenant
    hashes = suppress(store, spec, keys)
    name = digest(list(hashes))[:16]
    order = RowOrder(
        product=product,
        tenant=tenant,
        name=name,
        when=when,
        who=who,
        why=why,
        columns=tuple(sorted(str(column) for column in keys.columns)),
        keys=len(hashes),
    )
    order = place_order(store, order)
    suppressed = read_suppressed(store, product, tenant) or Suppressed(salt="")
    held = find_holdings(store, spec, suppressed)
    pooled = _pooled(store, spec, held)
    order = amend_order(store, order, lambda it: _renewed(it, pooled, now=now))
    order = scrub_rows(store, spec, name=name) or order
    _record(store, order)
    return settle_order(store, order, active)


def _renewed(order: RowOrder, pooled: tuple[str, ...], *, now: bool) -> RowOrder:
    return order.model_copy(
        update={
            "status": "pending",
            "pooled": united(order.pooled, pooled),
            "at_once": now or order.at_once,
        }
    )


def _pooled(store: ObjectStore, spec: Spec, held: Holdings) -> tuple[str, ...]:
    """Return the pooled models that may have learnt from the rows: those that know a label."""
    if held.learnable is None:
        return ()
    return pools_fed_by(store, spec.product, spec.tenant, held.learnable)


def _record(store: ObjectStore, order: RowOrder) -> None:
    """Leave the order in the tenant's audit trail."""
    names = [one.name for one in read_orders(store, order.product, order.tenant)]
    event = Event(
        kind="rows_erased",
        as_of=order.when,
        product=order.product,
        tenant=order.tenant,
        sentence=f"{order.rows:,} rows were erased by key",
        evidence={"order": order.name, "rows": order.rows, "models": len(order.models)},
        turn=names.index(order.name),
        who=order.who,
        why=order.why,
        when=order.when,
    )
    write_event(store, event)
