"""Promote challengers that pass the gate."""

from kfp import dsl

from components._image import image


@dsl.component(base_image=image("promote"), install_kfp_package=False)
def promote(
    ledger: dsl.Input[dsl.Artifact],
    champions: dsl.Output[dsl.Artifact],
    summary: dsl.Output[dsl.Markdown],
    metrics: dsl.Output[dsl.Metrics],
    curves: dsl.Output[dsl.ClassificationMetrics],
) -> None:
    """Compare challenger and champion of each tenant on the same later rows, and move the pointer.

    Args:
        ledger: The shard's ledger, as the stage before left it.
        champions: The ledger, with each tenant's champion.
        summary: One line a tenant: the gate's decision in words.
        metrics: The scores on the holdout.
        curves: The mean ROC curve of the shard's challengers on the holdout.
    """
    from tenantry.tasks import run_shard

    scores = run_shard("promote", ledger.path, champions.path, summary.path)
    metrics.metadata.update(scores.metrics)
    curves.metadata.update(scores.curves)
