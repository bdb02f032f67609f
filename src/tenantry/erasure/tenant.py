"""Erasing a tenant: tombstone first, then every byte of it, then the certificate.

Every step can be repeated: an erasure that was killed goes on when it is ordered again, and what a
run wrote meanwhile goes the next time.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from tenantry import layout
from tenantry.erasure.certificate import Certificate, write_certificate
from tenantry.erasure.orders import Counts, united
from tenantry.erasure.pools import pools_fed_by, pools_in_use, replace_pools
from tenantry.erasure.removal import Removal
from tenantry.erasure.runs import runs_naming, scrub_runs
from tenantry.erasure.tombstones import (
    Tombstone,
    amend_tombstone,
    read_tombstone,
    write_tombstone,
)
from tenantry.index import forget
from tenantry.openings import list_openings
from tenantry.serving.index import forget_served
from tenantry.store.contract import ObjectStore

KINDS = {
    "snapshots": "snapshots",
    "features": "feature tables",
    "models": "models",
    "predictions": "predictions",
    "served": "answers to single rows",
    "monitoring": "judgements and drift reports",
    "events": "audit trail",
    "serving": "what servers need",
}
"""Folder below a tenant's prefix → what lies there."""

REST = "pointers and markers"

WHY = "rows of an erased tenant are in it"


@dataclass(frozen=True)
class Uses:
    """Who else has to do with a tenant.

    Attributes:
        pooled: The pooled models that it fed.
        in_use: Of these, those on which champions of other tenants stand, with their names.
        working: Runs that are working on it now.
    """

    pooled: tuple[str, ...]
    in_use: dict[str, tuple[str, ...]]
    working: tuple[str, ...]


@dataclass(frozen=True)
class Survey(Uses):
    """What an erasure of a tenant would concern.

    Attributes:
        found: Kind → objects and bytes below its prefix, without old versions.
        runs: The runs whose records name it.
    """

    found: Counts
    runs: tuple[str, ...]


def survey_tenant(store: ObjectStore, product: str, tenant: str, active: Collection[str]) -> Survey:
    """Find what an erasure of a tenant would concern; changes nothing.

    Args:
        store: The store.
        product: The product.
        tenant: The tenant.
        active: The tenants that go on being predicted.
    """
    return Survey(
        **vars(_find_uses(store, product, tenant, active)),
        found=_count(store, product, tenant),
        runs=runs_naming(store, product, tenant),
    )


def erase_tenant(
    store: ObjectStore, stone: Tombstone, active: Collection[str], *, now: bool = False
) -> Certificate:
    """Remove every byte of a tenant; one that was erased before is looked through again.

    Args:
        store: The store.
        stone: The order; the tombstone that is there already stays in force.
        active: The tenants that go on being predicted: pooled models that their champions stand on
            stay until the next run has replaced them.
        now: Whether such pooled models go at once.
    """
    product, tenant = stone.product, stone.tenant
    survey = survey_tenant(store, product, tenant, active)
    store.put(layout.waiting(product, tenant), b"{}")
    facts = {"found": survey.found, "pooled": survey.pooled, "named": survey.runs}
    stone = write_tombstone(store, stone.model_copy(update=facts))
    if stone.status == "pending":  # killed before, and a run came since
        stone = stone.model_copy(update={"named": united(stone.named, survey.runs)})
    removal = Removal(store)
    _remove_folder(removal, product, tenant)
    scrub_runs(removal, product, tenant)
    return _settle(removal, stone, survey, now=now)


def settle_tenant(
    store: ObjectStore, stone: Tombstone, active: Collection[str]
) -> Certificate | None:
    """Go on with an erasure that waits for pooled models or runs, or was killed.

    Returns:
        A new certificate; None when nothing has changed.
    """
    if stone.status == "pending":
        return erase_tenant(store, stone, active)
    uses = _find_uses(store, stone.product, stone.tenant, active)
    in_use = {pool for pool in stone.waiting if pool in uses.in_use}
    if (in_use, uses.working) == ({*stone.waiting}, stone.runs):
        return None
    removal = Removal(store)
    _remove_folder(removal, stone.product, stone.tenant)
    scrub_runs(removal, stone.product, stone.tenant, {*stone.runs})
    return _settle(removal, stone, uses)


