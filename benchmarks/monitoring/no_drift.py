"""1: no drift. Time is shuffled inside each tenant; every alarm is false."""

import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import pandas as pd
from rich.table import Table

from benchmarks.monitoring.flights import YEAR
from benchmarks.monitoring.telling import told
from benchmarks.monitoring.watching import Plan, split, watch_tenant
from tenantry.columns import EVENT_TIME

LOOKS = 52
PAST = 26
"""Windows that the model has learnt on when the first of 52 looks is taken."""

ALLOWED = 0.05
"""Share of tenants that may have any false alarm in the year."""

_LENGTH = timedelta(days=365) / (PAST + LOOKS)
PLAN = Plan((YEAR[0] + PAST * _LENGTH).to_pydatetime(), _LENGTH, LOOKS, float(LOOKS))

FIRST, DAYS = YEAR[0] + timedelta(days=14), 350
"""The whole days that are shuffled. The first fourteen lack what features look back on, the last
one lacks its weather: these days are not like the others."""

_FIVE = timedelta(days=5)
DAYS_PLAN = Plan((FIRST + 18 * _FIVE).to_pydatetime(), _FIVE, LOOKS, float(LOOKS))


@dataclass
class Count:
    """Years that were watched, and in how many of them something alarmed."""

    years: int = 0
    alarmed: int = 0
    streams: Counter[str] = field(default_factory=Counter)

    @property
    def share(self) -> float:
        """The share of years with any alarm."""
        return self.alarmed / max(self.years, 1)


def shuffle_rows(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Give every row any moment of the year."""
    seconds = rng.uniform(0, 365 * 86400, len(rows))
    return _retimed(rows, YEAR[0] + pd.to_timedelta(seconds, unit="s"))


def shuffle_days(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Shuffle whole days: their rows stay together, with their weather and crowds."""
    rows = rows[rows[EVENT_TIME].between(FIRST, FIRST + timedelta(days=DAYS), inclusive="left")]
    day = ((rows[EVENT_TIME] - FIRST) // pd.Timedelta("1D")).to_numpy()
    shift = rng.permutation(DAYS)[day] - day
    return _retimed(rows, rows[EVENT_TIME] + pd.to_timedelta(shift, unit="D"))


SHUFFLES = {"every row": (shuffle_rows, PLAN), "whole days": (shuffle_days, DAYS_PLAN)}


def count_alarms(
    tenants: Mapping[str, pd.DataFrame], features: tuple[str, ...], shuffles: int, how: str
) -> Count:
    """Watch every tenant for a year, `shuffles` times."""
    rng = np.random.default_rng(1)
    shuffle, plan = SHUFFLES[how]
    counted = Count()
    for _ in told(range(shuffles), f"1, {len(tenants)} tenants, {how}", shuffles):
        for rows in tenants.values():
            past, now, window = split(shuffle(rows, rng), plan)
            found = watch_tenant(past, now, window, plan, features)
            counted.years += 1
            counted.alarmed += bool(found.any.any())
            names = np.array(found.names)[found.alarmed.any(axis=1)]
            counted.streams.update(names.tolist())
    return counted


def count_by_evidently(
    tenants: Mapping[str, pd.DataFrame], features: tuple[str, ...], looks: int
) -> tuple[Count, Count]:
    """Return years in which Evidently's defaults flag any column, and the data set."""
    rng = np.random.default_rng(2)
    column, whole = Count(), Count()
    for rows in told(tenants.values(), "1, by Evidently", len(tenants)):
        past, now, window = split(shuffle_rows(rows, rng), PLAN)
        shares = [_drifted_share(past, now[window == look], features) for look in range(looks)]
        column.years += 1
        column.alarmed += any(share > 0 for share in shares)
        whole.years += 1
        whole.alarmed += any(share >= 0.5 for share in shares)
    return column, whole


def make_table(counts: Mapping[str, Count]) -> Table:
    """Print the counts."""
    table = Table("tenants, shuffled, by", title="1. No drift: 52 looks, any false alarm in a year")
    for column in ("years watched", "with a false alarm", "share", "allowed"):
        table.add_column(column, justify="right")
    table.add_column("streams that alarmed")
    for name, one in counts.items():
        said = ", ".join(f"{stream} {n}" for stream, n in one.streams.most_common(4))
        allowed = f"{ALLOWED:.0%}" if "Evidently" not in name else ""
        table.add_row(name, f"{one.years:,}", f"{one.alarmed:,}", f"{one.share:.1%}", allowed, said)
    return table


def _drifted_share(past: pd.DataFrame, now: pd.DataFrame, features: tuple[str, ...]) -> float:
    flags = list(_flags(past, now, features))
    return float(np.mean(flags)) if flags else 0.0


def _flags(past: pd.DataFrame, now: pd.DataFrame, features: tuple[str, ...]) -> Iterator[bool]:
    """Yield what Evidently's default statistic says of each column that it can bear."""
    from evidently.legacy.calculations.stattests import get_stattest
    from evidently.legacy.core import ColumnType

    for name in features:
        before, current = past[name].dropna(), now[name].dropna()
        if before.empty or current.empty:
            continue
        number = pd.api.types.is_numeric_dtype(before)
        kind = ColumnType.Numerical if number else ColumnType.Categorical
        test = get_stattest(before, current, kind, None)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield bool(test(before, current, kind, None).drifted)


def _retimed(rows: pd.DataFrame, when: pd.Series | pd.DatetimeIndex) -> pd.DataFrame:
    return rows.assign(**{EVENT_TIME: when}).sort_values(EVENT_TIME, ignore_index=True)
