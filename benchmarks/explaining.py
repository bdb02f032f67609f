"""What explanations cost beside scoring, and how exactly they add up: `make bench-explain`.

Models of every recipe, of United's flights until October 2013, take a million made-up rows apart:
each column is drawn from the flights by itself, so that rows are of all kinds; some values are
missing, some categories never seen. Exits with 1 when a promise is not kept.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar, cast

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from benchmarks.quality.fleet import as_known, load_history
from tenantry.explain import contributions
from tenantry.features.recipe import own_frame, pooled_columns, pooled_frame
from tenantry.packed.columns import Row
from tenantry.packed.make import pack_model
from tenantry.packed.model import PackedModel
from tenantry.parquet import to_parquet
from tenantry.scoring import score_rows
from tenantry.specs.model import Spec
from tenantry.training.lessons import Lessons

AS_OF = datetime(2013, 10, 1, tzinfo=UTC)
TENANT = "ua"
ROWS, AT_ONCE, ALONE = 1_000_000, 100_000, 300
MISSING, NEW = 0.05, 0.02
"""Shares of missing numbers and of categories that no fit has seen."""

EXACT, DEAREST = 1e-9, 5.0
"""What is promised: how far a sum may be from its score, and cost in units of scoring."""

Told = TypeVar("Told")


@dataclass
class Cost:
    """CPU-seconds of one model.

    Attributes:
        rows: Rows at once.
        score: Of scoring them.
        parts: Of taking them apart.
        alone: Of scoring rows one by one.
        parts_alone: Of taking rows apart one by one.
        told: Of predictions as Parquet, without reasons.
        reasons: Of the same with reasons in words for all rows.
        off: The largest difference of a sum from its score.
    """

    rows: int = 0
    score: float = 0.0
    parts: float = 0.0
    alone: float = 0.0
    parts_alone: float = 0.0
    told: float = 0.0
    reasons: float = 0.0
    off: float = 0.0

    @property
    def keeps(self) -> bool:
        """Whether the promises are kept; what is a constant has nothing to tell."""
        is_cheap = self.parts <= DEAREST * self.score and self.parts_alone <= DEAREST * self.alone
        return self.off <= EXACT and is_cheap


def main() -> int:
    """Measure every recipe's model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    rows = parser.parse_args().rows
    with threadpool_limits(1):
        table, spec, models = _fit_models()
        costs = {name: _measure(model, table, spec, rows) for name, model in models.items()}
    Console(width=None if sys.stdout.isatty() else 140).print(_tabled(costs))
    kept = all(cost.keeps for name, cost in costs.items() if name != "prior")
    sys.stdout.write(
        f"sums within {EXACT:g} of their scores and costs within {DEAREST:g} × those of scoring: "
        f"{'kept' if kept else 'NOT KEPT'}\n"
    )
    return 0 if kept else 1


def _fit_models() -> tuple[pd.DataFrame, Spec, dict[str, PackedModel]]:
    history = load_history()
    recipes = ("logistic", "boosted", "pooled", "adapted", "blended", "stacked", "prior")
    spec = history.specs[TENANT]
    candidates = {name: spec.model.candidates.get(name, {}) for name in recipes}
    trained = spec.model.model_copy(update={"candidates": candidates})
    spec = spec.model_copy(update={"model": trained})
    table = as_known(history.tables[TENANT], AS_OF)
    lessons = Lessons(table, spec, history.pool(AS_OF))
    return table, spec, {name: pack_model(lessons.fit(name, AS_OF)) for name in recipes}


def _measure(model: PackedModel, table: pd.DataFrame, spec: Spec, rows: int) -> Cost:
    cost = Cost()
    for some in _made_up(table, rows):
        own, pooled = own_frame(some, spec), pooled_frame(some, spec)
        cost.rows += len(some)
        seconds, scores = _timed(partial(model.score, own, pooled))
        cost.score += seconds
        seconds, parts = _timed(partial(model.parts, own, pooled, pooled_columns(spec)))
        cost.parts += seconds
        cost.off = max(cost.off, float(np.abs(parts.total - scores).max()))
    _measure_alone(model, some.iloc[:ALONE], spec, cost)
    for asking in ("none", "all"):
        explain = spec.predict.explain.model_copy(update={"rows": asking})
        predict = spec.predict.model_copy(update={"explain": explain})
        asks = spec.model_copy(update={"predict": predict})
        seconds, _ = _timed(partial(_predict, model, some, asks))
        cost.reasons, cost.told = seconds, cost.reasons or seconds
    return cost


def _predict(model: PackedModel, rows: pd.DataFrame, spec: Spec) -> bytes:
    return to_parquet(score_rows(model, rows, spec))


def _measure_alone(model: PackedModel, some: pd.DataFrame, spec: Spec, cost: Cost) -> None:
    frames = own_frame(some, spec), pooled_frame(some, spec)
    rows = (cast("list[Row]", frame.to_dict("records")) for frame in frames)
    pairs = list(zip(*rows, strict=True))
    columns = pooled_columns(spec)
    own, pooled = pairs[0]
    model.parts_row(own, pooled, columns)  # tables are made
    cost.alone, _ = _timed(lambda: [model.predict_row(own, pooled) for own, pooled in pairs])
    cost.parts_alone, singly = _timed(
        lambda: [model.parts_row(own, pooled, columns) for own, pooled in pairs]
    )
    _, parts = contributions(model, some, spec)
    alone = pd.DataFrame([one.columns for one in singly], index=parts.index)
    cost.off = max(cost.off, float(np.abs(alone - parts).max().max()) if len(parts.columns) else 0)


def _made_up(table: pd.DataFrame, rows: int) -> Iterator[pd.DataFrame]:
    """Yield rows of a feature table, each column of them drawn by itself."""
    random = np.random.default_rng(0)
    for first in range(0, rows, AT_ONCE):
        number = min(AT_ONCE, rows - first)
        some = {}
        for name, column in table.items():
            drawn = column.take(random.integers(0, len(table), number)).reset_index(drop=True)
            if isinstance(column.dtype, pd.StringDtype):
                drawn = drawn.where(random.random(number) >= NEW, "never seen")
            elif pd.api.types.is_float_dtype(column.dtype):
                drawn = drawn.where(random.random(number) >= MISSING)
            some[name] = drawn
        yield pd.DataFrame(some)


def _timed(work: Callable[[], Told]) -> tuple[float, Told]:
    start = time.process_time()
    told = work()
    return time.process_time() - start, told


def _tabled(costs: dict[str, Cost]) -> Table:
    titles = ("rows", "sum off by", "score µs", "parts µs", "ratio")
    more = ("row alone µs", "its parts µs", "ratio", "predict µs", "with reasons µs", "ratio")
    found = Table("model", *titles, *more)
    for name, cost in costs.items():
        pairs = (
            (cost.score / cost.rows, cost.parts / cost.rows),
            (cost.alone / ALONE, cost.parts_alone / ALONE),
            (cost.told / min(AT_ONCE, cost.rows), cost.reasons / min(AT_ONCE, cost.rows)),
        )
        figures = (value for one, two in pairs for value in (1e6 * one, 1e6 * two, two / one))
        cells = (f"{value:.2f}" for value in figures)
        found.add_row(name, f"{cost.rows:,}", f"{cost.off:.0e}", *cells)
    return found


if __name__ == "__main__":
    sys.exit(main())
