import json

import pytest
import typer
from typer.testing import CliRunner

from tenantry.champions import read_champion
from tenantry.cli.rollback import rollback
from tenantry.errors import RegistryError
from tenantry.registry.orders import make_order
from tenantry.registry.pins import pin
from tenantry.store.folder import FolderStore
from tests.unit.registry.made import PRODUCT, WALL, contents, day, make_tenant, version

app = typer.Typer()
app.command()(rollback)


@pytest.fixture
def store(tmp_path):
    made = FolderStore(tmp_path / "store")
    for tenant in ("b6", "ua"):
        make_tenant(made, (0, 31), tenant)
    make_tenant(made, (31,), "vx")
    return made


def run(store, *arguments, user="ann"):
    environment = {"TENANTRY_STORE": store.url, "COLUMNS": "200", "USER": user}
    return CliRunner().invoke(app, [PRODUCT, *arguments], env=environment)


def reigning(store):
    return {
        tenant: read_champion(store, PRODUCT, tenant).current.version
        for tenant in store.list_folders(f"tenants/{PRODUCT}/")
    }


def test_one_command_rolls_a_tenant_back_and_says_from_when_on(store):
    result = run(store, "ua", "--why", "bad")
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        f"Rolled arrival-delay/ua back from {version(31)} to {version(0)}, "
        "for runs as of 2013-11-01T00:00:00Z or later.",
        "Their next predictions use it; `tenantry pin` holds it.",
    ]
    assert reigning(store)["ua"] == version(0)


def test_who_is_the_user_unless_it_is_said(store):
    run(store, "ua", "--why", "bad")
    run(store, "b6", "--why", "bad", "--who", "bo")
    who = [read_champion(store, PRODUCT, name).current.restores.who for name in ("ua", "b6")]
    assert who == ["ann", "bo"]


def test_a_dry_run_writes_nothing(store):
    before = contents(store)
    result = run(store, "ua", "--why", "bad", "--dry-run")
    assert result.output.startswith(f"Would roll arrival-delay/ua back from {version(31)}")
    assert result.output.endswith("Nothing was written.\n")
    assert contents(store) == before


def test_json_says_what_was_done(store):
    result = run(store, "ua", "--to", version(0), "--why", "bad", "--output", "json")
    assert json.loads(result.output) == {
        "product": PRODUCT,
        "done": True,
        "tenant": "ua",
        "from": version(31),
        "to": version(0),
        "as_of": "2013-11-01T00:00:00Z",
        "warning": "",
    }


def test_who_restores_what_someone_rolled_back_is_told_so(store):
    run(store, "ua", "--why", "bad")
    words = f"{version(31)} was rolled back by ann: bad"
    result = run(store, "ua", "--to", version(31), "--why", "it was good", "--dry-run")
    assert f"Mind that {words}." in result.stderr
    fleet = run(store, "--all", "--undo", "--why", "it was good")
    assert words in fleet.output


def test_undo_takes_a_rollback_back(store):
    run(store, "ua", "--why", "bad")
    result = run(store, "ua", "--undo", "--why", "it was good")
    assert result.exit_code == 0
    assert reigning(store)["ua"] == version(31)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--why", "bad"], "name a tenant, or say --all"),
        (["ua", "--all", "--why", "bad"], "name a tenant, or say --all"),
        (["ua", "--to", "v", "--to-time", "2013-10-01", "--why", "bad"], "say one of --to"),
        (["ua", "--to", "v", "--undo", "--why", "bad"], "say one of --to"),
        (["--all", "--to", "v", "--why", "bad"], "--all needs --to-time or --undo"),
        (["--all", "--why", "bad"], "--all needs --to-time or --undo"),
        (["ua"], "--why"),
    ],
)
def test_a_command_that_makes_no_sense_is_a_usage_error(store, arguments, words):
    result = run(store, *arguments)
    assert result.exit_code == 2
    assert words in result.output


def test_nobody_can_order_anonymously(store):
    result = run(store, "ua", "--why", "bad", user="")
    assert isinstance(result.exception, RegistryError)
    assert "say who, or set USER" in str(result.exception)


# --- a whole fleet --------------------------------------------------------------------------------

FLEET = ("--all", "--to-time", "2013-10-15", "--why", "a broken feed")


def rows(store, *arguments):
    result = run(store, *FLEET, *arguments, "--output", "json")
    return result.exit_code, {row["tenant"]: row for row in json.loads(result.output)["tenants"]}


def test_a_fleet_is_shown_first_and_nothing_is_written(store):
    before = contents(store)
    result = run(store, *FLEET)
    assert contents(store) == before
    assert result.exit_code == 0
    assert result.output.splitlines()[-2:] == [
        "2 would be rolled back, for runs as of 2013-11-01T00:00:00Z or later; "
        "1 as they are; 0 refused.",
        "Nothing was written; --yes does it.",
    ]
    assert "nothing reigned as of 2013-10-15T00:00:00Z; its first model reigns" in result.output


def test_with_yes_every_tenant_goes_back_to_who_reigned_then(store):
    code, found = rows(store, "--yes")
    assert code == 0
    assert (found["ua"]["from"], found["ua"]["to"]) == (version(31), version(0))
    assert reigning(store) == {
        "b6": version(0, "b6"),
        "ua": version(0),
        "vx": version(31, "vx"),
    }
    known = read_champion(store, PRODUCT, "ua").current
    assert (known.since, known.restores.why) == (day(31), "a broken feed")


def test_ordered_again_it_finds_everything_done(store):
    run(store, *FLEET, "--yes")
    before = contents(store)
    code, found = rows(store, "--yes")
    assert code == 0
    assert {row["note"] for tenant, row in found.items() if tenant != "vx"} == {
        f"{version(0)} reigns already",
        f"{version(0, 'b6')} reigns already",
    }
    assert contents(store) == before


def test_yes_with_dry_run_is_a_dry_run(store):
    before = contents(store)
    run(store, *FLEET, "--yes", "--dry-run")
    assert contents(store) == before


def test_a_tenant_that_must_stay_is_named_and_the_others_go_on(store):
    pin(store, PRODUCT, "b6", order=make_order("bo", "an audit", WALL))
    store.delete(f"tenants/{PRODUCT}/ua/models/{version(0)}/model.skops")
    make_tenant(store, (0, 31), "wn")
    code, found = rows(store, "--yes")
    assert code == 1
    assert found["b6"]["note"].endswith("by bo: an audit; unpin it first")
    assert "model.skops: missing" in found["ua"]["note"]
    assert {tenant for tenant, row in found.items() if row["refused"]} == {"b6", "ua"}
    assert reigning(store)["wn"] == version(0, "wn")


def test_an_unknown_product_is_a_fault_with_a_remedy(store):
    environment = {"TENANTRY_STORE": store.url, "USER": "ann"}
    result = CliRunner().invoke(app, ["arival-delay", *FLEET], env=environment)
    assert "did you mean arrival-delay?" in str(result.exception)
