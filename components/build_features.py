"""Build each tenant's features."""

from kfp import dsl

from components._image import image


@dsl.component(base_image=image("build_features"), install_kfp_package=False)
def build_features(
    ledger: dsl.Input[dsl.Artifact],
    features: dsl.Output[dsl.Artifact],
    summary: dsl.Output[dsl.Markdown],
) -> None:
    """Compute every feature from what was known when each row became known.

    Args:
        ledger: The shard's ledger, as the stage before left it.
        features: The ledger, with each tenant's feature table.
        summary: One line a tenant: rows, and features that are missing throughout.
    """
    from tenantry.tasks import run_shard

    run_shard("build_features", ledger.path, features.path, summary.path)
