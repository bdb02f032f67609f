"""What may go besides tenants' own: pooled models, their folds, old runs, superseded specs."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from tenantry import layout
from tenantry.holdings import PooledHoldings
from tenantry.models.pooled import read_pooled
from tenantry.plans import read_plan
from tenantry.retention.keeping import is_young, reigned_versions
from tenantry.retention.waste import Waste
from tenantry.specs.bundle import find_superseded
from tenantry.specs.operation import Retention
from tenantry.store.contract import ObjectStore


def find_pooled_waste(
    store: ObjectStore, product: str, rules: Retention, as_of: datetime, kept: frozenset[str]
) -> Iterator[Waste]:
    """Yield what of a product's pooled models may go; cards stay.

    A pooled model that a kept model stands on stays, however old; its folds go when it has not
    reigned for long, since only models that are trained need them.

    Args:
        store: The store.
        product: The product.
        rules: The product's.
        as_of: The logical time from which ages are counted.
        kept: Pooled models that kept models stand on, ``<zone>/<version>``.
    """
    held = PooledHoldings(store, product)
    zones = {one.place.zone for one in held.of("pooled", "pooled_pointer")}
    reigning = {zone: _reigning(store, product, zone, rules, as_of) for zone in zones}
    for one in held.of("pooled"):
        place = one.place
        if place.name in reigning[place.zone] or place.part in ("card.json", ""):
            continue
        if f"{place.zone}/{place.name}" not in kept:
            yield Waste.of("pooled", one)
        elif place.part.startswith("fold-"):
            yield Waste.of("fold", one)


def _reigning(
    store: ObjectStore, product: str, zone: str, rules: Retention, as_of: datetime
) -> frozenset[str]:
    return reigned_versions(read_pooled(store, product, zone), rules, as_of)


def find_run_waste(
    store: ObjectStore, product: str, rules: Retention, as_of: datetime
) -> Mapping[str, tuple[Waste, ...]]:
    """Return the old runs of a product and what they left, the plan last of each.

    A run without a plan is nobody's, and stays.

    Raises:
        ValueError: A plan cannot be read.
    """
    if rules.runs is None:
        return {}
    found = {}
    for run in store.list_folders(layout.runs_folder()):
        plan = read_plan(store, run)
        if plan and plan.product == product and not is_young(plan.as_of, rules.runs, as_of):
            infos = store.list(layout.run_folder(run))
            left = [Waste(info.key, "run", info.size, info.modified) for info in infos]
            found[run] = tuple(sorted(left, key=lambda one: (one.key == layout.plan(run), one)))
    return found


def find_specs_waste(store: ObjectStore, rules: Retention, as_of: datetime) -> Iterator[Waste]:
    """Yield published specs that no longer hold and are as old as runs that may go.

    They are of all products of the store, and as old as the store's clock says.
    """
    if rules.runs is None:
        return
    for info in find_superseded(store):
        if not is_young(info.modified, rules.runs, as_of):
            yield Waste(info.key, "specs", info.size, info.modified)
