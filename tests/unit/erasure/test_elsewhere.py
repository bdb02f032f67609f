"""What is erased in one region is in no pooled model of its zone either, and comes into none."""

import json
from datetime import UTC, datetime

import pandas as pd
import pytest
from typer.testing import CliRunner

from tenantry import layout
from tenantry.cli.app import app
from tenantry.erasure.elsewhere import erase_rows_from_pools
from tenantry.erasure.tenant import erase_tenant
from tenantry.erasure.tombstones import Tombstone, is_erased
from tenantry.models.card import read_pooled_card
from tenantry.registry.orders import Order
from tenantry.request import PlanRequest
from tenantry.stages.plan import make_plan
from tenantry.store.folder import FolderStore
from tests.unit.specs.conftest import PRODUCT as CHURN
from tests.unit.specs.conftest import Specs
from tests.unit.stages.test_train_pooled import PRODUCT, flights, in_region, landing, run

__all__ = ["landing"]

NOW = datetime(2013, 11, 5, tzinfo=UTC)
ORDER = Order(who="ann", why="asked to", when=NOW)
SPECS = [in_region("aa", "eu-1"), in_region("b6", "eu-2"), in_region("ua", "eu-1")]
ACTIVE = ("aa", "b6", "ua")


@pytest.fixture
def stores(tmp_path, landing):
    """The stores of both regions of a zone, with the pooled model of all three tenants."""
    stores = {name: FolderStore(tmp_path / name) for name in ("eu-1", "eu-2")}
    for store in stores.values():
        run(SPECS, store, landing())
    return stores


def versions(store):
    return [*store.list_folders("products/arrival-delay/pooled/eu/")]


def test_erased_rows_are_in_no_pooled_model_and_come_into_none(stores, landing):
    keys = pd.DataFrame({"number": [str(n) for n in flights("aa")["number"][:50]]})
    before = {name: versions(store) for name, store in stores.items()}
    assert before["eu-1"] == before["eu-2"] != []
    (version,) = before["eu-2"]
    had = read_pooled_card(stores["eu-2"], PRODUCT, "eu", version).contributors
    outcomes = []
    for store in stores.values():
        done = erase_rows_from_pools(store, SPECS[0], keys, order=ORDER, active=ACTIVE)
        assert done.pooled == (f"eu/{version}",)
        assert versions(store) == []
        outcomes.append(run(SPECS, store, landing()))
    assert outcomes[0].zones == outcomes[1].zones
    assert outcomes[0].contributors == had | {"aa": had["aa"] - 50}


def test_a_tenant_erased_at_home_is_in_no_pooled_model_of_the_zone(stores):
    mate = stores["eu-2"]
    stone = Tombstone(product=PRODUCT, tenant="aa", when=NOW, who="ann", why="left")
    certificate = erase_tenant(mate, stone, ("b6", "ua"))
    assert certificate.pooled
    assert versions(mate) == []
    assert is_erased(mate, PRODUCT, "aa")


REGIONS = """\
regions:
  eu-1: {store: stores/eu-1, zone: eu}
  eu-2: {store: stores/eu-2, zone: eu}
  us: {store: stores/us, zone: us}
"""


@pytest.fixture
def specs(tmp_path, monkeypatch):
    specs = Specs(tmp_path / "specs")
    allowed = CHURN.replace("[description,", "[region, residency, description,")
    specs.write("churn/product.yaml", allowed)
    specs.write("regions.yaml", REGIONS)
    specs.tenant("region: eu-1\n")
    specs.tenant("region: eu-2\n", "bolt")
    monkeypatch.setenv("TENANTRY_SPECS", str(specs.folder))
    return specs


def erase(*more):
    command = ["erase", "churn", "acme", "--why", "left", "--who", "ann", "--yes", *more]
    done = CliRunner().invoke(app, [*command, "--output", "json"])
    assert done.exit_code == 0, done.output + repr(done.exception)
    return json.loads(done.output)


def store(specs, region):
    return FolderStore(specs.folder / "stores" / region)


def erased_in(specs, tenant="acme"):
    regions = ("eu-1", "eu-2", "us")
    return [region for region in regions if is_erased(store(specs, region), "churn", tenant)]


def test_the_command_erases_in_every_store_of_the_zone_and_in_no_other(specs):
    told = erase("--even-active")
    assert list(told["elsewhere"]) == ["eu-2"]
    assert erased_in(specs) == ["eu-1", "eu-2"]
    erase("--lift")
    assert erased_in(specs) == []


def test_rows_are_erased_in_every_store_of_the_zone_and_nobody_seems_to_have_moved(specs):
    told = erase("--key", "visit=7")
    assert list(told["elsewhere"]) == ["eu-2"]
    suppressed = layout.suppressed("churn", "acme")
    held = [store(specs, region).find(suppressed) for region in ("eu-1", "eu-2", "us")]
    assert [bool(found) for found in held] == [True, True, False]
    request = PlanRequest("run-1", NOW, region="eu-2")
    assert list(make_plan(request, specs.load(), store(specs, "eu-2")).tenants) == ["bolt"]


def test_what_a_tenant_left_behind_is_erased_there_only(specs):
    store(specs, "us").put("tenants/churn/acme/features/x.parquet", b"")
    told = erase("--even-active", "--region", "us")
    assert told["elsewhere"] == {}
    assert erased_in(specs) == ["us"]


def test_a_strict_tenant_concerns_only_stores_that_pooled_it_before(specs):
    specs.write("connections.yaml", "connections:\n  lake: {url: lake, region: eu-1}\n")
    specs.tenant("region: eu-1\nresidency: {strict: true}\n")
    assert erase("--even-active")["elsewhere"] == {}
    assert erased_in(specs) == ["eu-1"]
