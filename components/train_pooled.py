"""Train the model over all tenants that allow it."""

from kfp import dsl

from components._image import image


@dsl.component(base_image=image("train_pooled"), install_kfp_package=False)
def train_pooled(
    plan_ledger: dsl.Input[dsl.Artifact],
    pooled: dsl.Output[dsl.Artifact],
    summary: dsl.Output[dsl.Markdown],
) -> None:
    """Fit the pooled model of each residency zone, unless the one in use is fresh.

    Args:
        plan_ledger: The run's plan.
        pooled: Which version each zone uses in this run.
        summary: Who contributed, who did not and why.
    """
    from tenantry.tasks import train_pooled_run

    train_pooled_run(plan_ledger.path, pooled.path, summary.path)
