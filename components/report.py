"""Report on the whole fleet, whatever happened."""

from kfp import dsl

from components._image import image


@dsl.component(base_image=image("report"), install_kfp_package=False)
def report(
    run: str,
    product: str,
    region: str,
    status: dsl.PipelineTaskFinalStatus,
    page: dsl.Output[dsl.HTML],
    summary: dsl.Output[dsl.Markdown],
    metrics: dsl.Output[dsl.Metrics],
) -> None:
    """Make the fleet's page from the ledgers in the store; runs even when a shard died.

    Args:
        run: The run's id.
        product: The product.
        region: The home region that this run serves; empty where there is one store.
        status: How the run ended.
        page: The fleet on one page.
        summary: The same in short.
        metrics: Counts of tenants, models, predictions, failures.
    """
    from tenantry.tasks import report_run

    figures = report_run(run, product, status.state, page.path, summary.path, region)
    metrics.metadata.update(figures)
