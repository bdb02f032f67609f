import pytest
import typer
from typer.testing import CliRunner

from tenantry.champions import read_champion
from tenantry.cli.pin import pin, unpin
from tenantry.errors import NothingToDoError
from tenantry.store.folder import FolderStore
from tests.unit.registry.made import PRODUCT, contents, make_tenant, version

app = typer.Typer()
app.command()(pin)
app.command()(unpin)


@pytest.fixture
def store(tmp_path):
    made = FolderStore(tmp_path / "store")
    make_tenant(made)
    return made


def run(store, verb, *arguments):
    environment = {"TENANTRY_STORE": store.url, "COLUMNS": "200", "USER": "ann"}
    return CliRunner().invoke(
        app, [verb, PRODUCT, "ua", "--why", "audit", *arguments], env=environment
    )


def test_pin_and_unpin_say_what_they_did(store):
    assert run(store, "pin").output == (
        f"Pinned arrival-delay/ua to {version(31)}; let it go with `tenantry unpin`.\n"
    )
    assert read_champion(store, PRODUCT, "ua").pin.who == "ann"
    assert run(store, "unpin", "--who", "bo").output == (
        f"Let arrival-delay/ua go; {version(31)} reigns until another wins.\n"
    )
    assert read_champion(store, PRODUCT, "ua").unpinned.who == "bo"


def test_a_dry_run_writes_nothing(store):
    before = contents(store)
    assert run(store, "pin", "--dry-run").output.endswith("Nothing was written.\n")
    assert contents(store) == before
    run(store, "pin")
    before = contents(store)
    assert run(store, "unpin", "--dry-run").output.startswith("Would let arrival-delay/ua go")
    assert contents(store) == before


@pytest.mark.parametrize("verb", ["pin", "unpin"])
def test_what_would_do_nothing_is_refused(store, verb):
    if verb == "pin":
        run(store, "pin")
    assert isinstance(run(store, verb).exception, NothingToDoError)
