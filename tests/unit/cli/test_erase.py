import json

import pytest
import typer
from typer.testing import CliRunner

from tenantry import layout
from tenantry.cli.erase import erase
from tenantry.erasure.tombstones import is_erased
from tenantry.errors import ErasureError, RegistryError
from tenantry.events import Event, write_event
from tenantry.specs.load import Fleet
from tenantry.specs.operation import Retention
from tenantry.store.folder import FolderStore
from tests.unit.erasure.made import LATE, PRODUCT, contents, fresh_store, spec_of

app = typer.Typer()
app.command()(erase)


@pytest.fixture
def store(tmp_path):
    made = FolderStore(tmp_path / "store")
    for key, content in contents(fresh_store()).items():
        made.put(key, content)
    return made


@pytest.fixture
def run(store, monkeypatch):
    fleet = Fleet(
        product=PRODUCT,
        title="Spending",
        description="",
        pooled=spec_of("acme").pooled,
        tenants_may_set=(),
        retention=Retention(),
        specs={name: spec_of(name) for name in ("acme", "bolt")},
        retire_max_share=0.5,
    )
    monkeypatch.setattr("tenantry.cli.erasing.load_product", lambda *_, **__: fleet)

    def call(*arguments, user="ann", text=None):
        environment = {"TENANTRY_STORE": store.url, "COLUMNS": "200", "USER": user}
        return CliRunner().invoke(
            app, [PRODUCT, "acme", "--why", "asked to", *arguments], env=environment, input=text
        )

    return call


def retire(store):
    write_event(
        store,
        Event(kind="retired", as_of=LATE, product=PRODUCT, tenant="acme", sentence="retired"),
    )


def test_nothing_is_written_without_yes(run, store):
    retire(store)
    before = contents(store)
    result = run()
    assert result.exit_code == 0, result.exception
    assert contents(store) == before
    assert "Would erase: the tenant acme of spending" in result.output
    assert "the champions of bolt stand on it" in result.output
    assert result.output.endswith("Nothing was written; --yes does it.\n")


def test_a_retired_tenant_is_erased_and_the_certificate_is_printed(run, store):
    retire(store)
    result = run("--yes", "--now")
    assert result.exit_code == 0, result.exception
    assert is_erased(store, PRODUCT, "acme")
    assert not list(store.list(layout.tenant_folder(PRODUCT, "acme")))
    assert "by ann: asked to" in result.output
    assert "pod logs of runs: run-1, run-2" in result.output


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["--yes"], "acme: is not retired; write state: retired into its spec"),
        (["--key", "guest"], "--key 1: has another form"),
        (["--key", "guest=a", "--key", "number=1"], "--key 2: names other columns than the first"),
        (["--key", "gest=a"], "gest: is no column of the contract"),
        (["--key", "guest=a", "--keys-file", "x.csv"], "is given together with --keys-file"),
        (["--keys-file", "nowhere.csv"], "cannot be read"),
        (["--lift"], "has no tombstone"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(run, store, arguments, fault):
    before = contents(store)
    result = run(*arguments)
    assert isinstance(result.exception, ErasureError), result.output
    assert fault in str(result.exception)
    assert contents(store) == before


def test_nobody_erases_anonymously(run):
    assert isinstance(run(user="").exception, RegistryError)


def test_rows_are_shown_then_erased(run, store):
    shown = run("--key", "guest=guest-0").output
    assert "24 rows of acme" in shown
    assert "Nothing was written" in shown
    result = run("--key", "guest=guest-0", "--yes", "--output", "json")
    facts = json.loads(result.output)
    assert (facts["done"], facts["rows"], facts["keys"]) == (True, 24, 1)
    assert facts["waiting"]
    assert len(facts["left_to_you"]) == 5


def test_keys_come_from_a_file_or_standard_input(run, tmp_path):
    file = tmp_path / "keys.csv"
    file.write_text('guest\n"guest-0"\nguest-1\n')
    assert "48 rows of acme" in run("--keys-file", str(file)).output
    assert "24 rows of acme" in run("--keys-file", "-", text="guest\nguest-3\n").output


@pytest.mark.parametrize(
    ("text", "fault"),
    [("guest\n", "has no key"), ("guest,number\na\n", "line 2 has other columns"), ("", "no key")],
)
def test_a_file_of_another_form_is_refused(run, text, fault):
    assert fault in str(run("--keys-file", "-", text=text).exception)


def test_an_erased_name_can_be_used_again_once_it_is_lifted(run, store):
    run("--even-active", "--yes")
    assert "already" not in run("--lift").output
    assert is_erased(store, PRODUCT, "acme")
    assert run("--lift", "--yes").exit_code == 0
    assert not is_erased(store, PRODUCT, "acme")


def test_rows_of_an_erased_tenant_are_refused(run):
    run("--even-active", "--yes")
    assert "was erased" in str(run("--key", "guest=a").exception)
