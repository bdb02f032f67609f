"""How the cost of a tenant grows with the fleet: fleets of tenants of equal size.

Every tenant has `ROWS` real flights of one pair of airports, evenly over the half year, and a name
of its own; an origin has `MATES` of them, so that files stay as large as they are.
"""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from benchmarks.quality.promises import Promise, report
from benchmarks.scale.landing import read_flights, write_flights, write_specs
from benchmarks.scale.running import import_seconds, pointed_at, run, say
from tenantry.fleet import read_fleet
from tenantry.report.summary import stage_costs
from tenantry.settings import load_settings
from tenantry.store.open import open_store

COUNTS = (100, 1_000, 3_250)
ROWS, MATES, MOST_GROWTH = 300, 50, 1.1


@dataclass(frozen=True)
class Fleet:
    """What a fleet took.

    Attributes:
        tenants: How many.
        cpu: CPU-seconds of its first run, imports apart.
        stages: Stage → CPU-seconds of them.
    """

    tenants: int
    cpu: float
    stages: Mapping[str, float]

    @property
    def per_tenant(self) -> float:
        """CPU-milliseconds a tenant."""
        return 1000 * self.cpu / self.tenants


def measure_growth(kind: str, console: Console, counts: tuple[int, ...] = COUNTS) -> bool:
    """Run fleets of rising size, print the table, say whether the promise holds."""
    fleets = [_measure(count, kind) for count in counts]
    console.print(_table(fleets, kind))
    growth = fleets[-1].per_tenant / fleets[0].per_tenant - 1
    text = f"a tenant's cost grows by at most {MOST_GROWTH - 1:.0%} from {counts[0]:,} tenants"
    return report([Promise(text, f"{growth:+.1%}", growth <= MOST_GROWTH - 1)], console)


def _measure(count: int, kind: str) -> Fleet:
    say(f"{count:,} tenants of {ROWS} rows")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _make_landing(folder, count)
        with pointed_at(folder, kind):
            done = run(folder)
            fleet = read_fleet(open_store(load_settings()), done.run)
            cpu = done.cpu_seconds - import_seconds(fleet)
        return Fleet(count, cpu, stage_costs(fleet))


def _make_landing(folder: Path, count: int) -> None:
    flights = read_flights()
    pairs = [rows for _, rows in flights.groupby(["origin", "destination"]) if len(rows) >= ROWS]
    tenants = list(_tenants(pairs, count))
    write_flights(folder, pd.concat(rows for _, rows in tenants))
    write_specs(folder, [name for name, _ in tenants])


def _tenants(pairs: list[pd.DataFrame], count: int) -> Iterator[tuple[str, pd.DataFrame]]:
    for number in range(count):
        rows = pairs[number % len(pairs)]
        places = np.linspace(0, len(rows) - 1, ROWS).astype(np.int64)
        origin, destination = _letters(number // MATES), _letters(number)
        named = rows.iloc[places].assign(origin=origin, destination=destination)
        yield f"{origin}-{destination}".lower(), named


def _letters(number: int) -> str:
    """Return three letters for a number below 26³."""
    return "".join(chr(65 + number // 26**place % 26) for place in (2, 1, 0))


def _table(fleets: list[Fleet], kind: str) -> Table:
    names = [f"{fleet.tenants:,} tenants" for fleet in fleets]
    table = Table("CPU-milliseconds a tenant", *names)
    table.title = f"Tenants of {ROWS} rows, train and a week of predictions, {kind}"
    for column in table.columns[1:]:
        column.justify = "right"
    for stage in fleets[-1].stages:
        told = [1000 * fleet.stages.get(stage, 0.0) / fleet.tenants for fleet in fleets]
        table.add_row(f"  {stage}", *(f"{one:.1f}" for one in told))
    rest = [1000 * (one.cpu - sum(one.stages.values())) / one.tenants for one in fleets]
    table.add_row("  shards, ledgers, report, plan", *(f"{one:.1f}" for one in rest))
    table.add_row("all but imports", *(f"{fleet.per_tenant:.1f}" for fleet in fleets))
    return table
