"""Withdrawing models that learnt from what was erased."""

from collections.abc import Set as AbstractSet
from uuid import uuid4

from tenantry import layout
from tenantry.champions import Champion, read_champion
from tenantry.crowning import move_champion
from tenantry.erasure.removal import Removal
from tenantry.errors import ModelFileError
from tenantry.models.card import read_card
from tenantry.openings import opened
from tenantry.serving.entries import Entry
from tenantry.serving.index import change_entries
from tenantry.store.contract import ObjectStore

WHY = "it learnt from rows that were erased"


def replace_models(
    removal: Removal,
    product: str,
    tenant: str,
    snapshots: AbstractSet[str],
    *,
    now: bool = False,
) -> tuple[str, ...]:
    """Withdraw a tenant's models that were made from certain snapshots.

    The champion is only marked, and stays in use until another reigns: the planner makes training
    due, and whoever calls this next withdraws it.

    Args:
        removal: Removes and counts.
        product: The product.
        tenant: The tenant.
        snapshots: The snapshots that held erased rows.
        now: Whether the champion goes at once, too.

    Returns:
        The versions concerned; the one that is only marked is still there.
    """
    store = removal.store
    learnt = models_made_of(store, product, tenant, snapshots)
    champion = read_champion(store, product, tenant)
    if not learnt:
        return ()
    reigns = champion is not None and bool(champion.standing)
    kept = {champion.current.version} & {*learnt} if champion and reigns and not now else set()
    if champion is not None:
        gone = {reign.version for reign in champion.reigns} & {*learnt} - kept

        def change(found: Champion | None) -> Champion:
            return (found or champion).taint(sorted(kept), WHY).withdraw(sorted(gone), WHY)

        with opened(store, product, [tenant], run=f"erase-{uuid4().hex}"):
            moved = move_champion(store, product, tenant, change)
        removal.forget(layout.champion(product, tenant))
        _tell_servers(store, moved, product, tenant)
    for version in sorted({*learnt} - kept):
        removal.remove("models", layout.model_folder(product, tenant, version))
    return learnt


def _tell_servers(store: ObjectStore, champion: Champion, product: str, tenant: str) -> None:
    """Let servers forget which older versions there are, and the champion if it is withdrawn."""

    def change(entry: Entry) -> Entry | None:
        if entry.version in champion.withdrawn:
            return None
        known = bool(champion.standing) and entry.tells_of(champion)
        counter = max(entry.counter, champion.counter) if known else entry.counter
        return entry.model_copy(update={"counter": counter})

    change_entries(store, product, [tenant], change)


def models_made_of(
    store: ObjectStore, product: str, tenant: str, snapshots: AbstractSet[str]
) -> tuple[str, ...]:
    """Return the versions that were made from certain snapshots, or were not saved whole."""
    versions = store.list_folders(layout.models_folder(product, tenant))
    return tuple(
        version
        for version in versions
        if (snapshot := _snapshot(store, product, tenant, version)) is None or snapshot in snapshots
    )


def _snapshot(store: ObjectStore, product: str, tenant: str, version: str) -> str | None:
    """Return what a model was made from; None when it was not saved whole."""
    try:
        return read_card(store, product, tenant, version).snapshot
    except ModelFileError:
        return None
