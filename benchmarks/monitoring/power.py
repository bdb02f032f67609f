"""2: real drift. Changes injected into two windows after a quiet time; how many are found."""

from collections.abc import Callable, Mapping
from datetime import timedelta

import numpy as np
import pandas as pd
from rich.table import Table

from benchmarks.monitoring.flights import YEAR
from benchmarks.monitoring.telling import told
from benchmarks.monitoring.watching import Plan, split, watch_tenant
from tenantry.columns import EVENT_TIME, LABEL

PAST, QUIET, CHANGED = 26, 4, 2
SIZES = (50, 100, 200, 500, 1000)
ENOUGH_ROWS = 500
NEEDED = 0.95
"""Share of tenants with 500 rows a window in which a change is to be found within two windows."""

WEEK = timedelta(days=7)
PLAN = Plan((YEAR[0] + PAST * WEEK).to_pydatetime(), WEEK, QUIET + CHANGED, 52.0)

Rows = pd.DataFrame
Change = Callable[[Rows, np.random.Generator], Rows]


def _to_km(rows: Rows, _rng: np.random.Generator) -> Rows:
    return rows.assign(distance=rows["distance"] * 1.609344)


def _close_origin(rows: Rows, _rng: np.random.Generator) -> Rows:
    """Close the second busiest origin; the tenant flies from the others."""
    return rows[rows["origin"] != rows["origin"].value_counts().index[1]]


def _stick(rows: Rows, _rng: np.random.Generator) -> Rows:
    return rows.assign(temp=float(rows["temp"].median()))


def _later(points: int) -> Change:
    def change(rows: Rows, rng: np.random.Generator) -> Rows:
        label = rows[LABEL].to_numpy(dtype=np.float64, copy=True)
        turned = points / 100 / (1 - label.mean())
        label[(label == 0) & (rng.random(len(label)) < turned)] = 1.0
        return rows.assign(**{LABEL: label})

    return change


CHANGES: dict[str, Change] = {
    "miles become km": _to_km,
    "an origin closes": _close_origin,
    "a sensor is stuck": _stick,
    "label + 20 points": _later(20),
    "label + 10 points": _later(10),
    "label + 5 points": _later(5),
    "nothing": lambda rows, _rng: rows,
}
MUST = tuple(CHANGES)[:5]


def measure_power(
    carriers: Mapping[str, Rows], features: tuple[str, ...], repeats: int
) -> dict[tuple[str, int], tuple[int, int]]:
    """Return (change, rows a window) → how many were found, of how many.

    Tenants of every size are made of the carriers that fly from two origins: their rows of the year
    are drawn, in any order.
    """
    rng = np.random.default_rng(2)
    large = [rows for rows in carriers.values() if _is_large(rows)]
    counts: dict[tuple[str, int], tuple[int, int]] = {}
    for size in SIZES:
        tenants = large * repeats
        for rows in told(tenants, f"2, {size} rows a window", len(tenants)):
            past, now, window = split(_draw(rows, size, rng), PLAN)
            for name, change in CHANGES.items():
                late = window >= QUIET
                changed = pd.concat([now[~late], change(now[late], rng)])
                kept = window[changed.index]
                alarms = watch_tenant(past, changed.reset_index(drop=True), kept, PLAN, features)
                found, tries = counts.get((name, size), (0, 0))
                hit = bool(alarms.any[QUIET:].any())
                counts[name, size] = found + hit, tries + 1
    return counts


def make_table(counts: Mapping[tuple[str, int], tuple[int, int]]) -> Table:
    """Print the power curve."""
    tries = max(tries for _, tries in counts.values())
    table = Table("change", title=f"2. Found within two windows, of {tries} tenants a size")
    for size in SIZES:
        table.add_column(f"{size} rows a window", justify="right")
    for name in CHANGES:
        shares = (counts[name, size][0] / counts[name, size][1] for size in SIZES)
        table.add_row(name, *(f"{share:.1%}" for share in shares))
    return table


def find_misses(counts: Mapping[tuple[str, int], tuple[int, int]]) -> list[str]:
    """Name the changes that are found too rarely in tenants that are large enough."""
    return [
        f"{name} at {size} rows: {found}/{tries}"
        for (name, size), (found, tries) in counts.items()
        if name in MUST and size >= ENOUGH_ROWS and found < NEEDED * tries
    ]


def _is_large(rows: Rows) -> bool:
    shares = rows["origin"].value_counts(normalize=True)
    return len(rows) >= ENOUGH_ROWS * 40 and len(shares) > 1 and shares.iloc[1] >= 0.1


def _draw(rows: Rows, size: int, rng: np.random.Generator) -> Rows:
    """Draw a quiet time line of a tenant with so many rows a window."""
    number = size * (PAST + QUIET + CHANGED)
    picked = rows.iloc[rng.choice(len(rows), number, replace=number > len(rows))]
    minutes = rng.integers(0, (PAST + QUIET + CHANGED) * 7 * 1440, number)
    times = YEAR[0] + pd.to_timedelta(minutes, unit="m")
    return picked.assign(**{EVENT_TIME: times}).sort_values(EVENT_TIME, ignore_index=True)
