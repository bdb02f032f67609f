"""What a tenant's due work will cost, in CPU-seconds: as measured before, else by its rows."""

import statistics
from collections.abc import Iterable, Mapping, Sequence

from tenantry.ledger import STAGES, Due
from tenantry.needs import NEEDS

USUAL_ROWS = 1_000
"""Rows of a tenant about which nothing is known, in a fleet about which nothing is."""

Rates = Mapping[str, tuple[float, float, float]]
"""Stage → CPU-seconds a tenant, a labelled row and a window."""

ENOUGH = 10
"""Measured tenants from which a fleet's own rates are learnt."""

MEASURED: Rates = {
    "ingest": (0.35, 5e-6, 0.0),
    "build_features": (0.08, 7e-6, 0.0),
    "train": (0.5, 4e-5, 0.0),
    "promote": (0.13, 4e-6, 0.0),
    "predict": (0.06, 5e-6, 0.01),
    "monitor": (2.4, 2e-5, 0.01),
}
"""Measured on 16 real airlines."""

_POOLED = (1.0, 1.6e-4)
"""The same of the pooled model: a zone and a row of its sample."""


def usual_rows(known: Iterable[int | None]) -> int:
    """Return the rows to expect of a tenant that was never trained: the fleet's median."""
    rows = [one for one in known if one is not None]
    return int(statistics.median(rows)) if rows else USUAL_ROWS


def learn_rates(measured: Iterable[tuple[int, Mapping[str, float]]]) -> Rates:
    """Learn what stages take in a fleet from what they took when they were last measured.

    A line through rows and CPU-seconds by least squares, neither end below 0. Stages that fewer
    than `ENOUGH` tenants have come through keep the rates that were measured elsewhere.

    Args:
        measured: Of each tenant its labelled rows, and stage → CPU-seconds.
    """
    known = list(measured)
    learnt = dict(MEASURED)
    for stage, (_, _, by_window) in MEASURED.items():
        points = [(rows, costs[stage]) for rows, costs in known if stage in costs]
        if len(points) >= ENOUGH:
            learnt[stage] = (*_fit_line(points), by_window)
    return learnt


def _fit_line(points: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Return where a line begins and how it rises, both at least 0."""
    rows, seconds = zip(*points, strict=True)
    usual, mean = statistics.fmean(rows), statistics.fmean(seconds)
    if len(set(rows)) == 1:
        return mean, 0.0
    rise = max(statistics.covariance(rows, seconds) / statistics.variance(rows), 0.0)
    start = mean - rise * usual
    return (start, rise) if start >= 0 else (0.0, mean / usual)


def estimate_cost(
    due: Sequence[Due], costs: Mapping[str, float], rows: int, rates: Rates = MEASURED
) -> float:
    """Estimate what a tenant's due work will take.

    A stage takes what it took when it was last measured; one that never was, what tenants of so
    many rows take. Windows of a backfill come on top.

    Args:
        due: The work.
        costs: Stage → CPU-seconds when last measured.
        rows: Its labelled rows, or how many are to be expected.
        rates: What stages take by rows; `learn_rates` gives the fleet's own.

    Returns:
        CPU-seconds, user and system.
    """
    return round(sum(estimate_stages(due, costs, rows, rates).values()), 2)


def estimate_stages(
    due: Sequence[Due], costs: Mapping[str, float], rows: int, rates: Rates = MEASURED
) -> dict[str, float]:
    """Estimate what each stage takes that the work needs; see `estimate_cost`."""
    actions = {one.action for one in due}
    stages = [stage for stage in STAGES if actions & set(NEEDS[stage].actions)]
    return {stage: _estimate_stage(stage, due, costs, rows, rates[stage]) for stage in stages}


def estimate_pooled(rows: int) -> float:
    """Estimate what a zone's pooled model takes, in CPU-seconds, by the rows of its sample."""
    start, by_row = _POOLED
    return round(start + by_row * rows, 2)


def _estimate_stage(
    stage: str,
    due: Sequence[Due],
    costs: Mapping[str, float],
    rows: int,
    rate: tuple[float, float, float],
) -> float:
    start, by_row, by_window = rate
    actions = NEEDS[stage].actions
    windows = {one.action: len(one.windows) for one in due if one.action in actions}
    asked = windows.pop("backfill", 0)
    if stage in costs:
        return costs[stage] + by_window * asked
    return start + by_row * rows + by_window * (asked + sum(windows.values()))
