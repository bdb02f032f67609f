"""How fast rows are scored from source to receipt: `make bench-scoring`, or with ARGS.

*From source* is all that a run does to score a window: the source files are read and digested, the
contract is checked, the snapshot is written, features are built and written, the model is loaded,
and predictions are written with their receipts. Training is not part of it, nor are imports.

``--rows 10000000 --recipes logistic`` is the run that must stay within its memory.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from benchmarks.quality.promises import Promise, report
from benchmarks.scoring.landing import NEVER, PRODUCT, START, TRAINED, write_specs
from tenantry.ledger import STAGES, Entry, Ledger
from tenantry.receipts import read_receipts
from tenantry.request import PlanRequest
from tenantry.settings import load_settings
from tenantry.shard import run_stage
from tenantry.specs.load import load_product
from tenantry.stages.plan import plan
from tenantry.store.open import open_store
from tenantry.times import parse_moment

LEAST = {"boosted": 100_000.0, "logistic": 400_000.0}
"""Rows a CPU-second."""

MOST_MIB = 2048.0
MOST_APART = 1e-12
"""Between our probabilities and the bare script's, which adds up a score in another order."""
SCORING = ("ingest", "build_features", "predict")


@dataclass(frozen=True)
class Scored:
    """What scoring took for one recipe.

    Attributes:
        rows: Rows that receipts were written for.
        cpu: Stage → CPU-seconds.
        mib: Stage → most memory of its worker.
        wall: Stage → seconds.
        bare: The bare script's CPU-seconds by step; empty when it did not run.
        apart: How far the probabilities of both differ at the most.
    """

    rows: int
    cpu: Mapping[str, float]
    mib: Mapping[str, float]
    wall: Mapping[str, float]
    bare: Mapping[str, float]
    apart: float = 0.0

    @property
    def speed(self) -> float:
        """Rows a CPU-second."""
        return self.rows / sum(self.cpu.values())


