"""Poisoned tenants fail or fall back one by one, and nobody else's outputs notice."""

import pandas as pd
import pytest

from tests.fleet.conftest import SMALL

OCTOBER = "2013-10-01"
HOSTILE = ("<script>alert(1)</script>", "=1+1", "{{$.inputs.x}}", "a'b\"c")
KEEPS_OUT = "pooling: {contribute: false}\n"
POISONED = {
    "pa": KEEPS_OUT,
    "pb": KEEPS_OUT,
    "pc": KEEPS_OUT,
    "pd": KEEPS_OUT,
    "pe": KEEPS_OUT,
    "pf": KEEPS_OUT,
    "pg": KEEPS_OUT,
    "ph": KEEPS_OUT,
    "pi": KEEPS_OUT + "description: <script>alert(2)</script> {{$.inputs.y}} =2+2\n",
}
TERMINALS = """\
    - name: terminals
      connection: planes
      kind: csv
      path: "{tenant}.csv"
      on: {origin: origin}
      columns: [terminal]
row_filter:"""


def with_terminals(text):
    """Add a joined file of each tenant's own to the product."""
    text = text.replace("row_filter:", TERMINALS, 1)
    return text.replace(
        "    tailnum: {type: text}\n", "    tailnum: {type: text}\n    terminal: {type: category}\n"
    )


def copies(flights, code):
    return flights[flights["carrier"] == "VX"].assign(carrier=code)


def one_class(rows):
    return rows.assign(arr_delay=0)


def all_missing(rows):
    return rows.assign(distance=pd.NA)


def text_for_numbers(rows):
    return rows.assign(
        distance=rows["distance"].astype(object).where(rows["origin"] != "JFK", "far")
    )


def conflicting_keys(rows):
    return pd.concat([rows, rows.assign(arr_delay=rows["arr_delay"] + 1)])


def in_the_future(rows):
    return rows.assign(sched_dep_at=rows["sched_dep_at"] + pd.Timedelta(days=3650))


def three(rows):
    return rows.head(3)


def hostile(rows):
    values = pd.Series([HOSTILE[n % len(HOSTILE)] for n in range(len(rows))], index=rows.index)
    return rows.assign(dest=values, tailnum=values)


CHANGES = {
    "pb": one_class,
    "pc": all_missing,
    "pd": text_for_numbers,
    "pe": conflicting_keys,
    "pf": in_the_future,
    "pg": lambda rows: rows,
    "ph": three,
    "pi": hostile,
}


def poison(flights):
    parts = [change(copies(flights, name.upper())) for name, change in CHANGES.items()]
    return pd.concat([flights, *parts], ignore_index=True)


def write_terminals(fleet, names):
    for name in names:
        path = fleet.home / "landing/planes" / f"{name}.csv"
        path.write_text("origin,terminal\nEWR,A\nJFK,4\nLGA,B\n")


@pytest.fixture
def runs(make_fleet):
    clean = make_fleet("clean", product=with_terminals)
    write_terminals(clean, SMALL)
    poisoned = make_fleet("poisoned", change=poison, tenants=POISONED, product=with_terminals)
    write_terminals(poisoned, {*SMALL, *POISONED} - {"pg"})
    return clean, clean.run(OCTOBER, "run-1"), poisoned, poisoned.run(OCTOBER, "run-1")


def test_the_poisoned_alone_notice(runs):
    clean, good, poisoned, bad = runs
    assert good.failures() == {}
    for tenant, found in sorted(bad.failures().items()):
        print(tenant, found)
    for tenant, entry in bad.entries.items():
        print(tenant, [(o.stage, o.status, o.message) for o in entry.outcomes])
    raise AssertionError
