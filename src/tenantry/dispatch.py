"""From the work of each tenant to the plan of a run: what it takes on, and in which shards."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from tenantry.costs import Rates, estimate_cost, estimate_pooled, learn_rates, usual_rows
from tenantry.packing import Choice, Parcel, choose, pack
from tenantry.planner import DueWork, plan_tenant
from tenantry.plans import Planned, RunPlan
from tenantry.pooling import Zone
from tenantry.promises import Promises, measure_promises
from tenantry.request import PlanRequest
from tenantry.serving.entries import Entry
from tenantry.specs.load import Fleet
from tenantry.specs.model import Spec
from tenantry.states import TenantState


@dataclass(frozen=True)
class Task:
    """A tenant's work, and what is to be known of the tenant to place it.

    Attributes:
        spec: Its spec.
        work: What is due.
        rows: Its labelled rows when it was last trained; None when it never was.
        costs: Stage → CPU-seconds when last measured.
        suspect: Whether it took its worker or shard down.
        promises: How its promises were kept by now.
        cpu_seconds: What the work is estimated to take.
        weight: The same by its rows alone, see `Parcel.weight`.
    """

    spec: Spec
    work: DueWork
    rows: int | None
    costs: Mapping[str, float]
    suspect: bool
    promises: Promises | None = None
    cpu_seconds: float = 0.0
    weight: float = 0.0


def find_tasks(
    request: PlanRequest,
    specs: Iterable[Spec],
    state_of: Callable[[str], TenantState],
    served: Mapping[str, Entry] = MappingProxyType({}),
) -> tuple[Task, ...]:
    """Decide what is due for each tenant, by name; of its state only what is needed is kept.

    Args:
        request: What the run is asked to do.
        specs: Those of the tenants of the run.
        state_of: Returns a tenant's state as of the run's logical time.
        served: Tenant → what servers are told of it.
    """
    tasks = []
    for spec in sorted(specs, key=lambda one: one.tenant):
        state = state_of(spec.tenant)
        work = plan_tenant(
            spec,
            state,
            request.as_of,
            force=request.force,
            backfill=request.backfill,
            served=served.get(spec.tenant),
        )
        promises = measure_promises(spec, state, request.as_of)
        tasks.append(Task(spec, work, state.rows, state.costs, state.interrupted, promises))
    usual = usual_rows(task.rows for task in tasks)
    rates = learn_rates((task.rows, task.costs) for task in tasks if task.rows is not None)
    return tuple(_estimated(task, usual, rates) for task in tasks)


def _estimated(task: Task, usual: int, rates: Rates) -> Task:
    due, rows = task.work.due, usual if task.rows is None else task.rows
    cpu_seconds = estimate_cost(due, task.costs, rows, rates)
    return replace(task, cpu_seconds=cpu_seconds, weight=estimate_cost(due, {}, rows))


def make_run_plan(
    request: PlanRequest,
    fleet: Fleet,
    tasks: Iterable[Task],
    *,
    pooled: Mapping[str, str],
    zones: Iterable[Zone],
) -> RunPlan:
    """Choose what the run takes on, pack it into shards, and write it down.

    Args:
        request: What the run is asked to do.
        fleet: The product.
        tasks: The tenants of the run.
        pooled: Residency zone → why its pooled model is to be trained.
        zones: The zones.
    """
    tasks = tuple(tasks)
    usual = usual_rows(task.rows for task in tasks)
    shared = round(sum(_pooled_cost(zone, usual) for zone in zones if zone.name in pooled), 2)
    budget = max(request.cpu_budget - shared, _SOMETHING) if request.cpu_budget else 0.0
    choice = choose(map(_parcel, _due(tasks)), request.max_shards, budget)
    shards = pack(choice.chosen, request.max_shards)
    shard_of = {tenant: shard for shard, tenants in shards.items() for tenant in tenants}
    return RunPlan(
        run=request.run,
        product=fleet.product,
        title=fleet.title,
        as_of=request.as_of,
        region=fleet.region,
        shards=tuple(shards),
        tenants={
            task.spec.tenant: _planned(task, shard_of.get(task.spec.tenant), choice)
            for task in tasks
        },
        pooled=dict(pooled),
        pooled_cpu_seconds=shared,
        cpu_budget=request.cpu_budget,
    )


def find_training(tasks: Iterable[Task]) -> tuple[Spec, ...]:
    """Return the specs of the tenants that are due for training."""
    return tuple(task.spec for task in tasks if any(due.action == "train" for due in task.work.due))


_SOMETHING = 1e-6
"""What is left of a budget that the pooled model uses up: the first tenant is taken on anyway."""


def _due(tasks: Iterable[Task]) -> Iterable[Task]:
    return (task for task in tasks if task.work.due)


def _pooled_cost(zone: Zone, usual: int) -> float:
    cap = zone.specs[0].pooled.max_rows
    return estimate_pooled(min(cap, usual * len(zone.contributing)))


def _parcel(task: Task) -> Parcel:
    return Parcel(
        tenant=task.spec.tenant,
        region=task.spec.region,
        cost=task.cpu_seconds,
        weight=task.weight,
        alone=task.spec.resources.dedicated,
        suspect=task.suspect,
        promised=task.work.promised,
    )


def _planned(task: Task, shard: str | None, choice: Choice) -> Planned:
    work = task.work
    waits = choice.postponed.get(task.spec.tenant, "")
    return Planned(
        shard=shard,
        due=() if waits else work.due,
        waiting=work.due if waits else (),
        held=work.held,
        note="; ".join(words for words in (waits, work.note) if words),
        region=task.spec.region,
        rows=task.rows or 0,
        cpu_seconds=task.cpu_seconds,
        promised=work.promised,
        promises=task.promises,
    )
