"""Pooled models that learnt from what was erased: marked, replaced by the next run, withdrawn.

A pooled model serves other tenants. So it stays in use until no tenant's champion stands on it any
more: the mark makes it due in the next run, and training due for every tenant that stands on it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime

from tenantry import layout
from tenantry.champions import read_champion
from tenantry.erasure.removal import Removal
from tenantry.errors import ModelFileError
from tenantry.models.card import PooledCard, read_pooled_card
from tenantry.models.pooled import PooledPointer
from tenantry.reigns import read_reigns, swap
from tenantry.store.contract import ObjectStore


def pools_fed_by(
    store: ObjectStore, product: str, tenant: str, since: datetime | None = None
) -> tuple[str, ...]:
    """Return the pooled models that rows of a tenant are in, ``<zone>/<version>``.

    Args:
        store: The store.
        product: The product.
        tenant: The tenant.
        since: Only models that know this moment; all when None.
    """
    fed = []
    for zone in store.list_folders(layout.pooled_models_folder(product)):
        for version in store.list_folders(f"{layout.pooled_models_folder(product)}{zone}/"):
            card = _card(store, product, zone, version)
            if card is None or (tenant in card.contributors and _knows(card, since)):
                fed.append(f"{zone}/{version}")
    return tuple(fed)


def pools_in_use(
    store: ObjectStore, product: str, tenants: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    """Return the pooled models on which the champions of `tenants` stand, with their names."""
    users: dict[str, list[str]] = defaultdict(list)
    for tenant in sorted(tenants):
        champion = read_champion(store, product, tenant)
        if champion is not None and champion.standing and champion.current.pooled:
            users[champion.current.pooled].append(tenant)
    return {pool: tuple(names) for pool, names in users.items()}


def replace_pools(
    removal: Removal, product: str, pools: Collection[str], in_use: Collection[str], why: str
) -> tuple[str, ...]:
    """Withdraw and remove pooled models; those in use are only marked.

    Args:
        removal: Removes and counts.
        product: The product.
        pools: The models, ``<zone>/<version>``.
        in_use: Those that have to stay for now.
        why: For the record.

    Returns:
        Those that are only marked.
    """
    zones: dict[str, list[str]] = defaultdict(list)
    for pool in pools:
        zone, _, version = pool.partition("/")
        zones[zone].append(version)
    for zone, versions in zones.items():
        gone = [version for version in versions if f"{zone}/{version}" not in in_use]
        kept = [version for version in versions if version not in gone]
        _mark(removal.store, product, zone, kept, gone, why)
        for version in gone:
            removal.remove("pooled models", layout.pooled_folder(product, zone, version))
    return tuple(sorted(pool for pool in pools if pool in in_use))


def _mark(  # noqa: PLR0913, PLR0917 - a pointer and its marks
    store: ObjectStore, product: str, zone: str, kept: list[str], gone: list[str], why: str
) -> None:
    key = layout.pooled(product, zone)
    if read_reigns(store, key, PooledPointer)[0] is None:
        return

    def change(found: PooledPointer | None) -> PooledPointer:
        if found is None:
            msg = f"{key}: vanished while it was marked"
            raise ValueError(msg)
        reigned = {reign.version for reign in found.reigns}
        return found.taint([v for v in kept if v in reigned], why).withdraw(
            [v for v in gone if v in reigned], why
        )

    swap(store, key, PooledPointer, change)
    store.purge(key, keep_latest=True)


def _card(store: ObjectStore, product: str, zone: str, version: str) -> PooledCard | None:
    """Read a pooled model's card; None when it was not saved whole."""
    try:
        return read_pooled_card(store, product, zone, version)
    except ModelFileError:
        return None


def _knows(card: PooledCard, since: datetime | None) -> bool:
    return since is None or card.as_of >= since
