"""`docs/features.md` says what the code does: its example is built, its kinds are the code's."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from tenantry.features.recipe import build_features, table_features
from tenantry.specs.document import parse_document
from tests.unit.features.conftest import FEATURES, make_rows, make_spec

PAGE = Path("docs/features.md").read_text()
EXAMPLE = PAGE.split("## An example")[1].split("## The table")[0]


def read_tables(text):
    """Return the tables of a page, each as its rows by column."""
    tables = []
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        head, _, *rows = [line.strip("| ").split(" | ") for line in block.splitlines()]
        tables.append([dict(zip(head, row, strict=False)) for row in rows])
    return tables


def test_the_example_gives_the_values_shown():
    given, shown = read_tables(EXAMPLE)
    features = parse_document(EXAMPLE.split("```yaml")[1].split("```")[0].encode(), "the example")
    start = pd.Timestamp("2013-01-01")
    minutes = [
        (pd.Timestamp(row["event_time (UTC)"]) - start).total_seconds() / 60 for row in given
    ]
    rows = make_rows(
        minutes,
        origin=pd.Series([row["origin"] for row in given], dtype="str"),
        label=[float(row["label"]) if row["label"] != "not yet" else np.nan for row in given],
    )
    spec = make_spec(features, timezone="America/New_York")
    table = build_features(rows, table_features(spec), spec)
    for name in features:
        said = [row[name].split(":")[0] for row in shown]
        expected = [np.nan if value == "missing" else float(value) for value in said]
        np.testing.assert_array_equal(table[name], expected)


def test_every_kind_and_its_fields_stand_on_the_page():
    (kinds,) = [table for table in read_tables(PAGE) if "kind" in table[0]]
    described = {
        row["kind"].strip("`"): set(re.findall(r"`(\w+)`", row["fields"])) for row in kinds
    }
    classes = FEATURES.json_schema()["$defs"].values()
    declared = {
        part["properties"]["kind"]["const"]: set(part["properties"]) - {"kind", "title", "unit"}
        for part in classes
    }
    assert described == declared
