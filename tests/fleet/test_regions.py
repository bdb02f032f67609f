"""Nothing of a tenant crosses: two residency zones of two regions each, on two MinIO servers."""

import json
import re

import pytest

from tenantry import layout
from tenantry.models.card import read_pooled_card
from tenantry.models.pooled import read_pooled
from tests.fleet.harness import PRODUCT
from tests.fleet.regional import (
    HOMES,
    STRICT,
    ZONES,
    canary,
    names,
    regional_fleet,
    tenants_of,
    zone_of,
)
from tests.servers.minio import cache_folder, install_minio, minio_running

DATES = ("2013-10-01", "2013-11-01")
REGIONS = sorted(set(HOMES.values()))

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def fleet(tmp_path_factory, landing, small_flights):
    """The fleet after a run of each region at two dates, and one more at the last."""
    home, binary = tmp_path_factory.mktemp("regional"), install_minio(cache_folder() / "bin")
    with (
        minio_running(binary, tmp_path_factory.mktemp("europe"), "europe-key") as europe,
        minio_running(binary, tmp_path_factory.mktemp("america"), "america-key") as america,
        regional_fleet(
            home, landing, small_flights, {"europe": europe, "america": america}
        ) as made,
    ):
        for number, date in enumerate([*DATES, DATES[-1]]):
            made.run(date, number)
        yield made


@pytest.mark.parametrize("region", REGIONS)
def test_each_region_serves_its_own_tenants_and_comes_to_rest(fleet, region):
    first, second, third = fleet.runs[region]
    for run in (first, second):
        assert set(run.entries) == tenants_of(region)
        assert run.failures() == {}
        assert {ledger.header.region for ledger in run.ledgers.values()} == {region}
    assert all(entry.fact("promote", "champion") for entry in first.entries.values())
    assert all(entry.fact("predict", "windows") for entry in second.entries.values())
    assert third.shards == ["nothing_due"]


@pytest.mark.parametrize("region", REGIONS)
def test_no_object_of_a_tenant_is_in_another_regions_store(fleet, region):
    stored = {
        key.split("/")[2] for key in fleet.objects(region) if key.startswith(f"tenants/{PRODUCT}/")
    }
    assert stored == tenants_of(region)
    for tenant in stored:
        kinds = {key.split("/")[3] for key in fleet.objects(region) if f"/{tenant}/" in key}
        assert {"snapshots", "models", "predictions", "champion.json"} <= kinds
        assert fleet.store_of(tenant).url == fleet.store(region).url


@pytest.mark.parametrize("region", REGIONS)
def test_no_object_tells_of_a_tenant_of_another_zone(fleet, region):
    mates = tenants_of(*ZONES[zone_of(region)])
    foreign = HOMES.keys() - mates
    for key, content in fleet.objects(region).items():
        text = fleet.texts(region)[key]
        assert [tenant for tenant in foreign if canary(tenant) in text] == [], key
        assert names(key, content) & foreign == set(), key


@pytest.mark.parametrize("region", REGIONS)
def test_zone_mates_are_told_of_only_where_the_pool_is_made(fleet, region):
    mates = tenants_of(*ZONES[zone_of(region)]) - tenants_of(region)
    for key, content in fleet.objects(region).items():
        if not key.startswith(f"products/{PRODUCT}/pooled/"):
            text = fleet.texts(region)[key]
            assert [tenant for tenant in mates if canary(tenant) in text] == [], key
            if not key.endswith(("/specs/fleet.json", "/pooled.json")):
                assert names(key, content) & mates == set(), key


def test_the_search_finds_what_is_there(fleet):
    """Canaries of a tenant itself, in each kind of object that holds its rows."""
    found = {
        key.split("/")[3] + key[key.rindex(".") :]
        for key, text in fleet.texts("us-1").items()
        if key.startswith("tenants/") and canary("vx") in text
    }
    assert {"snapshots.parquet", "features.parquet", "monitoring.html"} <= found
    pooled = [
        text
        for key, text in fleet.texts("us-1").items()
        if key.startswith(f"products/{PRODUCT}/pooled/") and key.endswith("model.skops")
    ]
    assert pooled
    assert all(canary(mate) in text for mate in ("vx", "oo") for text in pooled)


@pytest.mark.parametrize("zone", ZONES)
def test_both_regions_of_a_zone_have_the_same_pooled_models_and_no_others(fleet, zone):
    one, other = (
        {
            key: content
            for key, content in fleet.objects(region).items()
            if key.startswith(f"products/{PRODUCT}/pooled/")
        }
        for region in ZONES[zone]
    )
    pointer = layout.pooled(PRODUCT, zone)
    assert {key.split("/")[3] for key in one} == {zone}
    assert one.keys() == other.keys()
    assert {k: v for k, v in one.items() if k != pointer} == {
        k: v for k, v in other.items() if k != pointer
    }
    mine, theirs = (
        [reign | {"run": ""} for reign in json.loads(pooled[pointer])["reigns"]]
        for pooled in (one, other)
    )
    assert mine == theirs


@pytest.mark.parametrize("region", REGIONS)
def test_only_tenants_of_the_zone_that_may_leave_their_region_train_its_pooled_model(fleet, region):
    zone = zone_of(region)
    store, mates = fleet.store(region), tenants_of(*ZONES[zone])
    for reign in read_pooled(store, PRODUCT, zone).reigns:
        card = read_pooled_card(store, PRODUCT, zone, reign.version)
        assert set(card.contributors) == set(card.fingerprints) == mates - {STRICT}
        assert card.strict == ((STRICT,) if STRICT in mates else ())
        assert card.failures == {}


@pytest.mark.parametrize("zone", ZONES)
def test_a_server_never_learns_anothers_credentials(fleet, zone):
    sent = fleet.proxies[zone].recorded
    assert sent
    used = {name: signers(proxy.recorded) for name, proxy in fleet.proxies.items()}
    assert fleet.servers[zone].access_key in used[zone]
    assert not set.intersection(*used.values()), "sessions of tenants are of one server, too"
    for name, server in fleet.servers.items():
        for request in sent:
            assert server.secret_key.encode() not in request
            assert name == zone or server.access_key.encode() not in request


def signers(requests):
    """Return the access keys that requests are signed with."""
    found = [re.search(rb"Credential=([^/]+)/", request) for request in requests]
    assert all(found)
    return {one[1].decode() for one in found}
