"""Measure what the intervals of a regression hold, month by month: `make bench-intervals`.

Models are those of each month's first day, made by the library's own functions from the shipped
specs; the test is every labelled row of that month. Intervals come from the holdout before it.
"""

import argparse
import os
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from tenantry.columns import LABEL
from tenantry.features.recipe import build_features, table_features
from tenantry.metrics import measure
from tenantry.models.card import read_pooled_card
from tenantry.rules import settle_rules
from tenantry.settings import load_settings
from tenantry.sources.collect import collect_rows
from tenantry.sources.connections import Connections, load_connections
from tenantry.specs.load import load_product
from tenantry.specs.model import Spec
from tenantry.stages.train_pooled import train_pooled
from tenantry.store.folder import FolderStore
from tenantry.training.chain import Chain, load_chain
from tenantry.training.folds import happened_in
from tenantry.training.lessons import Lessons
from tenantry.training.tenant import train_tenant

MIN_TEST_ROWS = 100
"""Rows of a month below which a tenant's share says little by itself."""

LABELS_COME = timedelta(days=7)
WIDTH = 100


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; return 1 when no month could be measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--product", default="arrival-minutes")
    parser.add_argument("--months", type=int, nargs="+", default=[6, 7, 8, 9, 10, 11, 12])
    chosen = parser.parse_args(arguments)
    table = Table("month", title=f"{chosen.product}: what the intervals held")
    for column in ("rows", "all rows", "mean of tenants", "lowest", "highest", "width", "RMSE"):
        table.add_column(column, justify="right")
    held = [
        _measure(datetime(2013, month, 1, tzinfo=UTC), chosen.product) for month in chosen.months
    ]
    for month, found in zip(chosen.months, held, strict=True):
        table.add_row(f"2013-{month:02d}", *_figures(found))
    Console(width=None if sys.stdout.isatty() else WIDTH).print(table)
    return 0 if all(len(found) for found in held) else 1


def _measure(as_of: datetime, product: str) -> pd.DataFrame:
    """Return each test row of the month: tenant, label, prediction and the ends of its interval."""
    settings = load_settings()
    connections = load_connections(settings.connections, os.environ)
    specs = list(load_product(settings.specs, product).specs.values())
    until = (as_of + timedelta(days=31)).replace(day=1)
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        store = FolderStore(Path(folder))
        pooled = train_pooled(
            specs, as_of, run="bench", store=store, connections=connections, code_version="bench"
        )
        chains = {
            zone: load_chain(store, read_pooled_card(store, product, zone, version))
            for zone, version in pooled.zones.items()
        }
        found = [
            _test(spec, chains.get(spec.residency.zone), as_of, until, connections)
            for spec in specs
        ]
    return pd.concat(found, ignore_index=True)


def _test(
    spec: Spec, chain: Chain | None, as_of: datetime, until: datetime, connections: Connections
) -> pd.DataFrame:
    lessons = Lessons(_table(spec, connections, as_of), spec, chain)
    trained = train_tenant(lessons, as_of)
    interval = settle_rules(spec, trained.evaluation).interval
    later = _table(spec, connections, until + LABELS_COME)
    rows = later[happened_in(later, as_of, until) & later[LABEL].notna().to_numpy()]
    predicted = trained.model.predict(rows, spec)
    low, high = (interval.low, interval.high) if interval else (np.nan, np.nan)
    return pd.DataFrame(
        {
            "tenant": spec.tenant,
            "label": rows[LABEL].to_numpy(),
            "predicted": predicted,
            "low": predicted + low,
            "high": predicted + high,
        }
    )


def _table(spec: Spec, connections: Connections, as_of: datetime) -> pd.DataFrame:
    rows = collect_rows(spec, connections, as_of).rows
    return build_features(rows, table_features(spec), spec)


def _figures(found: pd.DataFrame) -> tuple[str, ...]:
    known = found[found["low"].notna()]
    within = (known["label"] >= known["low"]) & (known["label"] <= known["high"])
    tenants = within.groupby(known["tenant"]).agg(["mean", "size"])
    large = tenants.loc[tenants["size"] >= MIN_TEST_ROWS, "mean"]
    rmse = measure("rmse", known["label"].to_numpy(), known["predicted"].to_numpy())
    return (
        f"{len(known):,}",
        f"{within.mean():.1%}",
        f"{tenants['mean'].mean():.1%}",
        f"{large.min():.1%} {large.idxmin()}",
        f"{large.max():.1%} {large.idxmax()}",
        f"{(known['high'] - known['low']).mean():.0f}",
        f"{rmse:.1f}",
    )


if __name__ == "__main__":
    sys.exit(main())
