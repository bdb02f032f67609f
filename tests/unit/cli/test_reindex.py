import json
from datetime import UTC, datetime

import pytest
import typer
from typer.testing import CliRunner

from tenantry.cli.reindex import reindex
from tenantry.index import rebuild
from tenantry.store.folder import FolderStore
from tenantry.surveys import find_differences, survey
from tests.unit.stored_tenant import PRODUCT, StoredTenant

OCTOBER = datetime(2013, 10, 1, tzinfo=UTC)

app = typer.Typer()
app.command()(reindex)


@pytest.fixture
def store(tmp_path):
    store = FolderStore(tmp_path)
    StoredTenant(store, "ua").train(OCTOBER)
    rebuild(store, PRODUCT)
    return store


def run(store, *arguments):
    environment = {"TENANTRY_STORE": store.url, "COLUMNS": "200"}
    return CliRunner().invoke(app, [PRODUCT, *arguments], env=environment)


def contents(store):
    return {info.key: store.get(info.key).content for info in store.list("")}


def test_an_index_that_is_equal_to_the_folders_is_said_to_be(store):
    result = run(store)
    assert result.exit_code == 0
    assert result.output == "The index is equal to the tenants' folders.\n"


def test_differences_are_shown_and_nothing_is_written(store):
    StoredTenant(store, "ua").look(OCTOBER)
    before = contents(store)
    result = run(store)
    assert result.exit_code == 1
    assert "the index has other looked" in result.output
    assert "1 tenant differs. Nothing was written" in result.output
    assert contents(store) == before


def test_with_yes_the_index_is_built_anew(store):
    StoredTenant(store, "ua").look(OCTOBER)
    result = run(store, "--yes", "--output", "json")
    assert result.exit_code == 0
    assert json.loads(result.output) == {
        "differences": {"ua": "the index has other looked"},
        "rebuilt": True,
    }
    assert find_differences(survey(store, PRODUCT)) == {}
