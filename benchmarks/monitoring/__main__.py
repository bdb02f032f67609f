"""Measure monitoring on real flights; exit 1 when a promise is not kept: `make bench-monitor`."""

import argparse
import sys
from pathlib import Path

import pandas as pd
from rich.console import Console

from benchmarks.monitoring import asis, broken, decay, no_drift, power, speed
from benchmarks.monitoring.flights import load_carriers, split_routes

PRODUCT = "arrival-delay"
WIDTH = 140
SAMPLED = 16
"""Tenants, and looks at each, that Evidently's defaults are measured on."""


def main(arguments: list[str] | None = None) -> int:
    """Run the benches; return 1 when one of them misses its target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shuffles", type=int, default=30, help="years of every tenant in bench 1")
    parser.add_argument("--repeats", type=int, default=10, help="draws a carrier in bench 2")
    parser.add_argument("--cache", type=Path, default=Path("build/bench-monitor"))
    parser.add_argument("--only", type=int, choices=range(1, 6), nargs="*", default=range(1, 6))
    chosen = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    carriers, spec = load_carriers(chosen.cache, PRODUCT)
    features = tuple(spec.features)
    misses: list[str] = []
    if 4 in chosen.only:  # first: it measures the most memory that was ever held
        found = speed.measure_speed(spec)
        console.print(speed.make_table(found))
        misses += [] if found.is_enough else ["4: too slow or too large"]
    if 1 in chosen.only:
        misses += _count(carriers, features, chosen.shuffles, console)
    if 2 in chosen.only:
        console.print(asis.make_table(asis.watch_year(carriers, features)))
        counts = power.measure_power(carriers, features, chosen.repeats)
        console.print(power.make_table(counts))
        misses += [f"2: {miss}" for miss in power.find_misses(counts)]
    if 3 in chosen.only:
        left = decay.measure_decay(carriers, PRODUCT)
        console.print(decay.make_table(left))
        gain, low, high = decay.compare_fleets(left)
        console.print(f"trained again each month: {gain:+.4f} ({low:+.4f} … {high:+.4f})")
        misses += [f"3: {miss}" for miss in decay.find_misses(left)]
        misses += [] if low > 0 else ["3: training again is not clearly better"]
    if 5 in chosen.only:
        console.print(broken.judge_broken(carriers["ua"], spec))
    console.print("\n".join(misses) if misses else "All promises are kept.")
    return 1 if misses else 0


def _count(
    carriers: dict[str, pd.DataFrame], features: tuple[str, ...], shuffles: int, console: Console
) -> list[str]:
    """Print bench 1 and return what it misses; whole days are a harder test that may miss."""
    routes = split_routes(carriers)
    counts = {
        f"{name}, {how}": no_drift.count_alarms(tenants, features, shuffles, how)
        for how in no_drift.SHUFFLES
        for name, tenants in (("carriers", carriers), ("routes", routes))
        if how == "every row" or name == "carriers"
    }
    rest = dict(sorted(routes.items())[:SAMPLED])
    names = ("Evidently, any column", "Evidently, half of the columns")
    for name, count in zip(
        names, no_drift.count_by_evidently(rest, features, SAMPLED), strict=True
    ):
        counts[f"{name}: {len(rest)} routes, {SAMPLED} looks"] = count
    console.print(no_drift.make_table(counts))
    return [
        f"1: {name}: {one.share:.1%}"
        for name, one in counts.items()
        if "every row" in name and one.share > no_drift.ALLOWED
    ]


if __name__ == "__main__":
    sys.exit(main())
