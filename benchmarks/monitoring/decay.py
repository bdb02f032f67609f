"""3: decay. The models as of April, left alone until December, and models trained again."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from rich.table import Table

from benchmarks.monitoring.telling import told
from benchmarks.monitoring.watching import METRIC, RULES, Plan, loss_of, split, watch_quality
from tenantry.columns import EVENT_TIME, LABEL
from tenantry.errors import TrainingError
from tenantry.metrics import measure
from tenantry.models.card import read_pooled_card
from tenantry.monitoring.decay import measure_losses
from tenantry.monitoring.streams import PREDICTION
from tenantry.settings import load_settings
from tenantry.sources.connections import load_connections
from tenantry.specs.load import load_product
from tenantry.specs.model import Spec
from tenantry.stages.train_pooled import train_pooled
from tenantry.store.folder import FolderStore
from tenantry.times import parse_moment
from tenantry.training.chain import Chain, load_chain
from tenantry.training.lessons import Lessons

APRIL, END = parse_moment("2013-04-01"), parse_moment("2013-12-02")
HOLDOUT, WEEK = timedelta(days=28), timedelta(days=7)
AGAIN = tuple(parse_moment(f"2013-{month:02}-01") for month in (5, 6, 7, 8, 9, 10, 11))
"""When the other fleet is trained again."""

MONTHS = (APRIL, *AGAIN)
"""Spans in which it is looked at whether a model truly is worse: quality has its seasons."""

RECIPE = "blended"
MIN_ROWS = 500
"""Labelled rows from April on that a tenant needs to be listed."""


@dataclass
class Left:
    """One tenant's model of April, left alone.

    Attributes:
        promised: Its score on the holdout, by a model that had not seen it.
        rows: The labelled rows from April on, with what it predicts.
        again: The losses of models that were trained again, row by row.
        decayed: Start of the first window that was judged as decayed; None when none was.
        low: Lower end of the 95 % interval of the mean loss over all these days.
        worse: Starts of the months in which it truly was worse than promised and bearable, by
            intervals that hold together with 95 %.
    """

    promised: float
    rows: pd.DataFrame
    again: np.ndarray
    decayed: datetime | None = None
    low: float = field(default=float("nan"))
    worse: tuple[datetime, ...] = ()

    @property
    def is_worse(self) -> bool:
        """Whether it truly is worse than promised and bearable, over all or in a month."""
        return self.low > self.promised + RULES.tolerance or bool(self.worse)

    @property
    def is_found_rightly(self) -> bool:
        """Whether a month in which it truly was worse began by 28 days after it was found out."""
        if self.decayed is None:
            return False
        return any(month <= self.decayed + HOLDOUT for month in self.worse)


def measure_decay(carriers: Mapping[str, pd.DataFrame], product: str) -> dict[str, Left]:
    """Leave the models of April alone, train others again each month, and watch the former."""
    specs = load_product(load_settings().specs, product).specs
    before, *moments = (APRIL - HOLDOUT, APRIL, *AGAIN)
    days = told((before, *moments), "3, models", len(moments) + 1)
    predicted = {moment: _predict(carriers, specs, moment) for moment in days}
    left = {}
    for tenant, rows in carriers.items():
        when = rows[EVENT_TIME]
        held = ((when >= before) & (when < APRIL)).to_numpy()
        later = ((when >= APRIL) & (when < END)).to_numpy()
        if tenant not in predicted[before] or later.sum() < MIN_ROWS or held.sum() < 50:
            continue
        label = rows[LABEL].to_numpy(dtype=np.float64)
        promised = measure(METRIC, label[held], predicted[before][tenant][held])
        fresh = predicted[APRIL][tenant].copy()
        for moment in AGAIN:
            new = (when >= moment).to_numpy()
            fresh[new] = predicted[moment][tenant][new]
        stale = rows[later].assign(**{PREDICTION: predicted[APRIL][tenant][later]})
        again = loss_of(rows[later].assign(**{PREDICTION: fresh[later]}))
        left[tenant] = _watch(Left(promised, stale, again))
    return left


def make_table(left: Mapping[str, Left]) -> Table:
    """Print what was promised, what came of it and what was judged."""
    table = Table("tenant", title="3. The models of April until December")
    columns = ("rows", "promised", "realised", "low", "months truly worse", "decayed since")
    for column in columns:
        table.add_column(column, justify="right")
    for tenant, one in left.items():
        since = f"{one.decayed:%Y-%m-%d}" if one.decayed else ""
        figures = (one.promised, float(loss_of(one.rows).mean()), one.low)
        words = (f"{value:.3f}" for value in figures)
        months = " ".join(f"{month:%b}" for month in one.worse)
        table.add_row(tenant, f"{len(one.rows):,}", *words, months, since)
    return table


def find_misses(left: Mapping[str, Left]) -> list[str]:
    """Name the tenants whose decay was not found, or found where there was none."""
    return [
        f"{tenant}: {'not found' if one.decayed is None else 'found, although not worse by then'}"
        for tenant, one in left.items()
        if (one.is_worse if one.decayed is None else not one.is_found_rightly)
    ]


def compare_fleets(left: Mapping[str, Left]) -> tuple[float, float, float]:
    """Return by how much the macro log loss is lower when trained again, and its 95 % interval.

    Whole days are drawn, the same for all tenants.
    """
    days = [one.rows[EVENT_TIME].dt.floor("1D").astype("int64").to_numpy() for one in left.values()]
    every = np.unique(np.concatenate(days))
    drawn = np.random.default_rng(0).multinomial(
        len(every), np.full(len(every), 1 / len(every)), 2000
    )
    drawn = np.vstack([np.ones(len(every)), drawn])
    gains = np.zeros(len(drawn))
    for one, day in zip(left.values(), days, strict=True):
        block = np.searchsorted(every, day)
        sums = np.bincount(block, weights=loss_of(one.rows) - one.again, minlength=len(every))
        gains += (drawn @ sums) / (drawn @ np.bincount(block, minlength=len(every))) / len(left)
    low, high = np.quantile(gains[1:], [0.025, 0.975])
    return float(gains[0]), float(low), float(high)


def _watch(left: Left) -> Left:
    looks = (END - APRIL) // WEEK
    plan = Plan(APRIL, WEEK, looks, 52.0)
    _, now, window = split(left.rows, plan)
    alarmed = watch_quality(now, window, plan, left.promised + RULES.tolerance)[0]
    if alarmed.any():
        left.decayed = APRIL + int(np.argmax(alarmed)) * WEEK
    left.low = _find_low(now, 0.95)
    bearable = left.promised + RULES.tolerance
    together = 1 - 0.05 / len(MONTHS)
    months = zip(MONTHS, (*MONTHS[1:], END), strict=True)
    inside = {span[0]: now[now[EVENT_TIME].between(*span, inclusive="left")] for span in months}
    left.worse = tuple(
        month for month, rows in inside.items() if _find_low(rows, together) > bearable
    )
    return left


def _find_low(rows: pd.DataFrame, confidence: float) -> float:
    """Return the lower end of the mean loss's interval, by whole days; NaN without rows."""
    if rows.empty:
        return float("nan")
    times = rows[EVENT_TIME].dt.tz_localize(None).to_numpy()
    losses = measure_losses(loss_of(rows), times, np.zeros(len(rows), dtype=np.intp), 1)
    return float(losses.bound(confidence)[0][0])


