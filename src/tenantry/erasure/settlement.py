"""Settling an order to erase rows: the models that learnt from them go when nobody needs them."""

from collections.abc import Collection

from tenantry import layout
from tenantry.champions import read_champion
from tenantry.erasure.certificate import Certificate, write_certificate
from tenantry.erasure.models import replace_models
from tenantry.erasure.orders import RowOrder, amend_order, summed, united
from tenantry.erasure.pools import pools_in_use, replace_pools
from tenantry.erasure.removal import Removal
from tenantry.erasure.runs import runs_naming
from tenantry.store.contract import ObjectStore

WHY_POOLED = "rows that were erased are in it"


def settle_order(store: ObjectStore, order: RowOrder, active: Collection[str]) -> Certificate:
    """Withdraw the models of an order that nobody needs any more, and certify what was done.

    Args:
        store: The store.
        order: The order, carried out in the tenant's data.
        active: The tenants that go on being predicted.
    """
    product, tenant, removal = order.product, order.tenant, Removal(store)
    at_once = order.at_once or tenant not in active
    learnt = replace_models(removal, product, tenant, {*order.snapshots}, now=at_once)
    in_use = () if order.at_once else tuple(pools_in_use(store, product, active))
    pools = replace_pools(removal, product, order.pooled, in_use, WHY_POOLED)
    waiting = (*_tainted(store, product, tenant, learnt), *pools)
    order = amend_order(
        store,
        order,
        lambda it: it.model_copy(
            update={
                "models": united(it.models, learnt),
                "removed": summed(it.removed, removal.removed),
                "named": united(it.named, runs_naming(store, product, tenant)),
                "status": "waiting" if waiting else "done",
            }
        ),
    )
    certificate = _certify(order, waiting)
    key = write_certificate(store, certificate)
    amend_order(store, order, lambda it: it.model_copy(update={"certificate": key}))
    store.purge(order.key, keep_latest=True)
    if not waiting:
        store.purge(layout.waiting(product, tenant, order.name))
    return certificate


def _tainted(
    store: ObjectStore, product: str, tenant: str, versions: tuple[str, ...]
) -> tuple[str, ...]:
    champion = read_champion(store, product, tenant)
    marks = champion.tainted if champion else {}
    return tuple(version for version in versions if version in marks)


def _certify(order: RowOrder, waiting: tuple[str, ...]) -> Certificate:
    return Certificate(
        of="rows",
        product=order.product,
        tenant=order.tenant,
        when=order.when,
        who=order.who,
        why=order.why,
        removed=order.removed,
        rewritten=order.rewritten,
        columns=order.columns,
        keys=order.keys,
        rows=order.rows,
        models=order.models,
        pooled=order.pooled,
        waiting=waiting,
        runs=order.named,
    )
