"""Part `months`: the champion as of each month's first day predicts the month, May to December."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.quality.champions import CHAMPION, POOLED, Champion, against_pooled, succeed
from benchmarks.quality.fleet import History
from benchmarks.quality.paired import Trial, count_beyond, macro, macro_gain
from benchmarks.quality.promises import Promise, report
from tenantry.specs.model import Spec
from tenantry.times import Window, parse_moment
from tenantry.training.chain import Chain
from tenantry.training.lessons import Lessons

STARTS = [parse_moment(f"2013-{month:02d}-01T00:00:00Z") for month in range(5, 13)]
END = parse_moment("2014-01-01T00:00:00Z")
MIN_TEST_ROWS = 20


def run(load: Callable[[], History], console: Console) -> bool:
    """Print each month; return whether the promises hold."""
    tested = measure_months(load(), STARTS, END)
    table = Table("month", title="by month: macro over tenants with 20 labelled flights")
    for column in ("tenants", "champion", "pooled", "AUC", "pooled", "gain (95 %)", "recipes"):
        table.add_column(column, justify="right")
    gains = {}
    for month in dict.fromkeys(one.part for one in tested):
        some = [one for one in tested if one.part == month]
        gains[month] = macro_gain(some, CHAMPION, POOLED)
        table.add_row(month, str(len(some)), *_levels(some), str(gains[month]), _recipes(some))
    overall = macro_gain(tested, CHAMPION, POOLED)
    table.add_row("all", str(len(tested)), *_levels(tested), str(overall), _recipes(tested))
    console.print(_tenant_table(tested))
    console.print(table)
    console.print(count_beyond(tested, CHAMPION, POOLED), highlight=False)
    worse = [month for month, gain in gains.items() if gain.high < 0]
    return report(
        [
            Promise(
                "over all months better than pooled, clear of 0", str(overall), overall.low > 0
            ),
            Promise("in no month worse beyond noise", ", ".join(worse) or "in none", not worse),
        ],
        console,
    )


def measure_months(history: History, starts: Sequence[datetime], end: datetime) -> list[Trial]:
    """Return the tests of all tenants and months."""
    reigning: dict[str, Champion] = {}
    tested = []
    for as_of, until in zip(starts, [*starts[1:], end], strict=True):
        chain = history.pool(as_of)
        for spec in history.specs.values():
            one = _test(spec, history, chain, Window(as_of, until), reigning)
            if len(one.label) >= MIN_TEST_ROWS:
                tested.append(one)
    return tested


def _test(
    spec: Spec, history: History, chain: Chain, span: Window, reigning: dict[str, Champion]
) -> Trial:
    lessons = Lessons(history.lessons(spec.tenant, span.start), spec, chain)
    champion = succeed(reigning.get(spec.tenant), lessons, span.start)
    reigning[spec.tenant] = champion
    rows = history.labelled(spec.tenant, span)
    return against_pooled(champion, lessons, span.start, rows, part=f"{span.start:%Y-%m}")


def _tenant_table(tested: Sequence[Trial]) -> Table:
    title = "by tenant and month: gain over pooled ± paired standard error, × 10⁻⁴"
    table = Table("tenant", title=title)
    months = list(dict.fromkeys(one.part for one in tested))
    for month in months:
        table.add_column(month, justify="right")
    for name in sorted({one.tenant for one in tested}):
        gains = {one.part: one.gain(CHAMPION, POOLED) for one in tested if one.tenant == name}
        table.add_row(name, *(_cell(gains[month]) if month in gains else "" for month in months))
    return table


def _cell(gain: tuple[float, float]) -> str:
    return f"{1e4 * gain[0]:+.0f} ± {1e4 * gain[1]:.0f}"


def _levels(tested: Sequence[Trial]) -> tuple[str, ...]:
    levels: Mapping[str, tuple[float, float, float]] = {
        name: macro(tested, name) for name in (CHAMPION, POOLED)
    }
    losses = (f"{loss:.4f}" for _, loss, _ in levels.values())
    return (*losses, *(f"{area:.4f}" for area, _, _ in levels.values()))


def _recipes(tested: Sequence[Trial]) -> str:
    names, counts = np.unique([one.recipe for one in tested], return_counts=True)
    return ", ".join(f"{name} {count}" for name, count in zip(names, counts, strict=True))
