import json

import pytest
import typer
from typer.testing import CliRunner

from tenantry.cli.diff import diff
from tenantry.store.folder import FolderStore
from tests.unit.registry.made import PRODUCT, make_tenant, version

app = typer.Typer()
app.command()(diff)


@pytest.fixture
def store(tmp_path):
    made = FolderStore(tmp_path / "store")
    make_tenant(made)
    return made


def run(store, *arguments):
    environment = {"TENANTRY_STORE": store.url, "COLUMNS": "200"}
    versions = (version(0), version(31))
    return CliRunner().invoke(app, [PRODUCT, "ua", *versions, *arguments], env=environment)


def rows(output):
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in output.splitlines()]
    return [row for row in cells if row]


def test_the_table_shows_what_differs_and_by_how_much(store):
    output = run(store).output
    assert rows(output) == [
        ["data", "trained until", "2013-10-01T00:00:00Z", "2013-11-01T00:00:00Z", ""],
        ["", "labelled rows", "1,000", "1,031", "+31"],
        ["", "share of positives", "0.2000", "0.1940", "-0.0060"],
        ["scores", "log_loss of challenger on the holdout", "0.4000", "0.4310", "+0.0310"],
        ["size", "model file, bytes", "24", "25", "+1"],
        *[row for row in rows(output) if row[1] == "all its files, bytes"],
    ]
    assert "more are the same; --all shows them." in output
    assert "of specs only the digests are compared" in output


def test_all_shows_what_is_the_same_too(store):
    output = run(store, "--all").output
    assert ["model", "recipe", "logistic", "logistic", ""] in rows(output)
    assert "more are the same" not in output


def test_json_has_every_property(store):
    facts = json.loads(run(store, "--output", "json").output)
    assert facts["parts"]["data"]["labelled rows"] == {
        "one": 1000,
        "other": 1031,
        "differs": True,
    }
    assert facts["parts"]["model"]["recipe"]["differs"] is False
    assert len(facts["notes"]) == 2
