"""A feature table as the pooled part of a packed model reads it, without a frame of its own."""

import pandas as pd

from tenantry.columns import TENANT
from tenantry.features.recipe import pooled_columns
from tenantry.packed.columns import Columns
from tenantry.specs.model import Spec


def pooled_view(table: pd.DataFrame, spec: Spec) -> Columns:
    """Return what the pooled model sees of this tenant, as `features.recipe.pooled_frame` does."""
    tenant = spec.tenant if spec.pooling.contribute else ""
    return Columns(table, pooled_columns(spec), {TENANT: tenant})
