"""`tenantry lineage` draws a tree for people, prints JSON for programs, and names what is gone."""

import json

import pytest
from typer.testing import CliRunner

from tenantry import layout
from tenantry.cli.app import app
from tenantry.store.folder import FolderStore
from tests.unit.small_store import PRODUCT, SmallStore, week


@pytest.fixture
def made(tmp_path, monkeypatch):
    monkeypatch.setenv("TENANTRY_STORE", (tmp_path / "store").as_uri())
    monkeypatch.setenv("COLUMNS", "200")
    small = SmallStore(FolderStore(tmp_path / "store"))
    sha = small.snapshot("ua", 10)
    small.pooled = small.pool(10, ["ua"])
    small.card = small.model("ua", 10, sha, pooled=small.pooled)
    small.crown(small.card)
    small.receipts = [small.predict(small.card, week(n), sha, number=40) for n in range(2, 7)]
    return small


def run(*arguments):
    return CliRunner().invoke(app, ["lineage", *arguments])


def test_a_tree_from_a_prediction_to_its_source_files(made):
    result = run(made.receipts[0].key)
    assert result.exit_code == 0
    for told in (
        f"prediction {week(2).id}",
        "in force: yes",
        "in sample: no",
        f"reigned when the window began reign {made.card.version}",
        "why: promoted: better",
        f"predicted by model {made.card.version}",
        "code version: image@1",
        "run: run-1",
        "file ewr:part-0.parquet",
        f"stands on pooled default/{made.pooled.version}",
    ):
        assert told in result.stdout, told


def test_json_is_the_same_tree_whole(made):
    told = json.loads(run(made.receipts[0].key, "-o", "json").stdout)
    assert (told["kind"], told["facts"]["in_force"]) == ("prediction", True)
    (model,) = [one for one in told["below"] if one["kind"] == "model"]
    assert model["facts"]["file_digest"] == made.card.file_digest


def test_forward_folds_long_rows_unless_all_is_asked_for(made):
    folder = layout.model_folder(PRODUCT, "ua", made.card.version)
    folded, whole = run(folder, "--forward"), run(folder, "--forward", "--all")
    assert "… 3 more, --all shows them" in folded.stdout
    assert whole.stdout.count("predicted prediction") == 5
    assert week(4).id in whole.stdout
    assert week(4).id not in folded.stdout


def test_an_address_below_the_stores_own_is_a_key(made):
    assert run(f"{made.store.url}/{made.receipts[0].key}").exit_code == 0


def test_a_source_files_name_goes_forward_with_its_product(made):
    result = run("ewr:part-0.parquet", "--forward", "--product", PRODUCT)
    assert "read into snapshot" in result.stdout
    assert f"trained model {made.card.version}" in result.stdout


def test_what_is_gone_is_named_and_only_a_key_with_nothing_behind_it_fails(made):
    made.store.delete(f"{layout.model_folder(PRODUCT, 'ua', made.card.version)}model.skops")
    result = run(made.receipts[0].key)
    assert (result.exit_code, "  missing" in result.stdout) == (0, True)
    gone = run(layout.snapshot(PRODUCT, "ua", "0" * 64))
    assert (gone.exit_code, "missing" in gone.stdout) == (1, True)


@pytest.mark.parametrize("arguments", [["nonsense"], ["part-0.parquet", "--forward"]])
def test_what_is_no_key_is_refused_with_a_remedy(made, arguments):
    result = run(*arguments)
    assert result.exit_code == 1
    assert "is no key of the store; give a key as" in str(result.exception)


def test_nothing_is_written(made):
    before = [(info.key, info.modified) for info in made.store.list("")]
    run(made.receipts[0].key)
    run(layout.pooled_folder(PRODUCT, "default", made.pooled.version), "--forward")
    assert [(info.key, info.modified) for info in made.store.list("")] == before
