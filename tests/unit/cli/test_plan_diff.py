"""`tenantry plan --diff`: what a Git change of specs does to the next run."""

import json
import shutil

import pytest
import typer
from typer.testing import CliRunner

from tenantry.cli.plan import plan
from tenantry.errors import PlanError, SpecError
from tenantry.store.folder import FolderStore
from tests.unit.repository import commit_all

app = typer.Typer()
app.command()(plan)


@pytest.fixture
def folder(tmp_path):
    """The shipped specs, committed; of three airlines."""
    folder = tmp_path / "specs"
    shutil.copytree("tenant_specs", folder)
    for file in (folder / "arrival-delay").glob("*.yaml"):
        if file.stem not in ("product", "ua", "vx", "b6"):
            file.unlink()
    shutil.rmtree(folder / "arrival-minutes")
    commit_all(folder)
    return folder


def run(folder, *arguments, diff="HEAD"):
    store = FolderStore(folder.parent / "store")
    environment = {
        "TENANTRY_STORE": store.url,
        "TENANTRY_SPECS": str(folder),
        "COLUMNS": "240",
    }
    asked = ["arrival-delay", "--as-of", "2013-10-01", "--diff", diff, *arguments]
    result = CliRunner().invoke(app, asked, env=environment)
    assert list(store.list("")) == []
    return result


def write(folder, tenant, more):
    head = f"apiVersion: tenantry/v2\ntenant: {tenant}\n"
    (folder / f"arrival-delay/{tenant}.yaml").write_text(head + more)


def test_no_change_concerns_nobody(folder):
    result = run(folder)
    assert "no tenant is concerned" in result.output
    assert json.loads(run(folder, "-o", "json").output)["tenants"] == []


def test_each_tenant_that_a_change_concerns_is_told_why_and_with_what_effect(folder):
    write(folder, "xx", "")
    write(folder, "vx", "state: paused\n")
    write(folder, "ua", "gate: {tolerance: 0.5}\n")
    told = json.loads(run(folder, "-o", "json").output)
    found = {one["tenant"]: one for one in told["tenants"]}
    assert {name: one["kind"] for name, one in found.items()} == {
        "ua": "changed",
        "vx": "paused",
        "xx": "added",
    }
    assert [due["action"] for due in found["xx"]["after"]] == ["train", "predict"]
    assert found["vx"]["after"] == []
    assert {"path": "gate.tolerance", "before": 0.01, "after": 0.5} in found["ua"]["fields"]
    assert (told["before"]["trained"], told["after"]["trained"]) == (3, 3)
    assert told["after"]["cpu_seconds"] > 0
    words = " ".join(run(folder).output.split())
    assert "trained: no model yet; predicted: 4 windows from 2013-09-03" in words
    assert "not trained any more; not predicted any more (4 windows)" in words


def test_markdown_shows_values_and_is_no_markup(folder):
    write(folder, "ua", "description: '<img src=x> | [a](http://b) `c`'\n")
    text = run(folder, "-o", "markdown").output
    assert text.startswith("### What this does to `arrival-delay`")
    assert r"\<img src=x\> \| \[a\]\(http://b\) \`c\`" in text
    assert "| tenants trained | 3 | 3 | 0 |" in text


def test_a_new_product_has_no_plan_before(folder):
    commit = commit_all(folder)
    shutil.copytree(folder / "arrival-delay", folder / "other")
    file = folder / "other/product.yaml"
    file.write_text(file.read_text().replace("product: arrival-delay", "product: other"))
    environment = {"TENANTRY_STORE": f"file://{folder.parent}/s", "TENANTRY_SPECS": str(folder)}
    asked = ["other", "--as-of", "2013-10-01", "--diff", commit, "-o", "json"]
    told = json.loads(CliRunner().invoke(app, asked, env=environment).output)
    assert told["notes"] == ["the product is new"]
    assert {one["kind"] for one in told["tenants"]} == {"added"}


def test_what_is_wrong_is_told_with_its_side(folder):
    write(folder, "ua", "gate: {min_rows: -5}\n")
    error = run(folder).exception
    assert isinstance(error, SpecError)
    assert str(error).startswith("arrival-delay/ua.yaml: gate.min_rows")
    commit_all(folder)
    write(folder, "ua", "")
    error = run(folder).exception
    assert str(error).startswith("HEAD: arrival-delay/ua.yaml: gate.min_rows")


def test_more_retired_than_may_be_at_once_is_refused_before_it_is_merged(folder):
    for tenant in ("ua", "vx"):
        write(folder, tenant, "state: retired\n")
    error = run(folder).exception
    assert isinstance(error, PlanError)
    assert "2 of 3 tenants are to be retired at once" in str(error)
