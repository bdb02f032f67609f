"""Every verb finds a tenant's own store, and never another one."""

import pytest

from tenantry.errors import SettingsError, SpecError
from tenantry.regions import home_of, store_of, store_of_key, zone_stores
from tenantry.settings import load_settings
from tests.unit.specs.conftest import PRODUCT, Specs

REGIONS = """\
regions:
  eu-1: {store: stores/eu-1, zone: eu}
  eu-2: {store: stores/eu-2, zone: eu}
  us: {store: stores/us, zone: us}
"""


@pytest.fixture
def specs(tmp_path):
    """Two tenants: acme at home in eu-1, bolt in us."""
    specs = Specs(tmp_path / "specs")
    allowed = PRODUCT.replace("[description,", "[region, residency, description,")
    specs.write("churn/product.yaml", allowed)
    specs.tenant("region: eu-1\nresidency: {zone: eu}\n")
    specs.tenant("region: us\nresidency: {zone: us}\n", "bolt")
    specs.write("regions.yaml", REGIONS)
    return specs


@pytest.fixture
def settings(specs):
    store = (specs.folder / "one").as_uri()
    return load_settings({"TENANTRY_SPECS": str(specs.folder), "TENANTRY_STORE": store})


def url(specs, region):
    return (specs.folder / "stores" / region).as_uri()


@pytest.mark.parametrize(
    ("tenant", "named", "region"),
    [("acme", "", "eu-1"), ("bolt", "", "us"), ("acme", "eu-2", "eu-2")],
)
def test_a_tenant_is_where_its_spec_says_unless_a_region_is_named(
    specs, settings, tenant, named, region
):
    assert home_of(settings, "churn", tenant, named) == region
    assert store_of(settings, "churn", tenant, named).url == url(specs, region)


def test_a_tenant_without_a_spec_is_where_a_store_holds_it(specs, settings):
    store_of(settings, "churn", "gone", "eu-2").put("tenants/churn/gone/champion.json", b"{}")
    assert store_of(settings, "churn", "gone").url == url(specs, "eu-2")
    store_of(settings, "churn", "gone", "us").put("tenants/churn/gone/champion.json", b"{}")
    with pytest.raises(SettingsError, match="gone: has no spec, and the stores of eu-2, us hold"):
        store_of(settings, "churn", "gone")


def test_a_tenant_that_nobody_knows_is_a_fault(settings):
    with pytest.raises(SpecError, match="acne: churn has no such tenant.*did you mean acme"):
        store_of(settings, "churn", "acne")


def test_without_regions_there_is_one_store_and_no_spec_is_read(specs, settings):
    (specs.folder / "regions.yaml").unlink()
    specs.write("churn/acme.yaml", "nonsense")
    assert home_of(settings, "churn", "acme") == ""
    assert store_of(settings, "churn", "acme").url == settings.store
    assert [store.url for store in zone_stores(settings).values()] == [settings.store]


def test_one_region_is_found_without_reading_specs(specs, settings):
    specs.write("regions.yaml", "regions: {eu-1: {store: stores/eu-1}}")
    specs.write("churn/acme.yaml", "nonsense")
    assert store_of(settings, "churn", "acme").url == url(specs, "eu-1")


def test_the_stores_of_a_zone_are_those_of_its_regions(specs, settings):
    assert {name: store.url for name, store in zone_stores(settings, "eu-2").items()} == {
        "eu-1": url(specs, "eu-1"),
        "eu-2": url(specs, "eu-2"),
    }


@pytest.mark.parametrize(
    ("key", "named", "region"),
    [
        ("tenants/churn/acme/champion.json", "", "eu-1"),
        ("tenants/churn/bolt/champion.json", "", "us"),
        ("tenants/churn/bolt/champion.json", "eu-1", "eu-1"),
        ("products/churn/pooled/eu/pooled.json", "eu-2", "eu-2"),
        ("{stores}/eu-2/products/churn/pooled/eu/pooled.json", "", "eu-2"),
    ],
)
def test_a_key_tells_its_store_where_it_can(specs, settings, key, named, region):
    key = key.format(stores=(specs.folder / "stores").as_uri())
    assert store_of_key(settings, key, named).url == url(specs, region)


def test_a_key_that_does_not_tell_needs_a_region(settings):
    with pytest.raises(SettingsError, match="region: is not given"):
        store_of_key(settings, "products/churn/pooled/eu/pooled.json")
