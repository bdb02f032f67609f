import json
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from tenantry.cli.history import history
from tenantry.crowning import move_champion
from tenantry.errors import RegistryError
from tenantry.registry.pins import pin
from tenantry.registry.rollback import Aim, find_rollback, make_rollback
from tenantry.store.folder import FolderStore
from tests.unit.registry.made import (
    ORDER,
    PRODUCT,
    decide,
    make_model,
    make_tenant,
    version,
)

app = typer.Typer()
app.command()(history)


@pytest.fixture
def store(tmp_path):
    made = FolderStore(tmp_path / "store")
    make_tenant(made)
    decide(made, make_model(made, 40), "kept")
    make_rollback(made, PRODUCT, find_rollback(made, PRODUCT, "ua", Aim(), order=ORDER))
    pin(made, PRODUCT, "ua", order=ORDER)
    return made


def run(store, *arguments):
    environment = {"TENANTRY_STORE": store.url, "COLUMNS": "250"}
    return CliRunner().invoke(app, list(arguments), env=environment)


def test_the_table_tells_who_reigned_who_was_kept_back_and_what_people_ordered(store):
    lines = run(store, PRODUCT, "ua").output.splitlines()
    assert lines[:2] == [
        "ua of arrival-delay",
        f"It is pinned to {version(0)} by ann: it is late too often.",
    ]
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if "│" in line]
    told = [(row[1], row[2], row[4]) for row in cells]
    assert told == [
        ("pinned", version(0), ""),
        ("rolled back", version(0), "reigns"),
        ("kept", version(40), ""),
        ("promoted", version(31), "revoked as of 2013-11-10"),
        ("promoted", version(0), "until 2013-11-10"),
    ]
    assert cells[1][5] == (
        f"rolled back from {version(31)} by ann: it is late too often (2026-11-24 12:00 UTC)"
    )


def test_json_tells_it_by_time(store):
    facts = json.loads(run(store, PRODUCT, "ua", "--output", "json").output)
    assert facts["champion"] == version(0)
    assert facts["pin"]["who"] == "ann"
    assert [one["kind"] for one in facts["history"]] == [
        "promoted",
        "promoted",
        "kept",
        "rolled_back",
        "pinned",
    ]
    rolled_back = facts["history"][3]
    assert rolled_back["who"] == "ann"
    assert rolled_back["when"] == "2026-11-24T12:00:00Z"
    assert rolled_back["is_current"] is True
    assert facts["history"][1]["revoked"] == "2013-11-10T00:00:00Z"


def test_looking_at_models_needs_no_pandas_and_no_sklearn():
    code = (
        "import sys, tenantry.cli.history, tenantry.cli.rollback, tenantry.cli.pin;"
        "import tenantry.cli.diff;"
        "print({'pandas', 'sklearn', 'numpy', 'pyarrow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_an_unknown_tenant_is_a_fault_with_a_remedy(store):
    result = run(store, PRODUCT, "uaa")
    assert isinstance(result.exception, RegistryError)
    assert "did you mean ua?" in str(result.exception)


def test_a_model_that_learnt_from_erased_rows_is_told(tmp_path):
    store = FolderStore(tmp_path / "store")
    make_tenant(store, (0, 31))

    def mark(found):
        return found.withdraw([version(0)], "erased").taint([version(31)], "erased")

    move_champion(store, PRODUCT, "ua", mark)
    told = run(store, PRODUCT, "ua").output
    assert "withdrawn: rows were erased" in told
    assert "reigns until another does: rows were erased" in told
