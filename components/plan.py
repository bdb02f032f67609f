"""Plan the run: what is due for each tenant, and why."""

from kfp import dsl

from components._image import image


@dsl.component(base_image=image("plan"), install_kfp_package=False)
def plan(
    product: str,
    region: str,
    as_of: str,
    slot: str,
    run: str,
    tenants: str,
    partition: str,
    size: str,
    max_shards: int,
    force: bool,
    cpu_budget: float,
    backfill_from: str,
    backfill_to: str,
    backfill_model: str,
    plan_ledger: dsl.Output[dsl.Artifact],
    summary: dsl.Output[dsl.Markdown],
) -> list[str]:
    """Compare what the specs declare with what the store holds, and pack what is due into shards.

    Args:
        product: The product, e.g. arrival-delay.
        region: The home region that this run serves; empty where there is one store.
        as_of: Logical time of the run (ISO 8601); empty means the slot.
        slot: The time this run was scheduled for.
        run: The run's id.
        tenants: Names with commas between; empty means the whole fleet.
        partition: "i/n" for part i of n of the fleet; empty means all of it.
        size: Only tenants of this size class (resources.size); empty means all.
        max_shards: Iterations of the loop at most.
        force: Train every tenant, whatever its state.
        cpu_budget: CPU-seconds that the run may take, as estimated; 0 means all it takes.
        backfill_from: Predict past windows that begin then or later; empty means none.
        backfill_to: Only those that begin before this; empty means as_of.
        backfill_model: "then" for the model that reigned when a window began, or "current".
        plan_ledger: The plan, and the first ledger of every shard.
        summary: What is due for each tenant, and why.

    Returns:
        The shards' names, one iteration each.
    """
    from tenantry.request import PlanRequest
    from tenantry.tasks import plan_run
    from tenantry.times import parse_moment

    request = PlanRequest(
        run=run,
        as_of=parse_moment(as_of or slot),
        region=region,
        tenants=tenants,
        partition=partition,
        size=size,
        max_shards=max_shards,
        force=force,
        cpu_budget=cpu_budget,
        backfill_from=backfill_from,
        backfill_to=backfill_to,
        backfill_model=backfill_model,
    )
    return plan_run(product, request, plan_ledger.path, summary.path)
