"""Take a snapshot of each tenant's rows."""

from kfp import dsl

from components._image import image


@dsl.component(base_image=image("ingest"), install_kfp_package=False)
def ingest(
    plan_ledger: dsl.Input[dsl.Artifact],
    pooled: dsl.Input[dsl.Artifact],
    shard: str,
    ledger: dsl.Output[dsl.Artifact],
    summary: dsl.Output[dsl.Markdown],
) -> None:
    """Read each tenant's sources as of the run's time, check the contract, keep a snapshot.

    Args:
        plan_ledger: The run's plan.
        pooled: Which pooled model each zone uses in this run.
        shard: The shard of this iteration.
        ledger: The shard's ledger, with each tenant's snapshot.
        summary: One line a tenant: rows, labels, rows set aside.
    """
    from tenantry.tasks import run_shard

    run_shard("ingest", plan_ledger.path, ledger.path, summary.path, shard, pooled.path)
