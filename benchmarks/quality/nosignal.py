"""Part `nosignal`: labels that hang on nothing; how often the gate promotes a challenger.

Flights keep their features and get labels drawn from those of their carrier: row by row, or from
one other day for all flights of a day, so that bad days stay. A champion is trained, and a
fortnight later a challenger, while the champion is fresh. Neither knows anything, so each promotion
is a false one.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from scipy.stats import beta

from benchmarks.quality.champions import succeed
from benchmarks.quality.fleet import History, as_known, pool
from benchmarks.quality.promises import Promise, report
from tenantry.columns import EVENT_TIME, LABEL
from tenantry.metrics import Floats
from tenantry.times import Window, parse_moment
from tenantry.training.folds import local_days
from tenantry.training.lessons import Lessons

AS_OF = parse_moment("2013-09-01T00:00:00Z")
AGE = timedelta(days=14)
"""Of the champion when it is challenged; the specs' champions are fresh for 28 days."""
SPAN = timedelta(days=140)
"""Of rows: enough for all that is compared, and little enough to be trained often."""
MOST_ROWS = 2000
"""A carrier; larger ones are thinned out."""
TIMES = 5
"""Each way of drawing labels."""
MOST = 0.05


def run(load: Callable[[], History], console: Console) -> bool:
    """Print how many challengers were promoted; return whether few enough were."""
    history = load()
    table = Table("labels drawn", "challengers", "promoted", "share")
    promoted = challenged = 0
    for way, draw in (("row by row", draw_by_row), ("by day", draw_by_day)):
        found = [one for seed in range(TIMES) for one in _decisions(history, draw, seed)]
        table.add_row(way, f"{len(found):,}", f"{sum(found):,}", f"{np.mean(found):.1%}")
        promoted, challenged = promoted + sum(found), challenged + len(found)
    console.print(table)
    highest = float(beta.ppf(0.95, promoted + 1, challenged - promoted))
    shares = f"{promoted / challenged:.1%} of {challenged:,}, at most {highest:.1%} (95 %)"
    return report(
        [Promise(f"false promotions ≤ {MOST:.0%}", shares, promoted / challenged <= MOST)], console
    )


Draw = Callable[[pd.DataFrame, str, np.random.Generator], Floats]


def _decisions(history: History, draw: Draw, seed: int) -> Iterator[bool]:
    """Yield whether each carrier's challenger was promoted."""
    random = np.random.default_rng(seed)
    tables = {name: _meaningless(history, name, draw, random) for name in history.specs}
    parts = [(tables[name], spec) for name, spec in history.specs.items()]
    before, now = (pool(parts, moment) for moment in (AS_OF - AGE, AS_OF))
    for table, spec in parts:
        if not len(as_known(table, AS_OF - AGE)):
            continue
        first = Lessons(as_known(table, AS_OF - AGE), spec, before)
        champion = succeed(None, first, AS_OF - AGE)
        second = Lessons(as_known(table, AS_OF), spec, now)
        yield succeed(champion, second, AS_OF) is not champion


def _meaningless(
    history: History, name: str, draw: Draw, random: np.random.Generator
) -> pd.DataFrame:
    table = history.labelled(name, Window(_start(), AS_OF))
    if len(table) > MOST_ROWS:
        places = np.sort(random.choice(len(table), MOST_ROWS, replace=False))
        table = table.iloc[places].reset_index(drop=True)
    return table.assign(**{LABEL: draw(table, history.specs[name].timezone, random)})


def _start() -> datetime:
    return AS_OF - SPAN


def draw_by_row(table: pd.DataFrame, _: str, random: np.random.Generator) -> Floats:
    """Draw the labels of rows from those of all."""
    return random.permutation(table[LABEL].to_numpy(dtype="float64"))


def draw_by_day(table: pd.DataFrame, timezone: str, random: np.random.Generator) -> Floats:
    """Draw the labels of a day's rows from those of one other day."""
    label = table[LABEL].to_numpy(dtype="float64")
    days, block = np.unique(local_days(table[EVENT_TIME], timezone), return_inverse=True)
    donors = random.permutation(len(days))
    pools = [label[block == donor] for donor in donors]
    return np.concatenate(
        [random.choice(pools[day], (block == day).sum()) for day in range(len(days))]
    )
