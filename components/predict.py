"""Predict every open window."""

from kfp import dsl

from components._image import image


@dsl.component(base_image=image("predict"), install_kfp_package=False)
def predict(
    ledger: dsl.Input[dsl.Artifact],
    predictions: dsl.Output[dsl.Artifact],
    summary: dsl.Output[dsl.Markdown],
) -> None:
    """Score the open windows of each tenant by the champion of their time, with reasons.

    Args:
        ledger: The shard's ledger, as the stage before left it.
        predictions: The ledger, with what was predicted.
        summary: One line a tenant: windows, rows, decisions.
    """
    from tenantry.tasks import run_shard

    run_shard("predict", ledger.path, predictions.path, summary.path)
