"""Measure every recipe, and the chosen one, on months that no model saw: `make bench-quality`.

Models are those of one logical date, made by the library's own functions from the shipped specs;
the test is every labelled row from that date on. No model sees it, but people who run this while
they tune do: `docs/models.md` says how often that happened.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from tenantry.columns import EVENT_TIME, LABEL
from tenantry.errors import TrainingError
from tenantry.features.recipe import build_features, table_features
from tenantry.metrics import measure, roc_auc, row_losses
from tenantry.models.card import read_pooled_card
from tenantry.settings import load_settings
from tenantry.sources.collect import collect_rows
from tenantry.sources.connections import Connections, load_connections
from tenantry.specs.learning import POOLED_RECIPES, RECIPES
from tenantry.specs.load import load_product
from tenantry.specs.model import Spec
from tenantry.stages.train_pooled import train_pooled
from tenantry.store.contract import ObjectStore
from tenantry.store.folder import FolderStore
from tenantry.times import parse_moment
from tenantry.training.chain import Chain, load_chain
from tenantry.training.folds import happened_in, local_days
from tenantry.training.lessons import Lessons
from tenantry.training.tenant import train_tenant

MIN_TEST_ROWS = 20
TARGETS = {"roc_auc": 0.715, "log_loss": 0.465}
CHOSEN = "chosen"
LABELS_COME = timedelta(days=7)
"""So long after the test the labels of its last rows are known."""
WIDTH = 140
"""Columns of the tables where nobody watches: in a file, a narrow table says nothing."""


@dataclass
class Tested:
    """One tenant's test: labels, days, and each recipe's predictions."""

    tenant: str
    label: np.ndarray
    day: np.ndarray
    recipe: str = ""
    predicted: dict[str, np.ndarray] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; return 1 when the chosen configuration misses a target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--product", default="arrival-delay")
    parser.add_argument("--as-of", default="2013-10-01", help="the models' logical date")
    parser.add_argument("--until", default="2014-01-01", help="end of the test")
    chosen = parser.parse_args(arguments)
    settings = load_settings()
    connections = load_connections(settings.connections, os.environ)
    specs = load_product(settings.specs, chosen.product).specs
    span = parse_moment(chosen.as_of), parse_moment(chosen.until)
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        store = FolderStore(Path(folder))
        chains, cpu = _pool(list(specs.values()), span[0], store, connections)
        tested = [
            _test(spec, chains.get(spec.residency.zone), span, connections)
            for spec in specs.values()
        ]
    kept = [one for one in tested if len(one.label) >= MIN_TEST_ROWS]
    for one in tested:
        if one not in kept:
            rows = len(one.label)
            console.print(
                f"{one.tenant}: {rows} labelled test rows, {MIN_TEST_ROWS} needed: left out"
            )
    console.print(f"pooled model with its folds: {cpu:.1f} CPU-s, reading all tenants included")
    console.print(_tenant_table(kept))
    console.print(_recipe_table(kept))
    return _verdict(kept, console)


def _pool(
    specs: list[Spec], as_of: datetime, store: ObjectStore, connections: Connections
) -> tuple[dict[str, Chain], float]:
    start = time.process_time()
    outcome = train_pooled(
        specs, as_of, run="bench", store=store, connections=connections, code_version="bench"
    )
    cpu = time.process_time() - start
    product = specs[0].product
    return {
        zone: load_chain(store, read_pooled_card(store, product, zone, version))
        for zone, version in outcome.zones.items()
    }, cpu


def _test(
    spec: Spec, chain: Chain | None, span: tuple[datetime, datetime], connections: Connections
) -> Tested:
    as_of, until = span
    chain = chain if spec.pooling.receive else None
    lessons = Lessons(_table(spec, connections, as_of), spec, chain)
    later = _table(spec, connections, until + LABELS_COME)
    rows = later[happened_in(later, as_of, until) & later[LABEL].notna().to_numpy()]
    rows = rows.reset_index(drop=True)
    label = rows[LABEL].to_numpy(dtype="float64")
    one = Tested(spec.tenant, label, local_days(rows[EVENT_TIME], spec.timezone))
    if len(label) < MIN_TEST_ROWS:
        return one
    for name in (*RECIPES, CHOSEN):
        start = time.process_time()
        try:
            # alone: what another recipe has fitted is not shared
            alone = Lessons(lessons.table, spec, chain)
            trained = train_tenant(alone, as_of) if name == CHOSEN else None
            model = trained.model if trained else alone.fit(name, as_of)
        except TrainingError:
            # what the train stage would give a tenant with so few rows
            has_pool = name in POOLED_RECIPES and chain is not None
            model = lessons.fit("pooled" if has_pool else "prior", as_of)
        one.cpu[name] = time.process_time() - start
        one.predicted[name] = model.predict(rows, spec)
        one.recipe = model.recipe
    return one


def _table(spec: Spec, connections: Connections, as_of: datetime) -> pd.DataFrame:
    rows = collect_rows(spec, connections, as_of).rows
    return build_features(rows, table_features(spec), spec)


def _macro(tested: list[Tested], name: str) -> tuple[float, float, float]:
    areas = [roc_auc(one.label, one.predicted[name]) for one in tested]
    known = [area for area in areas if area is not None]
    losses = [measure("log_loss", one.label, one.predicted[name]) for one in tested]
    return float(np.mean(known)), float(np.mean(losses)), min(known)


def _gain(tested: list[Tested], name: str, rival: str) -> tuple[float, float, float]:
    """Return by how much the macro log loss is lower than the rival's, and its 95 % interval.

    Whole days are drawn, the same for all tenants: a storm hits them together.
    """
    days = np.unique(np.concatenate([one.day for one in tested]))
    drawn = np.random.default_rng(0).multinomial(len(days), np.full(len(days), 1 / len(days)), 2000)
    drawn = np.vstack([np.ones(len(days)), drawn])
    gains = np.zeros(len(drawn))
    for one in tested:
        block = np.searchsorted(days, one.day)
        loss = [row_losses("log_loss", one.label, one.predicted[model]) for model in (rival, name)]
        sums = np.bincount(block, weights=loss[0] - loss[1], minlength=len(days))
        gains += (drawn @ sums) / (drawn @ np.bincount(block, minlength=len(days)))
    gains /= len(tested)
    low, high = np.quantile(gains[1:], [0.025, 0.975])
    return float(gains[0]), float(low), float(high)


def _recipe_table(tested: list[Tested]) -> Table:
    table = Table("recipe", title=f"macro over {len(tested)} tenants")
    for column in ("ROC AUC", "log loss", "worst AUC", "gain over pooled", "95 %", "CPU-s"):
        table.add_column(column, justify="right")
    for name in (*RECIPES, CHOSEN):
        area, loss, worst = _macro(tested, name)
        gain, low, high = _gain(tested, name, "pooled")
        cpu = sum(one.cpu[name] for one in tested)
        figures = (f"{area:.4f}", f"{loss:.4f}", f"{worst:.3f}", f"{gain:+.4f}")
        table.add_row(name, *figures, f"{low:+.4f} … {high:+.4f}", f"{cpu:.1f}")
    return table


def _tenant_table(tested: list[Tested]) -> Table:
    table = Table("tenant", "chosen", title="by tenant: log loss, then ROC AUC of the chosen")
    for column in ("rows", *RECIPES, CHOSEN, "ROC AUC"):
        table.add_column(column, justify="right")
    for one in tested:
        table.add_row(one.tenant, one.recipe, f"{len(one.label):,}", *_figures(one))
    return table


def _figures(one: Tested) -> Iterator[str]:
    for name in (*RECIPES, CHOSEN):
        yield f"{measure('log_loss', one.label, one.predicted[name]):.4f}"
    area = roc_auc(one.label, one.predicted[CHOSEN])
    yield "" if area is None else f"{area:.3f}"


def _verdict(tested: list[Tested], console: Console) -> int:
    area, loss, _ = _macro(tested, CHOSEN)
    has_met = area >= TARGETS["roc_auc"] and loss <= TARGETS["log_loss"]
    console.print(
        f"chosen: macro ROC AUC {area:.4f} (target ≥ {TARGETS['roc_auc']}), "
        f"macro log loss {loss:.4f} (target ≤ {TARGETS['log_loss']}): "
        + ("met" if has_met else "missed")
    )
    return 0 if has_met else 1


if __name__ == "__main__":
    sys.exit(main())
