"""Rows with predictions beside them: a column a model, of K classes ``name[0]``, …."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tenantry.metrics import Floats

if TYPE_CHECKING:
    import pandas as pd

CHALLENGER, POOLED, PRIOR = "challenger", "pooled", "prior"
"""The columns of an evaluation: predictions by models that saw nothing of the holdout."""


def with_predictions(rows: pd.DataFrame, name: str, predicted: Floats) -> pd.DataFrame:
    """Return rows with predictions beside them: a column, or of K classes ``name[0]``, ….

    Args:
        rows: n rows.
        name: Whose predictions.
        predicted: Shape (n,) or (n, K).
    """
    return rows.assign(**as_columns(name, predicted))


def as_columns(name: str, predicted: Floats) -> dict[str, Floats]:
    """Return predictions of shape (n,) or (n, K) as columns."""
    if predicted.ndim == 1:
        return {name: predicted}
    return {f"{name}[{code}]": part for code, part in enumerate(predicted.T)}


def predictions_in(rows: pd.DataFrame, name: str) -> Floats:
    """Return what `with_predictions` put beside rows, shape (n,) or (n, K)."""
    return rows[_codes(rows, name) or name].to_numpy(dtype=np.float64)


def has_predictions(rows: pd.DataFrame, name: str) -> bool:
    """Whether rows have predictions of that name beside them."""
    return name in rows.columns or bool(_codes(rows, name))


def _codes(rows: pd.DataFrame, name: str) -> list[str]:
    return [str(column) for column in rows.columns if str(column).startswith(f"{name}[")]
