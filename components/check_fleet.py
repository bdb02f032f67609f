"""Fail the run when too many tenants failed."""

from kfp import dsl

from components._image import image


@dsl.component(base_image=image("check_fleet"), install_kfp_package=False)
def check_fleet(
    ledgers: dsl.Input[list[dsl.Artifact]],
    run: str,
    region: str,
    max_failed_share: float,
    verdict: dsl.Output[dsl.Markdown],
) -> None:
    """Name the tenants that failed; fail when they are more than the run allows.

    Args:
        ledgers: Every shard's last ledger.
        run: The run's id.
        region: The home region that this run serves; empty where there is one store.
        max_failed_share: Share of the run's tenants that may fail.
        verdict: The verdict in words.
    """
    from tenantry.tasks import check_run

    check_run(run, max_failed_share, verdict.path, region)
