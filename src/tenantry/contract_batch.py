"""Checking the rows of many tenants at once, and keeping those who surely keep the contract."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tenantry.columns import LABEL_KNOWN_AT, OWNER
from tenantry.contract import check_part, outcome_columns
from tenantry.moments import known_times
from tenantry.specs.data import Column
from tenantry.specs.model import Spec


def check_batch(frame: pd.DataFrame, specs: Sequence[Spec], as_of: datetime) -> pd.DataFrame:
    """Check the rows of a batch of tenants; see `contract.check_rows`.

    Args:
        frame: What `read_batch` returned.
        specs: The batch.
        as_of: Nothing known later is looked at.

    Returns:
        The rows frame, with `OWNER`, sorted by event time, tenant, key: what is kept of the rows
        of those tenants who surely keep the contract.
    """
    spec = specs[0]
    later = (known_times(frame, spec.times) > as_of).to_numpy(dtype=bool)
    known = frame[~later]
    checked = check_part(known, owned(spec), as_of)
    given, kept, aside = (
        _count(rows, len(specs)) for rows in (known, checked.rows, checked.quarantined)
    )
    share = aside / np.maximum(aside + kept, 1)
    good = (kept > 0) & (share <= spec.contract.max_quarantined_share)
    if _has_bounds(spec):  # shares count values of all rows, of those set aside as well
        good &= (kept == given) & ~_lacking(checked.rows, spec, as_of, len(specs))
    chosen = good[owners_of(checked.rows)]
    return checked.rows if chosen.all() else checked.rows[chosen].reset_index(drop=True)


def owned(spec: Spec) -> Spec:
    """Return the spec of a batch's tenants as one: a row's tenant is a part of its key."""
    columns = spec.contract.columns | {OWNER: Column(type="integer", required=True)}
    contract = spec.contract.model_copy(update={"columns": columns})
    return spec.model_copy(update={"key": (OWNER, *spec.key), "contract": contract})


def owners_of(rows: pd.DataFrame) -> NDArray[np.int64]:
    """Return the place of each row's tenant in its batch."""
    return rows[OWNER].astype(float).to_numpy().astype(np.int64)


def _count(rows: pd.DataFrame, tenants: int) -> NDArray[np.int64]:
    return np.bincount(owners_of(rows), minlength=tenants)


def _has_bounds(spec: Spec) -> bool:
    return any(column.max_null_share < 1 for column in spec.contract.columns.values())


def _lacking(rows: pd.DataFrame, spec: Spec, as_of: datetime, tenants: int) -> NDArray[np.bool_]:
    """Return which tenants lack more values of a column than the contract allows."""
    lacking = np.zeros(tenants, dtype=bool)
    told = rows[rows[LABEL_KNOWN_AT] <= as_of]
    outcomes = outcome_columns(spec)
    for name, column in spec.contract.columns.items():
        could = told if name in outcomes else rows
        missing = _count(could[could[name].isna()], tenants)
        lacking |= missing / np.maximum(_count(could, tenants), 1) > column.max_null_share
    return lacking