def _predict(
    carriers: Mapping[str, pd.DataFrame], specs: Mapping[str, Spec], as_of: datetime
) -> dict[str, np.ndarray]:
    """Train each tenant as of a moment and predict all its rows."""
    predicted = {}
    with tempfile.TemporaryDirectory() as folder:
        chain = _pool(specs, as_of, FolderStore(Path(folder)))
        for tenant, rows in carriers.items():
            spec = specs[tenant]
            past = rows[(rows["label_known_at"] <= as_of) & (rows[EVENT_TIME] < as_of)]
            lessons = Lessons(past.reset_index(drop=True), spec, chain)
            try:
                model = lessons.fit(RECIPE, as_of)
            except TrainingError:
                model = lessons.fit("pooled", as_of)
            predicted[tenant] = model.predict(rows, spec)
    return predicted


def _pool(specs: Mapping[str, Spec], as_of: datetime, store: FolderStore) -> Chain:
    settings = load_settings()
    connections = load_connections(settings.connections, os.environ)
    outcome = train_pooled(
        list(specs.values()),
        as_of,
        run="bench",
        store=store,
        connections=connections,
        code_version="bench",
    )
    ((zone, version),) = outcome.zones.items()
    product = next(iter(specs.values())).product
    return load_chain(store, read_pooled_card(store, product, zone, version))
