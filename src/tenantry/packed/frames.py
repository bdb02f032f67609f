"""A feature table as packed models read it: by column, without the cost of frames of its own."""

import pandas as pd

from tenantry.columns import TENANT
from tenantry.features.recipe import pooled_columns
from tenantry.packed.columns import Columns
from tenantry.specs.model import Spec


def own_rows(table: pd.DataFrame, spec: Spec) -> Columns:
    """Return what the tenant's own model sees, as `features.recipe.own_frame` does."""
    return Columns(len(table), {name: table[name] for name in spec.features})


def pooled_rows(table: pd.DataFrame, spec: Spec) -> Columns:
    """Return what the pooled model sees of this tenant, as `features.recipe.pooled_frame` does."""
    values = {name: table[column] for name, column in pooled_columns(spec).items()}
    tenant = spec.tenant if spec.pooling.contribute else ""
    return Columns(len(table), {**values, TENANT: tenant})
