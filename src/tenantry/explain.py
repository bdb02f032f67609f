"""Why a model says what it says: Shapley values, counted from the rows of the fit.

Contributions live in link space (log-odds, or the value for regression): the base and a row's
contributions sum to the score. All are Shapley values of one kind: of a row's features some are
known, and what is not known is averaged over the rows that the model was fitted on.

- linear: coefficient times how far the encoded value is from its mean over those rows: a number
  from its mean, a category from the shares of all categories. The base is their mean score.
- trees: by path (`tenantry.packed.shapley`); the base is the mean score of those rows. Adapted
  trees count from the pooled model's rows, by the tenant's own leaf values.
- blends, stacks and calibration are sums and multiples of these, and Shapley values of a sum are
  the sums: a blend weighs its two parts; a stack adds to its own those of the pooled model, times
  the coefficient of the pooled score.
- of several classes the score taken apart is that of the row's most probable class, less the mean
  of all classes' scores: how much more the model says it than any. Its parts are such differences.

Packed models need NumPy alone for it: `PackedModel.parts_row` takes one row apart. Models that are
not packed are taken apart by `tenantry.models.attribution`, to the same numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from tenantry.features.recipe import pooled_columns
from tenantry.metrics import Floats
from tenantry.packed.frames import pooled_view
from tenantry.packed.model import PackedModel
from tenantry.specs.model import Spec

if TYPE_CHECKING:
    from tenantry.models.fitted import FittedModel

DRIVER_ROWS = 100
"""Rows on which drivers are measured: their mean is sure to some 8 percent, and trees cost."""


class Contributions(NamedTuple):
    """Scores taken apart.

    Attributes:
        base: What every row starts from; of several classes one value a row, its class's.
        contributions: n rows, one column a feature; a row's sum and the base make its score.
    """

    base: float | Floats
    contributions: pd.DataFrame


def contributions(
    model: FittedModel | PackedModel, table: pd.DataFrame, spec: Spec
) -> Contributions:
    """Take the scores of rows apart by feature.

    Args:
        model: The model.
        table: The tenant's feature table, n rows.
        spec: The tenant's spec.

    Returns:
        Base and contributions, both empty-handed (0 and no columns) without rows. The columns are
        those of the table that the model reads, `tenant` where a pooled model knows the tenant,
        and `pooled_score` for trees that are fed it.
    """
    if table.empty:
        return Contributions(0.0, pd.DataFrame(index=table.index))
    if isinstance(model, PackedModel):
        base, columns = model.parts(table, pooled_view(table, spec), pooled_columns(spec))
    elif model.task == "multiclass":
        return _of_classes(model, table, spec)
    else:
        from tenantry.models.attribution import model_parts

        base, columns = model_parts(model, table, spec)
    return Contributions(base, pd.DataFrame(columns, index=table.index))


def _of_classes(model: FittedModel, table: pd.DataFrame, spec: Spec) -> Contributions:
    from tenantry.models.attribution import model_parts

    said = model.score(table, spec).argmax(axis=1)
    bases, found = np.zeros(len(table)), []
    for code in np.unique(said):
        rows = table[said == code]
        base, columns = model_parts(model, rows, spec, int(code))
        bases[said == code] = base
        found.append(pd.DataFrame(columns, index=rows.index))
    return Contributions(bases, pd.concat(found).loc[table.index].fillna(0.0))


def drivers(
    model: FittedModel | PackedModel, table: pd.DataFrame, spec: Spec, *, rows: int = DRIVER_ROWS
) -> dict[str, float]:
    """Measure how much each feature moves the tenant's predictions.

    Args:
        model: The model.
        table: The tenant's feature table, in order of time.
        spec: The tenant's spec.
        rows: How many rows to take, evenly over the table.

    Returns:
        Feature → mean absolute contribution over the rows, largest first; empty without rows.
    """
    places = np.unique(np.linspace(0, len(table) - 1, min(rows, len(table))).astype(np.int64))
    parts = contributions(model, table.iloc[places], spec).contributions
    if parts.empty:
        return {}
    means = zip(map(str, parts), np.abs(parts.to_numpy()).mean(axis=0).tolist(), strict=True)
    return dict(sorted(means, key=lambda item: (-item[1], item[0])))