def _find_uses(store: ObjectStore, product: str, tenant: str, active: Collection[str]) -> Uses:
    pooled = pools_fed_by(store, product, tenant)
    in_use = pools_in_use(store, product, [name for name in active if name != tenant])
    return Uses(
        pooled=pooled,
        in_use={pool: in_use[pool] for pool in pooled if pool in in_use},
        working=_working(store, product, tenant),
    )


def _settle(removal: Removal, stone: Tombstone, uses: Uses, *, now: bool = False) -> Certificate:
    """Take a tenant out of what others use, too; certify what was done since the order."""
    product, tenant, store = stone.product, stone.tenant, removal.store
    kept = () if now else tuple(uses.in_use)
    waiting = replace_pools(removal, product, uses.pooled, kept, WHY)
    _remove_folder(removal, product, tenant)
    forget(store, product, tenant)
    forget_served(store, product, tenant)
    for folder in (layout.openings_folder(product), layout.at_work_folder(product)):
        removal.forget(folder)  # closed ones, where versions are kept
    certificate = Certificate(
        of="tenant",
        product=product,
        tenant=tenant,
        when=stone.when,
        who=stone.who,
        why=stone.why,
        removed=_larger(stone.found, removal.removed),
        rewritten=_larger(stone.rewritten, removal.rewritten),
        pooled=united(stone.pooled, uses.pooled),
        waiting=waiting,
        runs=stone.named,
    )
    _close(store, stone, certificate, uses.working)
    return certificate


def _close(
    store: ObjectStore, stone: Tombstone, certificate: Certificate, working: tuple[str, ...]
) -> None:
    """Store the certificate and say in the tombstone what is still waited for."""
    is_done = not certificate.waiting and not working
    closed = stone.model_copy(
        update={
            "status": "done" if is_done else "waiting",
            "found": certificate.removed,
            "rewritten": certificate.rewritten,
            "pooled": certificate.pooled,
            "waiting": certificate.waiting,
            "named": certificate.runs,
            "runs": working,
            "certificate": write_certificate(store, certificate),
        }
    )
    amend_tombstone(store, closed)
    if is_done:
        store.purge(layout.waiting(stone.product, stone.tenant))


def lift_tombstone(store: ObjectStore, product: str, tenant: str, record: Certificate) -> bool:
    """Remove a tombstone, so that the name can be onboarded again; say whether there was one."""
    if read_tombstone(store, product, tenant) is None:
        return False
    write_certificate(store, record)
    store.purge(layout.waiting(product, tenant))
    store.purge(layout.tombstone(product, tenant))
    return True


def _count(store: ObjectStore, product: str, tenant: str) -> Counts:
    folder = layout.tenant_folder(product, tenant)
    counts: dict[str, list[int]] = defaultdict(list)
    for info in store.list(folder):
        part = info.key.removeprefix(folder).split("/")[0]
        counts[KINDS.get(part, REST)].append(info.size)
    return {kind: (len(sizes), sum(sizes)) for kind, sizes in sorted(counts.items())}


def _working(store: ObjectStore, product: str, tenant: str) -> tuple[str, ...]:
    """Return the runs that are working on a tenant, or were when they died."""
    openings = (found.opening for found in list_openings(store, product))
    return tuple(sorted({one.run for one in openings if tenant in one.tenants and one.as_of}))


def _remove_folder(removal: Removal, product: str, tenant: str) -> None:
    folder = layout.tenant_folder(product, tenant)
    for part, kind in KINDS.items():
        removal.remove(kind, f"{folder}{part}/")
    removal.remove(REST, folder)
    removal.store.purge(layout.row_orders_folder(product, tenant))


def _larger(one: Counts, other: Counts) -> Counts:
    """Join what was found first with what was removed last: an erasure may have been killed."""
    kinds = sorted({*one, *other})
    nothing = (0, 0)
    return {
        kind: (
            max(one.get(kind, nothing)[0], other.get(kind, nothing)[0]),
            max(one.get(kind, nothing)[1], other.get(kind, nothing)[1]),
        )
        for kind in kinds
    }
