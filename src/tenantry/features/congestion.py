"""Congestion: how many of the tenant's rows happen in the time just before a row."""

import numpy as np
import pandas as pd

from tenantry.columns import EVENT_TIME, KNOWN_AT
from tenantry.features.windows import (
    Floats,
    Integers,
    Timeline,
    count_below,
    groups_of,
    moments_of,
)
from tenantry.specs.features import CongestionFeature


def rows_before(rows: pd.DataFrame, feature: CongestionFeature) -> Floats:
    """Compute a congestion feature.

    For a row that happens at ``e`` and is known at ``k`` the rows that count are those that

    - are alike in the columns `by` (missing values are alike),
    - have ``e - over < event_time ≤ e``, so that rows of the same moment count,
    - have ``known_at ≤ k``,
    - are not the row itself.

    Args:
        rows: A rows frame; `event_time` and `known_at` are never missing.
        feature: What to count.

    Returns:
        One count a row.
    """
    happens, known = moments_of(rows[EVENT_TIME]), moments_of(rows[KNOWN_AT])
    groups = groups_of(rows, feature.by)
    line = Timeline.of(groups, happens, np.ones(len(rows), dtype=bool))
    over = int(feature.over.total_seconds() * 1_000_000)
    start, stop = line.ends(groups, happens - over), line.ends(groups, happens)
    if _is_known_in_order(happens, known):
        return (stop - start - 1).astype(np.float64)
    moments, ranks = np.unique(known, return_inverse=True)
    limit = np.searchsorted(moments, known, side="right")
    return (count_below(ranks[line.order], start, stop, limit) - 1).astype(np.float64)


def _is_known_in_order(happens: Integers, known: Integers) -> bool:
    """Whether no row that happens at or before another is known later (a constant lead, say)."""
    order = np.argsort(happens, kind="stable")
    steps, delays = np.diff(happens[order]), np.diff(known[order])
    return bool(np.all((delays == 0) | ((delays > 0) & (steps > 0))))
