"""Part `newborn`: each carrier in turn as if it had just come, with its first 0 to 1,000 rows.

The carrier is born so long before 1 October that so many of its labels are known by then; what
happened before its birth nobody knows, features included. The pooled model has never seen it: it
is of the others' rows alone, as one that was trained before the carrier came.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import pandas as pd
from rich.console import Console
from rich.table import Table

from benchmarks.quality.champions import CHAMPION, POOLED, against_pooled, succeed
from benchmarks.quality.fleet import YEAR, History, as_known, labelled, pool
from benchmarks.quality.paired import Trial, count_beyond, macro, macro_gain
from benchmarks.quality.promises import Promise, report
from tenantry.columns import EVENT_TIME, KNOWN_AT, LABEL, LABEL_KNOWN_AT
from tenantry.features.recipe import build_features, table_features
from tenantry.specs.model import Spec
from tenantry.times import Window, parse_moment
from tenantry.training.chain import Chain
from tenantry.training.lessons import Lessons

AS_OF = parse_moment("2013-10-01T00:00:00Z")
ROWS = (0, 50, 200, 1000)
MIN_TEST_ROWS = 20


def run(load: Callable[[], History], console: Console) -> bool:
    """Print each carrier at each age; return whether the promises hold."""
    tested = measure_newborns(load(), Window(AS_OF, YEAR.end))
    console.print(_tenant_table(tested))
    console.print(_age_table(tested))
    console.print(count_beyond(tested, CHAMPION, POOLED), highlight=False)
    ratios = {(one.tenant, one.part): one.gain_in_errors(CHAMPION, POOLED) for one in tested}
    last = min(ratios, key=lambda place: ratios[place])
    losses = [macro(_aged(tested, rows), CHAMPION)[1] for rows in ROWS]
    return report(
        [
            Promise(
                "never above pooled by more than two paired standard errors",
                f"the worst is {last[0]} with {last[1]} rows, {ratios[last]:+.1f}",
                ratios[last] >= -2,
            ),
            Promise(
                "macro log loss falls with evidence",
                " > ".join(f"{loss:.4f}" for loss in losses),
                losses == sorted(losses, reverse=True) and len(set(losses)) == len(losses),
            ),
        ],
        console,
    )


def measure_newborns(history: History, span: Window) -> list[Trial]:
    """Return the tests of all carriers with so many rows as have them, on the labels of a span."""
    tested = []
    for name, spec in history.specs.items():
        if len(history.labelled(name, span)) < MIN_TEST_ROWS:
            continue
        others = [(history.tables[other], history.specs[other]) for other in history.specs]
        chain = pool([part for part in others if part[1].tenant != name], span.start)
        tested += [
            _test(spec, table, chain, span, rows)
            for rows, table in newborn_tables(history.rows[name], spec, span.start)
        ]
    return tested


def newborn_tables(
    rows: pd.DataFrame, spec: Spec, as_of: datetime
) -> Iterator[tuple[int, pd.DataFrame]]:
    """Yield how many labels were known at `as_of`, and the table without what was before them."""
    past = (rows[EVENT_TIME] < as_of) & (rows[KNOWN_AT] < as_of)
    known = rows[past & rows[LABEL].notna() & (rows[LABEL_KNOWN_AT] <= as_of)]
    moments = known[EVENT_TIME].sort_values()
    for number in ROWS:
        birth = moments.iloc[-number] if 0 < number <= len(moments) else as_of
        if not number or number <= len(moments):
            alive = rows[rows[EVENT_TIME] >= birth]
            yield number, build_features(alive, table_features(spec), spec)


def _test(spec: Spec, table: pd.DataFrame, chain: Chain, span: Window, number: int) -> Trial:
    lessons = Lessons(as_known(table, span.start), spec, chain)
    champion = succeed(None, lessons, span.start)
    rows = labelled(table, span)
    return against_pooled(champion, lessons, span.start, rows, part=f"{number:,}")


def _aged(tested: Sequence[Trial], rows: int) -> list[Trial]:
    """Return the tests with so many rows, of the carriers that have the most of them."""
    whole = {one.tenant for one in tested if one.part == f"{ROWS[-1]:,}"}
    return [one for one in tested if one.part == f"{rows:,}" and one.tenant in whole]


def _tenant_table(tested: Sequence[Trial]) -> Table:
    title = "by carrier and rows: log loss (gain over pooled ± standard error, × 10⁻⁴) recipe"
    table = Table("tenant", title=title)
    for rows in ROWS:
        table.add_column(f"{rows:,}", justify="right")
    for name in dict.fromkeys(one.tenant for one in tested):
        aged = {one.part: one for one in tested if one.tenant == name}
        found = [aged.get(f"{rows:,}") for rows in ROWS]
        table.add_row(name, *(_cell(one) if one else "" for one in found))
    return table


def _cell(one: Trial) -> str:
    gain, error = one.gain(CHAMPION, POOLED)
    return f"{one.loss(CHAMPION):.4f} ({1e4 * gain:+.0f} ± {1e4 * error:.0f}) {one.recipe}"


def _age_table(tested: Sequence[Trial]) -> Table:
    table = Table("rows", title=f"macro over the carriers that have {ROWS[-1]:,} rows")
    for column in ("carriers", "champion", "pooled", "gain (95 %)"):
        table.add_column(column, justify="right")
    for rows in ROWS:
        some = _aged(tested, rows)
        losses = (f"{macro(some, name)[1]:.4f}" for name in (CHAMPION, POOLED))
        gain = str(macro_gain(some, CHAMPION, POOLED))
        table.add_row(f"{rows:,}", str(len(some)), *losses, gain)
    return table
