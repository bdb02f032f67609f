"""What a fleet costs beside a bare script: `make bench-scale`, or with TENANTS=100 a part of it.

Both read the same flights, make the same fits and write the same week of predictions; the bare
script has run first. A second run finds nothing due. Imports are reported apart: every
process that works for tenants tells its own; of the last two, and of Kubeflow's runner, they are
measured by themselves.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from benchmarks.quality.promises import Promise, report
from benchmarks.scale.carriers import read_carriers
from benchmarks.scale.equal import measure_growth
from benchmarks.scale.landing import make_landing
from benchmarks.scale.running import (
    import_seconds,
    pointed_at,
    run,
    run_and_peak,
    runner_seconds,
    say,
)
from pipelines.local import LocalRun
from tenantry import layout
from tenantry.fleet import FleetState, read_fleet
from tenantry.predictions import Receipt
from tenantry.report.summary import stage_costs
from tenantry.settings import load_settings
from tenantry.store.contract import ObjectStore
from tenantry.store.open import open_store

MOST, MOST_SECOND, MOST_MIB, MOST_UNBILLED = 1.3, 20.0, 2048.0, 0.05
MOST_CARRIERS = 1.5


@dataclass(frozen=True)
class Measured:
    """What the fleet took.

    Attributes:
        first: The run that trains and predicts.
        second: The one after it, in which nothing is due.
        stages: Stage → CPU-seconds of the first run's tenants, and of the pooled model.
        imports: CPU-seconds of the first run's imports.
        mib: Most memory of any of its processes.
        same: Tenants with the same recipe as in the bare script, the pooled model aside.
        apart: How far their predictions differ at the most.
        billed: CPU-seconds that the tenants are charged together.
        runner: CPU-seconds of Kubeflow's runner, which they are not charged.
    """

    first: LocalRun
    second: LocalRun
    stages: Mapping[str, float]
    imports: float
    mib: float
    same: int
    apart: float
    billed: float
    runner: float


def main() -> int:
    """Measure, print the table and the promises; return 1 when one is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, default=3250)
    parser.add_argument("--carriers", action="store_true", help="16 airlines instead")
    parser.add_argument("--store", choices=("folder", "minio"), default="folder")
    parser.add_argument("--equal", action="store_true", help="how a tenant's cost grows instead")
    wanted = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 100, highlight=False)
    if wanted.equal:
        return 0 if measure_growth(wanted.store, console) else 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if wanted.carriers:
            make_landing(folder, flights=read_carriers())
        else:
            make_landing(folder, wanted.tenants)
        say("the bare script")
        bare = _run_bare(folder)
        with pointed_at(folder, wanted.store):
            measured = _measure(folder)
    console.print(_table(bare, measured, wanted.store))
    load = os.getloadavg()[0]
    console.print(f"{os.cpu_count()} cores, load {load:.1f} at the end")
    most = MOST_CARRIERS if wanted.carriers else MOST
    return 0 if report(_promises(bare, measured, most), console) else 1


def _run_bare(folder: Path) -> dict[str, dict[str, float]]:
    command = [sys.executable, "-m", "benchmarks.scale.bare"]
    done = subprocess.run(  # noqa: S603 - our own module
        [*command, str(folder / "landing"), str(folder / "bare")],
        check=True,
        capture_output=True,
        text=True,
    )
    told: dict[str, dict[str, float]] = json.loads(done.stdout)
    return told


def _measure(folder: Path) -> Measured:
    first, mib = run_and_peak(folder)
    say(f"the first run took {first.cpu_seconds:.0f} CPU-seconds")
    store = open_store(load_settings())
    fleet = read_fleet(store, first.run)
    same, apart = _compare(store, fleet, folder / "bare")
    return Measured(
        first=first,
        second=run(folder),
        stages=stage_costs(fleet),
        imports=import_seconds(fleet),
        mib=mib,
        same=same,
        apart=apart,
        billed=_billed(store, first.run),
        runner=runner_seconds(),
    )


