"""What a tenant's due work will cost, in CPU-seconds: as measured before, else by its rows."""

import statistics
from collections.abc import Iterable, Mapping, Sequence

from tenantry.ledger import STAGES, Due
from tenantry.needs import NEEDS

USUAL_ROWS = 1_000
"""Rows of a tenant about which nothing is known, in a fleet about which nothing is."""

_MEASURED = {
    "ingest": (0.35, 5e-6, 0.0),
    "build_features": (0.08, 7e-6, 0.0),
    "train": (0.5, 4e-5, 0.0),
    "promote": (0.13, 4e-6, 0.0),
    "predict": (0.06, 5e-6, 0.01),
    "monitor": (2.4, 2e-5, 0.01),
}
"""Stage → CPU-seconds a tenant, a labelled row and a window, measured on 16 real airlines."""

_POOLED = (1.0, 1.6e-4)
"""The same of the pooled model: a zone and a row of its sample."""


def usual_rows(known: Iterable[int | None]) -> int:
    """Return the rows to expect of a tenant that was never trained: the fleet's median."""
    rows = [one for one in known if one is not None]
    return int(statistics.median(rows)) if rows else USUAL_ROWS


def estimate_cost(due: Sequence[Due], costs: Mapping[str, float], rows: int) -> float:
    """Estimate what a tenant's due work will take.

    A stage takes what it took when it was last measured; one that never was, what was measured on
    real tenants of so many rows. Windows of a backfill come on top.

    Args:
        due: The work.
        costs: Stage → CPU-seconds when last measured.
        rows: Its labelled rows, or how many are to be expected.

    Returns:
        CPU-seconds, user and system.
    """
    return round(sum(estimate_stages(due, costs, rows).values()), 2)


def estimate_stages(due: Sequence[Due], costs: Mapping[str, float], rows: int) -> dict[str, float]:
    """Estimate what each stage takes that the work needs; see `estimate_cost`."""
    actions = {one.action for one in due}
    stages = [stage for stage in STAGES if actions & set(NEEDS[stage].actions)]
    return {stage: _estimate_stage(stage, due, costs, rows) for stage in stages}


def estimate_pooled(rows: int) -> float:
    """Estimate what a zone's pooled model takes, in CPU-seconds, by the rows of its sample."""
    start, by_row = _POOLED
    return round(start + by_row * rows, 2)


def _estimate_stage(stage: str, due: Sequence[Due], costs: Mapping[str, float], rows: int) -> float:
    start, by_row, by_window = _MEASURED[stage]
    actions = NEEDS[stage].actions
    windows = {one.action: len(one.windows) for one in due if one.action in actions}
    asked = windows.pop("backfill", 0)
    if stage in costs:
        return costs[stage] + by_window * asked
    return start + by_row * rows + by_window * (asked + sum(windows.values()))
