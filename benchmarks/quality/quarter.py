"""Part `test`: models of 1 October, made by the shipped specs, on October to December."""

import time
from collections.abc import Callable, Iterator, Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.quality.fleet import YEAR, History
from benchmarks.quality.paired import Trial, macro, macro_gain
from benchmarks.quality.promises import Promise, report
from tenantry.columns import EVENT_TIME, LABEL
from tenantry.errors import TrainingError
from tenantry.specs.learning import RECIPES
from tenantry.specs.model import Spec
from tenantry.times import Window, parse_moment
from tenantry.training.chain import Chain
from tenantry.training.folds import local_days
from tenantry.training.lessons import Lessons
from tenantry.training.tenant import train_tenant

AS_OF = parse_moment("2013-10-01T00:00:00Z")
MIN_TEST_ROWS = 20
CHOSEN = "chosen"
BEST = {"log loss": 0.4594, "ROC AUC": 0.7254, "worst AUC": 0.66}
"""The best that was measured before, by recipes of different kinds."""


def run(load: Callable[[], History], console: Console) -> bool:
    """Print every recipe, tenant and interval; return whether the promises hold."""
    start = time.process_time()
    history = load()
    chain = history.pool(AS_OF)
    console.print(f"pooled model with its folds: {time.process_time() - start:.1f} CPU-s")
    tested = []
    for name, spec in history.specs.items():
        one = _test(spec, history, chain)
        if len(one.label) >= MIN_TEST_ROWS:
            tested.append(one)
        else:
            console.print(f"{name}: {len(one.label)} test rows, {MIN_TEST_ROWS} needed: left out")
    console.print(_tenant_table(tested))
    console.print(_gain_table(tested))
    console.print(_recipe_table(tested))
    area, loss, worst = macro(tested, CHOSEN)
    found = {"log loss": f"{loss:.4f}", "ROC AUC": f"{area:.4f}", "worst AUC": f"{worst:.3f}"}
    levels = (f"{name} {found[name]} ({best})" for name, best in BEST.items())
    console.print(f"levels, and the best measured before: {', '.join(levels)}")
    return report(_promises(tested), console)


def _test(spec: Spec, history: History, chain: Chain) -> Trial:
    rows = history.labelled(spec.tenant, Window(AS_OF, YEAR.end))
    label = rows[LABEL].to_numpy(dtype="float64")
    one = Trial(spec.tenant, label, local_days(rows[EVENT_TIME], spec.timezone))
    if len(label) < MIN_TEST_ROWS:
        return one
    received = chain if spec.pooling.receive else None
    lessons = Lessons(history.lessons(spec.tenant, AS_OF), spec, received)
    for name in (*RECIPES, CHOSEN):
        alone = Lessons(lessons.table, spec, received)  # shares no fit with another recipe
        start = time.process_time()
        try:
            model = train_tenant(alone, AS_OF).model if name == CHOSEN else alone.fit(name, AS_OF)
        except TrainingError:
            model = lessons.fit("pooled" if received else "prior", AS_OF)
        one.cpu[name] = time.process_time() - start
        one.predicted[name] = model.predict(rows, spec)
        one.recipe = model.recipe
    return one


def _recipe_table(tested: Sequence[Trial]) -> Table:
    table = Table("recipe", title=f"macro over {len(tested)} tenants")
    for column in ("ROC AUC", "log loss", "worst AUC", "gain over pooled (95 %)", "CPU-s"):
        table.add_column(column, justify="right")
    for name in (*RECIPES, CHOSEN):
        area, loss, worst = macro(tested, name)
        gain = str(macro_gain(tested, name, "pooled")) if name != "pooled" else ""
        cpu = sum(one.cpu[name] for one in tested)
        table.add_row(name, f"{area:.4f}", f"{loss:.4f}", f"{worst:.3f}", gain, f"{cpu:.1f}")
    return table


def _tenant_table(tested: Sequence[Trial]) -> Table:
    table = Table("tenant", "chosen", title="by tenant: log loss, then ROC AUC of the chosen")
    for column in ("rows", *RECIPES, CHOSEN, "ROC AUC"):
        table.add_column(column, justify="right")
    for one in tested:
        table.add_row(one.tenant, one.recipe, f"{len(one.label):,}", *_figures(one))
    return table


def _figures(one: Trial) -> Iterator[str]:
    for name in (*RECIPES, CHOSEN):
        yield f"{one.loss(name):.4f}"
    area = one.area(CHOSEN)
    yield "" if area is None else f"{area:.3f}"


def _gain_table(tested: Sequence[Trial]) -> Table:
    names = [name for name in (*RECIPES, CHOSEN) if name != "pooled"]
    table = Table("tenant", title="by tenant: gain over pooled ± paired standard error, × 10⁻⁴")
    for name in names:
        table.add_column(name, justify="right")
    for one in tested:
        gains = (one.gain(name, "pooled") for name in names)
        table.add_row(
            one.tenant, *(f"{1e4 * gain:+.0f} ± {1e4 * error:.0f}" for gain, error in gains)
        )
    return table


def _promises(tested: Sequence[Trial]) -> list[Promise]:
    gain = macro_gain(tested, CHOSEN, "pooled")
    ratios = {one.tenant: one.gain_in_errors(CHOSEN, "pooled") for one in tested}
    last = min(ratios, key=lambda name: ratios[name])
    poor = [
        one.tenant
        for one in tested
        if len(one.label) >= 100 and one.loss(CHOSEN) > one.loss("prior")
    ]
    return [
        Promise("macro gain over pooled ≥ .002", str(gain), gain.gain >= 0.002),
        Promise(
            "no tenant worse than pooled by more than two standard errors",
            f"the worst is {last}, {ratios[last]:+.1f}",
            ratios[last] >= -2,
        ),
        Promise(
            "no tenant with 100 rows worse than its base rate", ", ".join(poor) or "none", not poor
        ),
    ]