def main() -> int:
    """Measure, print the tables and the promises; return 1 when one is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--recipes", default="boosted,logistic")
    parser.add_argument("--no-bare", action="store_true", help="leave the bare script out")
    wanted = parser.parse_args()
    recipes = tuple(wanted.recipes.split(","))
    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        as_of = _make_landing(folder, wanted.rows, recipes)
        scored = _measure(folder, as_of, recipes, bare=not wanted.no_bare)
    console.print(_table(scored))
    console.print(
        f"{os.cpu_count()} cores, one used; load {os.getloadavg()[0]:.1f} at the end; "
        f"Python {platform.python_version()}"
    )
    return 0 if report(_promises(scored), console) else 1


def _make_landing(folder: Path, rows: int, recipes: tuple[str, ...]) -> datetime:
    """Make the landing zone in a process of its own, whose memory no worker inherits."""
    command = [sys.executable, "-m", "benchmarks.scoring.landing", str(folder), str(rows)]
    done = subprocess.run(  # noqa: S603 - our own module
        [*command, *recipes], check=True, capture_output=True, text=True
    )
    return parse_moment(done.stdout.strip())


def _measure(
    folder: Path, as_of: datetime, recipes: tuple[str, ...], *, bare: bool
) -> dict[str, Scored]:
    os.environ.update(
        TENANTRY_SPECS=str(folder / "specs"),
        TENANTRY_CONNECTIONS=str(folder / "connections.yaml"),
        TENANTRY_STORE=(folder / "store").as_uri(),
        TENANTRY_WORKERS="1",
        OMP_NUM_THREADS="1",
    )
    write_specs(folder, recipes, start=NEVER)  # the run that trains predicts nothing
    _run(folder, "trained", parse_moment(TRAINED))
    write_specs(folder, recipes)
    scored = {}
    for entry in _run(folder, "scored", as_of):
        beside = _run_bare(folder, entry.tenant) if bare else {}
        scored[entry.tenant] = _told(folder, entry, beside)
    return {name: scored[name] for name in recipes}


def _run(folder: Path, run: str, as_of: datetime) -> tuple[Entry, ...]:
    """Take the tenants through all stages of a run; return what each did."""
    settings = load_settings()
    fleet = load_product(settings.specs, PRODUCT, connections=settings.connections)
    request = PlanRequest(run=run, as_of=as_of, max_shards=1)
    (shard,) = plan(request, fleet, open_store(settings), folder / run)
    ledger = Ledger.from_lines((folder / run / f"{shard}.jsonl").read_bytes(), shard)
    for stage in STAGES:
        ledger = run_stage(stage, ledger, settings)
    for entry in ledger.entries:
        if entry.failures:
            raise RuntimeError(f"{entry.tenant}: {entry.failures[0].message}")
    return ledger.entries


def _told(folder: Path, entry: Entry, bare: Mapping[str, float]) -> Scored:
    costs = {one.stage: one.cost for one in entry.outcomes if one.stage in SCORING}
    return Scored(
        rows=int(entry.fact("predict", "rows") or 0),
        cpu={stage: cost.cpu_seconds for stage, cost in costs.items()},
        mib={stage: cost.peak_mib for stage, cost in costs.items()},
        wall={stage: cost.wall_seconds for stage, cost in costs.items()},
        bare=bare,
        apart=_apart(folder, entry.tenant) if bare else 0.0,
    )


def _run_bare(folder: Path, recipe: str) -> dict[str, float]:
    source = folder / "landing" / "flights" / f"network={recipe}" / "part-0.parquet"
    command = [sys.executable, "-m", "benchmarks.scoring.bare", str(source)]
    done = subprocess.run(  # noqa: S603 - our own module
        [*command, str(folder / "bare" / recipe), recipe, TRAINED],
        check=True,
        capture_output=True,
        text=True,
    )
    told: dict[str, float] = json.loads(done.stdout)
    return told


def _apart(folder: Path, recipe: str) -> float:
    """Return how far the probabilities lie apart at the most, over every window."""
    store = open_store(load_settings())
    apart = 0.0
    for window, receipt in read_receipts(store, PRODUCT, recipe).items():
        week = (window.start - parse_moment(START)).days // 7
        place = folder / "bare" / recipe / f"{week}.parquet"
        for file in receipt.files:  # none where a window has no rows
            ours = pq.ParquetFile(folder / "store" / file.key).read().to_pandas()
            both = ours.merge(pd.read_parquet(place), on="number", how="left", suffixes=("", "_b"))
            differ = (both["probability"] - both["probability_b"]).abs()
            apart = max(apart, np.inf if differ.isna().any() else differ.max())
    return float(apart)


def _table(scored: Mapping[str, Scored]) -> Table:
    table = Table("", *scored, title="CPU-seconds from source to receipts")
    for column in table.columns[1:]:
        column.justify = "right"
    table.add_row("rows", *(f"{one.rows:,}" for one in scored.values()))
    for stage in SCORING:
        table.add_row(f"  {stage}", *(f"{one.cpu[stage]:.2f}" for one in scored.values()))
    table.add_row("all", *(f"{sum(one.cpu.values()):.2f}" for one in scored.values()))
    if all(one.bare for one in scored.values()):
        table.add_row("bare script", *(f"{one.bare['total']:.2f}" for one in scored.values()))
        ratios = (sum(one.cpu.values()) / one.bare["total"] for one in scored.values())
        table.add_row("ratio", *(f"{ratio:.2f}" for ratio in ratios))
        for step in ("read", "features", "score and write"):
            table.add_row(f"  bare: {step}", *(f"{one.bare[step]:.2f}" for one in scored.values()))
    table.add_row("rows a CPU-second", *(f"{one.speed:,.0f}" for one in scored.values()))
    for stage in SCORING:
        table.add_row(f"  MiB of {stage}", *(f"{one.mib[stage]:,.0f}" for one in scored.values()))
    return table


def _promises(scored: Mapping[str, Scored]) -> list[Promise]:
    promises = []
    for name, one in scored.items():
        most = max(one.mib.values())
        text = f"{name}: {one.rows:,} rows within {MOST_MIB:,.0f} MiB"
        promises.append(Promise(text, f"{most:,.0f}", most <= MOST_MIB))
        if one.bare:  # of more rows than memory should hold no speed is promised
            least = LEAST[name]
            text = f"{name}: at least {least:,.0f} rows a CPU-second"
            promises.append(Promise(text, f"{one.speed:,.0f}", one.speed >= least))
            text = f"{name}: the same probabilities as the bare script"
            promises.append(Promise(text, f"{one.apart:.1e} apart", one.apart <= MOST_APART))
    return promises


if __name__ == "__main__":
    sys.exit(main())
