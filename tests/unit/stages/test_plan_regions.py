"""A plan serves one region: its own tenants, and those that moved away are named."""

import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from tenantry import layout
from tenantry.cli.app import app
from tenantry.errors import PlanError, SettingsError
from tenantry.fleet import FleetState
from tenantry.index import read_records
from tenantry.report.page import render_page
from tenantry.report.summary import to_markdown
from tenantry.request import PlanRequest
from tenantry.specs.frozen import FLEET, read_frozen_specs
from tenantry.stages.plan import make_plan, plan
from tenantry.store.folder import FolderStore
from tenantry.summaries import plan_markdown
from tests.unit.specs.conftest import PRODUCT, Specs

MAY = datetime(2024, 5, 1, tzinfo=UTC)
REGIONS = """\
regions:
  eu-1: {store: stores/eu-1, zone: eu}
  eu-2: {store: stores/eu-2, zone: eu}
  us: {store: stores/us, zone: us}
"""


@pytest.fixture
def specs(tmp_path):
    """Acme is at home in eu-1, bolt in eu-2, cello in us."""
    specs = Specs(tmp_path / "specs")
    allowed = PRODUCT.replace("[description,", "[region, residency, description,")
    specs.write("churn/product.yaml", allowed)
    for tenant, region in (("acme", "eu-1"), ("bolt", "eu-2"), ("cello", "us")):
        specs.tenant(f"region: {region}\n", tenant)
    specs.write("regions.yaml", REGIONS)
    return specs


def store(specs, region):
    return FolderStore(specs.folder / "stores" / region)


def made(specs, region, **asked):
    request = PlanRequest("run-1", MAY, region=region, **asked)
    return make_plan(request, specs.load(), store(specs, region))


def hold(specs, region, tenant):
    store(specs, region).put(f"{layout.tenant_folder('churn', tenant)}features/x.parquet", b"")


@pytest.mark.parametrize(
    ("region", "tenant"), [("eu-1", "acme"), ("eu-2", "bolt"), ("us", "cello")]
)
def test_only_tenants_at_home_in_the_region_are_planned(specs, region, tenant):
    found = made(specs, region)
    assert found.region == region
    assert list(found.tenants) == [tenant]
    assert found.tenants[tenant].due


def test_the_region_must_be_told_where_there_are_several(specs):
    with pytest.raises(SettingsError, match="regions.yaml lists eu-1, eu-2, us"):
        made(specs, "")
    specs.write("regions.yaml", "regions: {us: {store: stores/us}}")
    for tenant in ("acme", "bolt"):
        specs.tenant("region: us\n", tenant)
    assert made(specs, "").region == "us"
    assert len(made(specs, "").tenants) == 3


def test_a_tenant_of_another_region_is_not_for_this_run(specs):
    with pytest.raises(PlanError, match="'cello' is at home in us.*run it with region us"):
        made(specs, "eu-1", tenants="cello")


def test_ledgers_and_frozen_specs_are_of_the_region_and_its_zone(specs, tmp_path):
    request = PlanRequest("run-1", MAY, region="eu-1")
    eu = store(specs, "eu-1")
    plan(request, specs.load(), eu, tmp_path / "files")
    assert list(read_frozen_specs(eu, "run-1", FLEET)) == ["acme", "bolt"]
    ledgers = [eu.get(info.key).content for info in eu.list("runs/run-1/ledgers/")]
    assert [json.loads(ledger.splitlines()[0])["region"] for ledger in ledgers] == ["eu-1"]
    assert not any(b"bolt" in ledger or b"cello" in ledger for ledger in ledgers)


def test_a_tenant_that_moved_is_named_and_nothing_is_done_about_it(specs):
    hold(specs, "us", "acme")
    found = made(specs, "us")
    assert found.tenants["acme"].due == ()
    assert found.tenants["acme"].shard is None
    assert found.tenants["acme"].note == (
        "moved to region eu-1, and this store still holds it: erase it here, "
        "or write its old region into acme.yaml again"
    )
    assert made(specs, "eu-1").tenants["acme"].due, "it starts anew at home"


def test_absence_is_told_of_the_regions_own_tenants_only(specs):
    hold(specs, "us", "cello")
    hold(specs, "eu-1", "acme")
    assert list(made(specs, "us").tenants) == ["cello"]
    hold(specs, "us", "gone")
    with pytest.raises(PlanError, match="gone.yaml: the store holds this tenant, but it has no"):
        made(specs, "us")
    assert list(made(specs, "eu-1").tenants) == ["acme"]


def test_tenants_retired_elsewhere_do_not_count_as_being_retired_here(specs):
    for name in ("dora", "emil", "fine"):
        specs.tenant("region: us\nstate: retired\n", name)
    assert list(made(specs, "eu-1").tenants) == ["acme"]
    with pytest.raises(PlanError, match="3 of 4 tenants are to be retired at once"):
        made(specs, "us")


@pytest.mark.parametrize("verb", ["plan", "status"])
def test_the_command_line_serves_one_region(specs, monkeypatch, verb):
    monkeypatch.setenv("TENANTRY_SPECS", str(specs.folder))
    command = [verb, "churn", "--as-of", "2024-05-01", "--output", "json"]
    told = CliRunner().invoke(app, command)
    assert "regions.yaml lists eu-1, eu-2, us" in str(told.exception)
    hold(specs, "us", "acme")
    shown = json.loads(CliRunner().invoke(app, [*command, "--region", "us"]).output)
    tenants = shown["tenants"] if verb == "plan" else {one["tenant"]: one for one in shown}
    assert sorted(tenants) == ["acme", "cello"]


def test_the_index_of_a_region_holds_its_own_tenants_only(specs, monkeypatch):
    monkeypatch.setenv("TENANTRY_SPECS", str(specs.folder))
    hold(specs, "us", "cello")
    done = CliRunner().invoke(app, ["reindex", "churn", "--yes", "--region", "us"])
    assert done.exit_code == 0, done.output
    assert set(read_records(store(specs, "us"), "churn")) <= {"cello"}
    assert read_records(store(specs, "eu-1"), "churn") == {}


def test_show_finds_a_tenants_own_store(specs, monkeypatch):
    monkeypatch.setenv("TENANTRY_SPECS", str(specs.folder))
    shown = CliRunner().invoke(app, ["show", "churn", "bolt"])
    assert "region eu-2, residency eu" in shown.output


def test_plans_and_reports_tell_their_region(specs):
    found = made(specs, "eu-2")
    assert plan_markdown(found).startswith("# Plan of churn in region eu\\-2 as of 2024")
    state = FleetState("run-1", "churn", found, ())
    assert to_markdown(state, "SUCCEEDED").startswith("# Churn in region eu\\-2 as of 2024")
    assert "churn in region eu-2 · as of" in render_page(state, "SUCCEEDED")
