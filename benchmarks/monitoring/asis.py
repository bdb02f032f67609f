"""2: real drift, the months as they were. Models that learnt until April, looked at every week."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from rich.table import Table

from benchmarks.monitoring.watching import Plan, split, watch_tenant
from tenantry.times import parse_moment

APRIL, WEEK, LOOKS = parse_moment("2013-04-01"), timedelta(days=7), 39
PLAN = Plan(APRIL, WEEK, LOOKS, 52.0)


@dataclass(frozen=True)
class Found:
    """What was found of a tenant.

    Attributes:
        rows: Rows a week, on average.
        alarmed: Weeks in which something alarmed.
        first: The first of them; None without any.
        streams: Stream → weeks in which it alarmed.
    """

    rows: float
    alarmed: int
    first: datetime | None
    streams: Counter[str]


def watch_year(carriers: Mapping[str, pd.DataFrame], features: tuple[str, ...]) -> dict[str, Found]:
    """Watch every carrier from April to December as it was."""
    found = {}
    for tenant, rows in carriers.items():
        past, now, window = split(rows, PLAN)
        alarms = watch_tenant(past, now, window, PLAN, features)
        weeks = np.flatnonzero(alarms.any)
        counts = dict(zip(alarms.names, alarms.alarmed.sum(axis=1).tolist(), strict=True))
        found[tenant] = Found(
            rows=len(now) / LOOKS,
            alarmed=len(weeks),
            first=APRIL + int(weeks[0]) * WEEK if len(weeks) else None,
            streams=Counter({name: number for name, number in counts.items() if number}),
        )
    return found


def make_table(found: Mapping[str, Found]) -> Table:
    """Print what was found; nobody knows the truth of it."""
    title = f"2. The months as they were: learnt until April, {LOOKS} weeks since"
    table = Table("tenant", title=title)
    for column in ("rows a week", "weeks with an alarm", "first"):
        table.add_column(column, justify="right")
    table.add_column("streams, by weeks")
    for tenant, one in found.items():
        first = f"{one.first:%Y-%m-%d}" if one.first else ""
        told = ", ".join(f"{name} {weeks}" for name, weeks in one.streams.most_common(5))
        table.add_row(tenant, f"{one.rows:,.0f}", str(one.alarmed), first, told)
    return table
