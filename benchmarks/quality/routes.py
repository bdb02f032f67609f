"""Part `routes`: 3,250 tenants, one for each pair of airports, most with a few hundred flights.

Models are those of 1 June 2001 and the test is June; the data end with it. What is predicted is
whether a flight is more than 15 minutes late.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from rich.console import Console
from rich.table import Table
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.data import flights_3m
from benchmarks.quality.fleet import History, as_known, labelled, pool
from benchmarks.quality.paired import Trial, count_beyond, macro, macro_gain
from benchmarks.quality.promises import Promise, report
from tenantry.columns import EVENT_TIME, LABEL
from tenantry.contract import check_rows
from tenantry.errors import TrainingError
from tenantry.features.recipe import build_features, table_features
from tenantry.specs.model import Spec
from tenantry.times import Window, parse_moment
from tenantry.training.candidates import has_one_class
from tenantry.training.chain import Chain
from tenantry.training.folds import local_days
from tenantry.training.lessons import Lessons
from tenantry.training.pipelines import known_columns
from tenantry.training.tenant import train_tenant

MONTH = Window(parse_moment("2001-06-01T00:00:00Z"), parse_moment("2001-07-01T00:00:00Z"))
MIN_ROWS = 50
"""Of a pair of airports that is a tenant."""
MIN_TEST_ROWS = 20
OWN = ("logistic", "prior")
"""What a tenant could have of its own rows alone."""
CHOSEN, POOLED = "chosen", "pooled"
BARE = "bare"
"""scikit-learn's imputer, scaler and logistic regression of an array, fitted once."""
BUDGET = 0.060
EVERY_ROUTE = Path("build/bench-quality/routes.csv")
"""Each route's log losses, and its gain over the pooled model: too many to be printed."""


def run(_: Callable[[], History], console: Console) -> bool:
    """Print the recipes over all routes; return whether the promises hold."""
    if not flights_3m().exists():
        console.print("the data are not there: make bench-data")
        return False
    parts = route_tables(flights_3m(), MONTH.end)
    trained, cpu = measure_routes(parts, MONTH)
    console.print(f"pooled model with its folds: {cpu:.1f} CPU-s; {len(parts):,} tenants")
    tested = [one for one in trained if one.predicted]
    console.print(_table(tested))
    console.print(count_beyond(tested, CHOSEN, POOLED), highlight=False)
    console.print(_cpu_table(trained))
    EVERY_ROUTE.parent.mkdir(parents=True, exist_ok=True)
    _every_route(tested).to_csv(EVERY_ROUTE, index=False, float_format="%.5f")
    console.print(f"every route: {EVERY_ROUTE}")
    over = {rival: macro_gain(tested, CHOSEN, rival) for rival in (POOLED, *OWN)}
    fit = float(np.mean([one.cpu[CHOSEN] for one in trained]))
    return report(
        [
            *(
                Promise(f"better than {rival}, clear of 0", str(gain), gain.low > 0)
                for rival, gain in over.items()
            ),
            Promise(
                f"whole fit ≤ {1000 * BUDGET:.0f} ms CPU a tenant on top of the pooled model",
                f"{1000 * fit:.0f} ms over {len(trained):,}",
                fit <= BUDGET,
            ),
        ],
        console,
    )


def route_tables(place: Path, until: datetime) -> dict[str, tuple[pd.DataFrame, Spec]]:
    """Return the feature table and the spec of each tenant by name.

    All rows are checked and their features built at once: the histories are by route, so that a
    tenant's are made of its own rows, as they would be alone.
    """
    flights = pd.read_parquet(place)
    sizes = flights.groupby(["origin", "destination"])["date"].transform("size")
    flights = flights[sizes >= MIN_ROWS].reset_index(drop=True)
    flights = flights.assign(date=flights["date"].dt.tz_localize("UTC"), number=flights.index)
    spec = read_spec()
    rows = check_rows(flights, spec, until).rows
    routes = rows.set_index("number")[["origin", "destination"]]
    table = build_features(rows, table_features(spec), spec)
    pairs = routes.loc[table["number"]].to_numpy()
    names = pd.Series([f"{one}-{other}".lower() for one, other in pairs])
    return {
        str(name): (
            table.iloc[places].reset_index(drop=True),
            spec.model_copy(update={"tenant": str(name)}),
        )
        for name, places in sorted(names.groupby(names).indices.items())
    }


