"""Judge predicted windows."""

from kfp import dsl

from components._image import image


@dsl.component(base_image=image("monitor"), install_kfp_package=False)
def monitor(
    ledger: dsl.Input[dsl.Artifact],
    judgements: dsl.Output[dsl.Artifact],
    summary: dsl.Output[dsl.Markdown],
) -> None:
    """Compare predictions with labels that are known by now, and look for decay and drift.

    Args:
        ledger: The shard's ledger, as the stage before left it.
        judgements: The ledger, with each tenant's judgement.
        summary: One line a tenant: promised and realised quality, drift.
    """
    from tenantry.tasks import run_shard

    run_shard("monitor", ledger.path, judgements.path, summary.path)
