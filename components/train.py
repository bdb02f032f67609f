"""Train each tenant's challenger."""

from kfp import dsl

from components._image import image


@dsl.component(base_image=image("train"), install_kfp_package=False)
def train(
    ledger: dsl.Input[dsl.Artifact],
    challengers: dsl.Output[dsl.Artifact],
    summary: dsl.Output[dsl.Markdown],
) -> None:
    """Fit and compare the candidates of every tenant that is due for training.

    Args:
        ledger: The shard's ledger, as the stage before left it.
        challengers: The ledger, with each tenant's challenger.
        summary: One line a tenant: recipe, rows, score.
    """
    from tenantry.tasks import run_shard

    run_shard("train", ledger.path, challengers.path, summary.path)