def _billed(store: ObjectStore, run: str) -> float:
    lines = csv.DictReader(store.get(layout.bill(run)).content.decode().splitlines())
    return sum(float(one["own_cpu_seconds"]) + float(one["shared_cpu_seconds"]) for one in lines)


def _compare(store: ObjectStore, fleet: FleetState, bare: Path) -> tuple[int, float]:
    """Compare the predictions of tenants whose own model is of the same recipe in both."""
    same, apart = 0, 0.0
    for member in fleet.members:
        told = bare / f"{member.tenant.upper()}.json"
        recipe = json.loads(told.read_text())["recipe"] if told.exists() else ""
        if recipe in ("", "pooled") or recipe != member.fact("train", "recipe"):
            continue
        for outcome in member.outcomes:
            for key in (key for key in outcome.keys if key.endswith("receipt.json")):
                receipt = Receipt.from_json(store.get(key).content, key)
                if receipt.model == member.fact("train", "challenger"):
                    apart = max(apart, _apart(store, receipt, bare))
                    same += 1
    return same, apart


def _apart(store: ObjectStore, receipt: Receipt, bare: Path) -> float:
    place = bare / f"{receipt.tenant.upper()}.parquet"
    if not receipt.files or not place.exists():
        return 0.0
    ours = pd.read_parquet(pd.io.common.BytesIO(store.get(receipt.files[0].key).content))
    both = ours.merge(pd.read_parquet(place), on="number", suffixes=("", "_bare"))
    return float((both["probability"] - both["probability_bare"]).abs().max())


def _table(bare: Mapping[str, Mapping[str, float]], measured: Measured, store: str) -> Table:
    tenants = int(bare["tenants"])  # type: ignore[call-overload] # JSON
    table = Table("CPU-seconds", "bare script", "Tenantry", "ratio")
    table.title = f"{tenants:,} tenants, train and a week of predictions, {store}"
    for column in table.columns[1:]:
        column.justify = "right"
    cpu = bare["cpu"]
    for name, seconds in measured.stages.items():
        table.add_row(f"  {name}", "", f"{seconds:.1f}", "")
    rest = measured.first.cpu_seconds - measured.imports - sum(measured.stages.values())
    table.add_row("  shards, ledgers, report, plan", "", f"{rest:.1f}", "")
    work = cpu["total"] - cpu["imports"]
    ours = measured.first.cpu_seconds - measured.imports
    table.add_row("all but imports", f"{work:.1f}", f"{ours:.1f}", f"{ours / work:.2f}")
    table.add_row("imports", f"{cpu['imports']:.1f}", f"{measured.imports:.1f}", "")
    table.add_row("a second run", "", f"{measured.second.cpu_seconds:.1f}", "")
    return table


def _promises(
    bare: Mapping[str, Mapping[str, float]], measured: Measured, most: float
) -> list[Promise]:
    work = bare["cpu"]["total"] - bare["cpu"]["imports"]
    ratio = (measured.first.cpu_seconds - measured.imports) / work
    second = measured.second.cpu_seconds
    spent = measured.first.cpu_seconds - measured.runner
    return [
        Promise(f"at most {most} × the bare script's CPU", f"{ratio:.2f}", ratio <= most),
        Promise(
            f"a second run takes at most {MOST_SECOND:.0f} CPU-s",
            f"{second:.1f}",
            second <= MOST_SECOND,
        ),
        Promise(
            f"the tenants' bills add up to all but Kubeflow's runner within {MOST_UNBILLED:.0%}",
            f"{measured.billed:.1f} of {spent:.1f}",
            abs(measured.billed / spent - 1) <= MOST_UNBILLED,
        ),
        Promise(f"at most {MOST_MIB:.0f} MiB", f"{measured.mib:.0f}", measured.mib <= MOST_MIB),
        Promise(
            "the same own models say the same",
            f"{measured.same:,} tenants, {measured.apart:.1e} apart",
            (measured.same > 0 or set(bare["chosen"]) == {"pooled"}) and measured.apart < 1e-6,
        ),
    ]


if __name__ == "__main__":
    sys.exit(main())
