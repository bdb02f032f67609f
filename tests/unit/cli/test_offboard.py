"""Offboarding goes step by step; each is shown first, and none is done twice."""

import json

import pytest
import typer
from typer.testing import CliRunner

from tenantry import layout
from tenantry.cli.offboard import offboard
from tenantry.erasure.tombstones import is_erased
from tenantry.errors import ErasureError, PlanError
from tenantry.events import Event, write_event
from tenantry.specs.load import load_product
from tenantry.store.folder import FolderStore
from tests.unit.specs.conftest import PRODUCT, Specs

app = typer.Typer()
app.command()(offboard)


@pytest.fixture
def specs(tmp_path):
    made = Specs(tmp_path / "specs")
    for name in ("acme", "bolt", "cask", "dusk", "echo"):
        made.tenant("# theirs\n", name)
    return made


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path / "store")


@pytest.fixture
def run(specs, store):
    def call(tenant, *arguments):
        environment = {
            "TENANTRY_STORE": store.url,
            "TENANTRY_SPECS": str(specs.folder),
            "TENANTRY_CONNECTIONS": None,
            "USER": "ann",
        }
        given = ["churn", tenant, "--why", "contract ended", *arguments]
        return CliRunner().invoke(app, given, env=environment)

    return call


def leave_something(store, tenant, *, retired):
    kind = "retired" if retired else "promoted"
    moment = "2024-06-01T00:00:00Z"
    event = Event(kind=kind, as_of=moment, product="churn", tenant=tenant, sentence="so it is")
    write_event(store, event)


def test_from_active_to_gone(run, specs, store):
    leave_something(store, "acme", retired=False)
    file = specs.folder / "churn/acme.yaml"
    before = file.read_text()
    result = run("acme")
    assert "churn/acme: it is active." in result.output
    assert "Nothing was written; --yes does it." in result.output
    assert "Nothing was written" in run("acme", "--yes", "--dry-run").output
    assert file.read_text() == before

    assert "the next run archives the tenant" in run("acme", "--yes").output
    assert file.read_text() == before.replace("tenant: acme\n", "tenant: acme\nstate: retired\n")
    assert specs.load().specs["acme"].state == "retired"

    assert "is for the next run, which archives it" in run("acme", "--yes").output
    assert list(store.list(layout.tenant_folder("churn", "acme")))

    leave_something(store, "acme", retired=True)
    assert "Would erase" in run("acme").output
    assert "Certificate of erasure" in run("acme", "--yes").output
    assert is_erased(store, "churn", "acme")

    assert "it was erased; only its file is left" in run("acme").output
    assert run("acme", "--yes").exit_code == 0
    assert not file.exists()
    told = json.loads(run("acme", "--yes", "-o", "json").output)
    assert (told["kind"], told["why"]) == ("done", "it was erased, and has no file")
    assert "acme" not in specs.load().specs


def test_a_state_that_is_there_is_replaced(run, specs):
    specs.tenant("state: paused # since May\ndescription: 'state: x'\n", "bolt")
    assert run("bolt", "--yes").exit_code == 0
    text = (specs.folder / "churn/bolt.yaml").read_text()
    assert text.endswith("state: retired\ndescription: 'state: x'\n")


def test_a_file_of_a_form_of_its_own_is_left_to_people(run, specs):
    specs.write("churn/bolt.yaml", "{apiVersion: tenantry/v2, tenant: bolt}\n")
    error = run("bolt", "--yes").exception
    assert isinstance(error, ErasureError)
    assert "has a form of its own; write state: retired into it" in str(error)


def test_more_than_may_be_retired_at_once_is_refused_before_it_is_written(run, specs):
    assert run("acme", "--yes").exit_code == 0
    before = (specs.folder / "churn/bolt.yaml").read_text()
    error = run("bolt", "--yes").exception
    assert isinstance(error, PlanError)
    assert "2 of 5 tenants are to be retired at once" in str(error)
    assert (specs.folder / "churn/bolt.yaml").read_text() == before


def test_where_the_product_does_not_allow_it_the_platform_is_named(run, specs):
    specs.write("churn/product.yaml", PRODUCT.replace("[description, state, ", "[description, "))
    assert "add state to tenants_may_set" in str(run("bolt").exception)


def test_nobody_knows_the_tenant(run):
    assert "did you mean acme?" in str(run("acm").exception)


def test_the_last_file_is_not_removed(run, specs):
    for name in ("bolt", "cask", "dusk", "echo"):
        (specs.folder / f"churn/{name}.yaml").unlink()
    specs.tenant("state: retired\n", "acme")
    assert "is the product's last tenant" in str(run("acme", "--yes").exception)
    assert load_product(specs.folder, "churn").specs
