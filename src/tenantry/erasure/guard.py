"""What a running stage owes to erasures: it removes again what it wrote for whoever was erased.

A stage reads the marks before it begins and again after it has written. So whatever comes in
between, of a stage and an erasure the one that ends later leaves nothing behind.
"""

import logging
from collections.abc import Iterable, Mapping

from tenantry import layout
from tenantry.erasure.tombstones import Marks, read_marks, sweep
from tenantry.ledger import Ledger
from tenantry.serving.index import forget_served
from tenantry.specs.model import Spec
from tenantry.store.contract import ObjectStore
from tenantry.store.open import eraser

LOG = logging.getLogger(__name__)


def undo_erased(
    store: ObjectStore, product: str, before: Marks, specs: Mapping[str, Spec]
) -> frozenset[str]:
    """Remove what was written for tenants and rows that were erased.

    Args:
        store: The store.
        product: The product.
        before: The marks as they were before anything was written.
        specs: The tenants written for.

    Returns:
        The erased tenants among them.
    """
    now = read_marks(store, product)
    erased = now.tenants & specs.keys()
    changed = (now.newer_rows(before) & specs.keys()) - erased
    if not erased and not changed:
        return erased
    store = eraser(store, product)
    _tell(sweep(store, product, erased), product, "the tenant was erased")
    for tenant in sorted(erased):
        forget_served(store, product, tenant)
    if changed:
        from tenantry.erasure.rows import scrub_rows

        for tenant in sorted(changed):
            scrub_rows(store, specs[tenant])
        _tell(changed, product, "rows were erased")
    return erased


def undo_stage(
    store: ObjectStore, result: Ledger, before: Marks, specs: Mapping[str, Spec]
) -> Ledger:
    """Remove what a stage wrote for tenants and rows that were erased; return the ledger that is.

    Args:
        store: The store.
        result: The ledger as the stage wrote it.
        before: The marks as they were before the stage began.
        specs: The shard's tenants.
    """
    header = result.header
    kept = result.without(undo_erased(store, header.product, before, specs))
    key = layout.ledger(header.run, header.shard, header.stage)
    if not kept.entries:
        store.purge(key)
    elif kept != result:
        store.put(key, kept.to_lines())
        store.purge(key, keep_latest=True)
    return kept


def _tell(tenants: Iterable[str], product: str, what: str) -> None:
    for tenant in tenants:
        LOG.warning(
            "%s meanwhile: what was written is removed",
            what,
            extra={"product": product, "tenant": tenant},
        )
