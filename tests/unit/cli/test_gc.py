"""`tenantry gc` shows what may go and removes nothing without `--yes`."""

import json
import re
import shutil

import pytest
from typer.testing import CliRunner

from tenantry import layout
from tenantry.cli.app import app
from tenantry.store.folder import FolderStore
from tests.unit.small_store import PRODUCT, SmallStore, day, week

AS_OF = f"{day(400):%Y-%m-%d}"


@pytest.fixture
def made(tmp_path, monkeypatch):
    specs = tmp_path / "specs"
    shutil.copytree("tenant_specs", specs)
    path = specs / PRODUCT / "product.yaml"
    text = re.sub(r"start: \S+", "start: 2013-01-08", path.read_text())
    path.write_text(f"{text}\nretention: {{champions: 1, models: 30d, predictions: 30d}}\n")
    monkeypatch.setenv("TENANTRY_SPECS", str(specs))
    monkeypatch.setenv("TENANTRY_STORE", (tmp_path / "store").as_uri())
    monkeypatch.setenv("COLUMNS", "160")
    small = SmallStore(FolderStore(tmp_path / "store"))
    sha = small.snapshot("ua", 7)
    small.cards = [small.model("ua", n, sha, features=small.features("ua", n)) for n in (7, 14)]
    for card in small.cards:
        small.crown(card)
    receipt = small.predict(small.cards[0], week(1), sha, number=14)
    small.judge(receipt, sha, number=21)
    return small


def run(*arguments):
    return CliRunner().invoke(app, ["gc", PRODUCT, "--as-of", AS_OF, *arguments])


def keys(made):
    return {info.key for info in made.store.list("")}


def test_it_is_a_dry_run_unless_yes_is_said(made):
    before = keys(made)
    result = run("--grace", "0m")
    assert result.exit_code == 0
    assert f"May go as of {AS_OF}T00:00:00Z" in result.stdout
    assert "models neither in use nor to be rolled back to" in result.stdout
    assert "--yes removes it." in result.stdout
    assert keys(made) == before


def test_yes_removes_what_was_shown_and_the_next_finds_nothing(made):
    shown = json.loads(run("--grace", "0m", "-o", "json").stdout)
    wanted = {one["key"] for one in shown["waste"]["ua"]}
    folder = layout.model_folder(PRODUCT, "ua", made.cards[0].version)
    assert f"{folder}model.skops" in wanted
    before = keys(made)
    removed = json.loads(run("--grace", "0m", "--yes", "-o", "json").stdout)
    assert (shown["removed"], removed["removed"]) == (False, True)
    assert removed["waste"] == shown["waste"]
    assert before - keys(made) == wanted
    assert "Nothing may go" in run("--grace", "0m").stdout


def test_what_was_written_today_stays_by_default(made):
    assert "Nothing may go" in run().stdout


def test_lineage_calls_collected_what_went(made):
    run("--grace", "0m", "--yes")
    key = f"{layout.model_folder(PRODUCT, 'ua', made.cards[0].version)}model.skops"
    told = CliRunner().invoke(app, ["lineage", key])
    assert (told.exit_code, "collected" in told.stdout) == (0, True)


def test_what_cannot_be_read_is_named_and_the_exit_code_is_one(made):
    made.store.put(layout.champion(PRODUCT, "ua"), b"{torn")
    result = run("--grace", "0m", "--yes")
    assert result.exit_code == 1
    assert "ua was left: tenants/arrival-delay/ua/champion.json cannot be read" in result.stdout


def test_one_tenant_alone(made):
    made.snapshot("aa", 7)
    told = json.loads(run("aa", "--grace", "0m", "-o", "json").stdout)
    assert told["waste"] == {}
    assert "no such" not in run("ua").stdout
    assert run("zz").exit_code == 1
