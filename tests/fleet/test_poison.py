"""Poisoned tenants fail or fall back one by one, and nobody else's outputs notice."""

import pandas as pd

from tenantry.ledger import Cost
from tests.fleet.conftest import SMALL
from tests.fleet.harness import ORIGINS, PRODUCT

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


FAILURES = {
    "pa": ("ContractError", "rows: there is none in the span that is read; check the sources"),
    "pc": ("ContractError", "columns.distance.max_null_share: 100.0% of the values are missing"),
    "pd": ("ContractError", "set aside (distance: not a finite number 2,703); mend the source"),
    "pe": ("ContractError", "set aside (carrier, flight, sched_dep_at: shared with another row"),
    "pf": ("ContractError", "rows: there is none in the span that is read; check the sources"),
    "pg": ("SourceError", "(connection planes, pg.csv): there is no such file or folder; check"),
}
FALLBACKS = {
    "pb": "the pooled model: all 3,737 labels are the same",
    "ph": "the pooled model, adapted: 3 labelled rows, 200 needed (model.min_rows)",
}


def test_each_poison_is_told_and_nobody_else_notices(make_fleet):
    clean = make_fleet("clean", product=with_terminals)
    write_terminals(clean, SMALL)
    poisoned = make_fleet("poisoned", change=poison, tenants=POISONED, product=with_terminals)
    write_terminals(poisoned, {*SMALL, *POISONED} - {"pg"})
    good, bad = (fleet.run(OCTOBER, "run-1") for fleet in (clean, poisoned))
    assert good.failures() == {}
    assert bad.failures().keys() == FAILURES.keys()
    for tenant, (kind, words) in FAILURES.items():
        ((stage, found, message),) = bad.failures()[tenant]
        assert (stage, found) == ("ingest", kind)
        assert words in message
    for tenant, words in FALLBACKS.items():
        outcome = bad.entries[tenant].outcome("train")
        assert (outcome.status, outcome.message) == ("fell_back", words)
        assert bad.entries[tenant].fact("predict", "windows") == 4
    assert outputs(poisoned, SMALL) == outputs(clean, SMALL)
    for tenant in SMALL:
        mine, theirs = (without_costs_of(run.entries[tenant]) for run in (good, bad))
        assert mine == theirs


def outputs(fleet, tenants):
    prefixes = tuple(f"tenants/{PRODUCT}/{tenant}/" for tenant in tenants)
    objects = fleet.objects(origins=False)  # poison and sound rows lie in the same files
    found = {key: one for key, one in objects.items() if key.startswith(prefixes)}
    assert found
    return found


def without_costs_of(entry):
    return [
        outcome.model_copy(
            update={"cost": Cost(), "keys": [key for key in outcome.keys if ORIGINS not in key]}
        )
        for outcome in entry.outcomes
    ]
