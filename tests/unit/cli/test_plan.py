import json

import pytest
import typer
from typer.testing import CliRunner

from tenantry.cli.plan import plan
from tenantry.errors import PlanError
from tenantry.store.folder import FolderStore

app = typer.Typer()
app.command()(plan)


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path / "store")


def run(store, *arguments):
    environment = {"TENANTRY_STORE": store.url, "COLUMNS": "200"}
    return CliRunner().invoke(
        app, ["arrival-delay", "--as-of", "2013-10-01", *arguments], env=environment
    )


def test_the_table_groups_tenants_by_what_is_due_and_why(store):
    words = " ".join(run(store).output.split())
    assert "│ + │ train │ 16 │ no model yet │ 9e, aa, as, b6, dl, ev, f9, fl and 8 more │" in words
    assert "│ + │ pooled model │ │ there was none │ default │" in words
    assert "predict 16 tenants (64 windows); 16 shards, about" in words
    assert words.endswith("Nothing was written.")
    assert list(store.list("")) == []


def test_all_gives_each_tenant_its_own_lines(store):
    output = run(store, "--all", "--max-shards", "3").output
    assert output.count("│ + │ ua ") == 2
    assert "default_01" in output


def test_json_has_every_tenant_with_reasons_and_estimates(store):
    made = json.loads(run(store, "--output", "json").output)
    assert len(made["tenants"]) == 16
    assert made["pooled"] == {"default": "there was none"}
    ua = made["tenants"]["ua"]
    assert [due["action"] for due in ua["due"]] == ["train", "predict"]
    assert ua["cpu_seconds"] > 0
    assert ua["promised"] == "2013-09-04T00:00:00Z"


def test_a_budget_leaves_tenants_for_the_next_run(store):
    words = " ".join(run(store, "--cpu-budget", "20").output.split())
    assert "for the next run" in words
    assert "of 20 allowed" in words
    assert "those promised earlier use up cpu_budget" in words


def test_a_backfill_is_planned_before_it_is_run(store):
    output = run(store, "--backfill-from", "2013-06-01").output
    assert "13 windows from 2013-06-04T00:00:00Z to 2013-09-03T00:00:00Z" in output
    assert "by the model that reigned then" in output


def test_faults_of_a_request_come_before_anything_is_read(store):
    error = run(store, "--backfill-to", "2013-06-01").exception
    assert isinstance(error, PlanError)
    assert "backfill_from: is missing" in str(error)
