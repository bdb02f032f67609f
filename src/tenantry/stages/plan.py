"""Plan a run: what is due for each tenant and why, packed into shards."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from tenantry import layout
from tenantry.cpu import process_seconds
from tenantry.dispatch import find_tasks, find_training, make_run_plan
from tenantry.erasure.completion import complete_erasures
from tenantry.erasure.tombstones import erased_tenants, explain_tombstone, read_tombstone
from tenantry.errors import Fault, PlanError
from tenantry.imports import uncollected
from tenantry.ledger import Entry, Header, Ledger
from tenantry.models.pooled import read_pooled_marks
from tenantry.openings import open_shard
from tenantry.packing import select_served
from tenantry.plans import Planned, RunPlan
from tenantry.pooling import find_reasons, split_zones
from tenantry.presence import check_presence
from tenantry.request import PlanRequest
from tenantry.serving.announce import take_back
from tenantry.specs.frozen import FLEET, freeze_specs
from tenantry.specs.load import Fleet
from tenantry.specs.model import Spec
from tenantry.states import TenantState
from tenantry.store.contract import ObjectStore
from tenantry.store.open import require_sessions
from tenantry.store.probe import trust_store
from tenantry.surveys import Survey, survey, tend

NOTHING_DUE = "nothing_due"
"""The one shard of a run without work: Kubeflow's loop wants an item. No tenant has that name."""


def plan(
    request: PlanRequest,
    fleet: Fleet,
    store: ObjectStore,
    folder: Path,
    *,
    started: float = 0.0,
) -> list[str]:
    """Plan a run, and leave its plan, frozen specs and first ledgers in the store.

    A run in which nothing is due writes nothing to the store. `folder` gets a copy of the plan and
    of each shard's ledger either way: it is what the next tasks are handed. `started` is what the
    process took to start and to import, in CPU-seconds.

    Returns:
        The shards' names, one ParallelFor iteration each; `NOTHING_DUE` alone when there is none.

    Raises:
        PlanError: Specs, store and request contradict each other; nothing is written.
        StoreError: The store does not honour conditional writes, or gives tenants' workers no
            credentials of their own.
    """
    fleet = fleet.serving(request.region)
    complete_erasures(store, fleet.product, fleet.specs)
    found = survey(store, fleet.product)
    made = plan_survey(request, fleet, found)
    take_back(store, found.served, fleet.specs, lambda name: _is_retired(found, name, request))
    ledgers = make_ledgers(made, started)
    folder.mkdir(parents=True, exist_ok=True)
    for ledger in ledgers:
        (folder / f"{ledger.header.shard}.jsonl").write_bytes(ledger.to_lines())
    (folder / "plan.json").write_bytes(made.to_json())
    if made.shards or made.pooled:
        require_sessions(store)
        trust_store(store)
        for ledger in ledgers if made.shards else ():
            open_shard(store, ledger)
        _check_erased(found, made)  # from now on whoever erases a tenant sees this run at work
        tend(found)
        _store_plan(store, made, ledgers, fleet)
    return [ledger.header.shard for ledger in ledgers]


def _check_erased(found: Survey, made: RunPlan) -> None:
    """Refuse to go on with tenants that were erased while the run was planned."""
    newer = erased_tenants(found.store, found.product) - found.erased
    fault, remedy = "was erased while the run was planned", "plan again"
    if faults := [Fault(name, fault, remedy) for name in sorted(newer & made.tenants.keys())]:
        raise PlanError(faults)


def make_plan(request: PlanRequest, fleet: Fleet, store: ObjectStore) -> RunPlan:
    """Decide what a run has to do; reads specs and store, writes nothing.

    Raises:
        PlanError: Specs, store and request contradict each other.
    """
    return plan_survey(request, fleet, survey(store, fleet.product))