def measure_routes(
    parts: dict[str, tuple[pd.DataFrame, Spec]], span: Window
) -> tuple[list[Trial], float]:
    """Return the trials of all tenants, and the CPU-seconds of the pooled model.

    Those with fewer than `MIN_TEST_ROWS` rows in the span are trained, and predict nothing.
    """
    start = time.process_time()
    chain = pool(parts.values(), span.start)
    cpu = time.process_time() - start
    return [_test(table, spec, chain, span) for table, spec in parts.values()], cpu


def read_spec() -> Spec:
    """Return the spec that all routes share; the name of the tenant is nobody's."""
    document = yaml.safe_load(Path(__file__).with_name("routes.yaml").read_text())
    document["pooled"]["features"] = document["features"]
    return Spec.model_validate(document | {"tenant": "any"})


def _test(table: pd.DataFrame, spec: Spec, chain: Chain, span: Window) -> Trial:
    rows = labelled(table, span)
    label = rows[LABEL].to_numpy(dtype="float64")
    one = Trial(spec.tenant, label, local_days(rows[EVENT_TIME], spec.timezone))
    known = as_known(table, span.start)
    start = time.process_time()
    model = train_tenant(Lessons(known, spec, chain), span.start).model
    one.cpu[CHOSEN] = time.process_time() - start
    one.recipe = model.recipe
    lessons = Lessons(known, spec, chain)
    if cpu := _bare_cpu(lessons, span.start):
        one.cpu[BARE] = cpu
    if len(label) < MIN_TEST_ROWS or not known[LABEL].notna().any():
        return one
    one.predicted[CHOSEN] = model.predict(rows, spec)
    for name in (POOLED, *OWN):
        one.predicted[name] = _fitted(lessons, name, span.start, rows)
    return one


def _bare_cpu(lessons: Lessons, as_of: datetime) -> float:
    """Return the CPU-seconds of one bare fit of scikit-learn to the same rows; 0 with one class."""
    material = lessons.until(as_of)
    if has_one_class(material.label, "classification"):
        return 0.0
    rows = material.frame[known_columns(material.frame)].to_numpy()
    bare = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())
    start = time.process_time()
    bare.fit(rows, material.label)
    return time.process_time() - start


def _fitted(lessons: Lessons, name: str, as_of: datetime, rows: pd.DataFrame) -> np.ndarray:
    try:
        model = lessons.fit(name, as_of)
    except TrainingError:  # one class only, or no label at all
        model = lessons.fit("prior", as_of)
    return model.predict(rows, lessons.spec)


def _table(tested: Sequence[Trial]) -> Table:
    table = Table("model", title=f"macro over {len(tested):,} tenants with {MIN_TEST_ROWS} tests")
    for column in ("log loss", "ROC AUC", "gain over pooled (95 %)"):
        table.add_column(column, justify="right")
    for name in tested[0].predicted:
        area, loss, _ = macro(tested, name)
        gain = str(macro_gain(tested, name, POOLED)) if name != POOLED else ""
        table.add_row(name, f"{loss:.4f}", f"{area:.4f}", gain)
    return table


def _cpu_table(trained: Sequence[Trial]) -> Table:
    both = [one for one in trained if BARE in one.cpu]
    table = Table("CPU-ms a tenant", title="the whole fit beside one bare logistic regression")
    for column in ("tenants", "mean", "median", "95 %", "ratio"):
        table.add_column(column, justify="right")
    bare = np.mean([one.cpu[BARE] for one in both])
    for name, some in ((CHOSEN, trained), (CHOSEN, both), (BARE, both)):
        taken = np.array([one.cpu[name] for one in some])
        figures = (taken.mean(), *np.quantile(taken, [0.5, 0.95]))
        ratio = f"{taken.mean() / bare:.1f}" if some is both else ""
        table.add_row(name, f"{len(some):,}", *(f"{1000 * one:.1f}" for one in figures), ratio)
    return table


def _every_route(tested: Sequence[Trial]) -> pd.DataFrame:
    """Return a row a tenant: test rows, recipe, log losses, gain over pooled, standard error."""
    return pd.DataFrame(
        {
            "tenant": one.tenant,
            "rows": len(one.label),
            "recipe": one.recipe,
            **{name: one.loss(name) for name in one.predicted},
            **dict(zip(("gain", "standard_error"), one.gain(CHOSEN, POOLED), strict=True)),
        }
        for one in tested
    )
