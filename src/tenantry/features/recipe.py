"""The feature table of a tenant and the columns that each model takes from it."""

import pandas as pd

from tenantry.specs.model import Spec

TENANT = "tenant"
"""The column of the pooled frame that names the tenant; empty where it does not contribute."""


def own_frame(table: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    """Select the features of the tenant's own model.

    Args:
        table: The tenant's feature table, n rows.
        spec: The tenant's spec.

    Returns:
        n rows, one column a feature of `spec.features`.
    """
    return table[list(spec.features)]


def pooled_frame(table: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    """Select the features of the pooled model and name the tenant.

    Args:
        table: The tenant's feature table, n rows.
        spec: The tenant's spec.

    Returns:
        n rows, one column a feature of `spec.pooled.features`, and `tenant`.
    """
    names = {
        name: f"pooled.{name}" if f"pooled.{name}" in table.columns else name
        for name in spec.pooled.features
    }
    frame = pd.DataFrame({name: table[column] for name, column in names.items()})
    return frame.assign(**{TENANT: spec.tenant if spec.pooling.contribute else ""})