def plan_survey(request: PlanRequest, fleet: Fleet, found: Survey) -> RunPlan:
    """Decide what a run has to do after what is known of the fleet.

    Raises:
        PlanError: Specs, store and request contradict each other.
    """
    request.check()
    fleet = fleet.serving(request.region)
    homes = {name: spec.region for name, spec in fleet.elsewhere.items()}
    chosen = select_served(fleet, request)
    erased, store = found.erased, found.store
    marks = read_pooled_marks(store, fleet.product)

    def read(tenant: str) -> TenantState:
        return marks.apply_to(found.record(tenant)).as_of(request.as_of)

    specs = [fleet.specs[tenant] for tenant in chosen]
    served = found.served if any(spec.serving.enabled for spec in specs) else {}
    with uncollected():
        tasks = find_tasks(request, specs, read, served)
    left = sorted(_find_left(store, fleet.product, found.stored & homes.keys()))
    retiring = _retiring(fleet, found, request) - erased
    check_presence(fleet.specs, found.stored - homes.keys(), fleet.retire_max_share, retiring)
    zones = split_zones(fleet.zone_mates(), request.as_of)
    pooled = find_reasons(zones, find_training(tasks), found.store)
    made = make_run_plan(request, fleet, tasks, pooled=pooled, zones=zones)
    told = {name: _erased(store, fleet.specs[name]) for name in erased & {*chosen}}
    moved = {name: _moved(name, homes[name]) for name in left}
    tenants = made.tenants | told | moved
    return made.model_copy(update={"tenants": tenants, "fleet": len(fleet.specs)})


def _erased(store: ObjectStore, spec: Spec) -> Planned:
    """Say of an erased tenant that is still declared what to do about its spec."""
    stone = read_tombstone(store, spec.product, spec.tenant)
    note = explain_tombstone(stone, spec.state) if stone else "erased"
    return Planned(note=note, region=spec.region)


def _find_left(store: ObjectStore, product: str, tenants: Iterable[str]) -> Iterator[str]:
    """Yield who left something here; which rows no pool may read is no such thing."""
    for tenant in tenants:
        found = store.list(layout.tenant_folder(product, tenant))
        if any(info.key != layout.suppressed(product, tenant) for info in found):
            yield tenant


def _moved(tenant: str, home: str) -> Planned:
    """Say what to do about a tenant that moved away; a store is never cleared by absence."""
    note = (
        f"moved to region {home}, and this store still holds it: erase it here, "
        f"or write its old region into {tenant}.yaml again"
    )
    return Planned(note=note, region=home)


def _retiring(fleet: Fleet, found: Survey, request: PlanRequest) -> set[str]:
    """Return all tenants of the fleet that are yet to be retired, whatever part the run serves."""
    declared = [name for name, spec in fleet.specs.items() if spec.state == "retired"]
    return {name for name in declared if not _is_retired(found, name, request)}


def _is_retired(found: Survey, tenant: str, request: PlanRequest) -> bool:
    return found.record(tenant).as_of(request.as_of).retired


def make_ledgers(made: RunPlan, started: float = 0.0) -> list[Ledger]:
    """Return each shard's first ledger; an empty one when nothing is due."""
    ledgers = []
    spent = {"plan": process_seconds()}
    for shard in made.shards or (NOTHING_DUE,):
        header = Header(
            run=made.run,
            product=made.product,
            as_of=made.as_of,
            region=made.region,
            shard=shard,
            fleet=made.fleet,
            processes=spent,
            imports={"plan": round(started, 3)},
        )
        entries = tuple(
            Entry(tenant=tenant, due=planned.due)
            for tenant, planned in made.tenants.items()
            if planned.shard == shard
        )
        ledgers.append(Ledger(header=header, entries=entries))
    return ledgers


def _store_plan(store: ObjectStore, made: RunPlan, ledgers: list[Ledger], fleet: Fleet) -> None:
    """Write the plan last: a plan in the store has all its ledgers and specs."""
    for ledger in ledgers if made.shards else ():
        specs: list[Spec] = [fleet.specs[entry.tenant] for entry in ledger.entries]
        freeze_specs(store, made.run, ledger.header.shard, specs)
        store.put(layout.ledger(made.run, ledger.header.shard, "plan"), ledger.to_lines())
    if made.needs_pooled:
        erased = erased_tenants(store, made.product)
        living = (spec for spec in fleet.zone_mates() if spec.tenant not in erased)
        freeze_specs(store, made.run, FLEET, living)
    store.put(layout.plan(made.run), made.to_json())
