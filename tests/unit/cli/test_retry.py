import json

import pytest
import typer
from typer.testing import CliRunner

from tenantry.cli.retry import retry
from tenantry.errors import NothingToDoError, RegistryError, SpecError
from tenantry.store.folder import FolderStore
from tests.unit.registry.test_retries import PRODUCT, fail

app = typer.Typer()
app.command()(retry)


@pytest.fixture
def store(tmp_path):
    made = FolderStore(tmp_path / "store")
    fail(made, "ua", 0)
    fail(made, "ua", 1)
    return made


def run(store, *arguments):
    environment = {"TENANTRY_STORE": store.url, "COLUMNS": "200", "USER": "ann"}
    return CliRunner().invoke(app, [PRODUCT, *arguments], env=environment)


def keys(store):
    return {info.key for info in store.list("")}


def test_it_shows_who_waits_and_until_when(store):
    result = run(store)
    assert result.exit_code == 0
    cells = ("ua", "ingest", "2 runs in a row", "SourceError", "2013-10-03 00:00:00")
    assert all(cell in result.output for cell in cells)
    assert json.loads(run(store, "--output", "json").output) == [
        {
            "tenant": "ua",
            "stage": "ingest",
            "runs": 2,
            "kind": "SourceError",
            "until": "2013-10-03T00:00:00Z",
        }
    ]


@pytest.mark.parametrize("whom", ["ua", "--all"])
def test_it_clears_a_tenant_or_all(store, whom):
    result = run(store, whom, "--why", "mended")
    assert result.output == ("Cleared arrival-delay/ua of 2 failures: the next run tries again.\n")
    assert run(store).output == "Nothing has failed since it last went well.\n"
    assert isinstance(run(store, whom, "--why", "mended").exception, NothingToDoError)


def test_a_dry_run_writes_nothing(store):
    before = keys(store)
    assert run(store, "ua", "--why", "mended", "--dry-run").output == (
        "Would clear ua. Nothing was written.\n"
    )
    assert keys(store) == before


def test_an_order_needs_a_reason(store):
    assert isinstance(run(store, "ua").exception, RegistryError)


def test_an_unknown_tenant_is_a_fault_with_a_remedy(store):
    error = run(store, "uaa", "--why", "mended").exception
    assert isinstance(error, SpecError)
    assert "did you mean" in str(error)
