"""`regions.yaml`: what it may say, and what is said when it may not."""

import re
from pathlib import Path

import pytest

from tenantry.errors import SettingsError, SpecError
from tenantry.specs.regions import Credentials, Region, choose_region, load_regions
from tests.unit.specs.conftest import CONNECTIONS, PRODUCT

EU = """\
  eu:
    store: s3+https://eu.example/models
    zone: europe
    credentials: {access_key: EU_KEY, secret_key: EU_SECRET}
"""
US = """\
  us:
    store: s3+https://us.example/models
    zone: america
    credentials: {access_key: US_KEY, secret_key: US_SECRET}
"""


def load(tmp_path, text):
    (tmp_path / "regions.yaml").write_text(f"regions:\n{text}")
    return load_regions(tmp_path)


def faults(tmp_path, text):
    with pytest.raises(SpecError) as caught:
        load(tmp_path, text)
    return str(caught.value).splitlines()


def test_without_the_file_there_are_no_regions(tmp_path):
    assert load_regions(tmp_path) is None


def test_regions_have_stores_zones_and_names_of_variables(tmp_path):
    found = load(tmp_path, EU + US + "  here: {store: stores/here}\n")
    assert found.names == ("eu", "here", "us")
    assert found.in_zone("europe") == ("eu",)
    assert found.regions["eu"].credentials.names == {
        "access_key": "EU_KEY",
        "secret_key": "EU_SECRET",
    }
    assert found.regions["here"].store == (tmp_path / "stores/here").as_uri()
    assert found.regions["here"].zone == "default"


FAULTS = {
    "": ["regions: null is not a map"],
    "  EU: {store: stores/eu}": [
        "regions.EU: 'EU' is not a DNS label; use lower-case letters, digits and '-', at most 63"
    ],
    "  eu: {zone: Europe}": [
        "regions.eu.store: is missing",
        "regions.eu.zone: 'Europe' is not a DNS label; "
        "use lower-case letters, digits and '-', at most 63",
    ],
    "  eu: {store: s3+https://eu.example/bucket}": [
        "regions.eu.credentials: is missing, and a bucket needs it; "
        "write `{access_key: <NAME>, secret_key: <NAME>}`, names of variables"
    ],
    "  eu: {store: stores/eu, credentials: {access_key: A, secret_key: B}}": [
        "regions.eu.credentials: a folder has none; remove them"
    ],
    "  eu: {store: s3+https://eu.example/buck, credentials: {access_key: s3cr/t, secret_key: 9}}": [
        "regions.eu.credentials.access_key: is not the name of an environment variable; "
        "write its name, never its value",
        "regions.eu.credentials.secret_key: is not text; "
        "write the name of an environment variable",
    ],
    "  eu: {store: stores/eu, zones: x}": [
        "regions.eu.zones: there is no such field; did you mean zone?"
    ],
    "  eu: {store: s3+https://who:s3cr3t@eu.example/bucket, "
    "credentials: {access_key: A, secret_key: B}}": [
        "regions.eu.store: holds credentials; "
        "take them out; they are read from environment variables"
    ],
    "  eu: {store: 'gs://eu'}": [
        "regions.eu.store: 'gs' is no kind of store; write file:///folder, "
        "s3+https://host/bucket or s3+http://host:9000/bucket/prefix"
    ],
    "  eu: {store: stores/all}\n  us: {store: stores/all/us}": [
        "regions.us.store: lies in the store of eu; give each region a store of its own"
    ],
    EU + US.replace("us.example", "EU.example").replace("models", "models/us"): [
        "regions.us.store: lies in the store of eu; give each region a store of its own"
    ],
    EU.replace("models", "models/eu") + US.replace("us.example", "eu.example"): [
        "regions.us.store: holds that of eu; give each region a store of its own"
    ],
    EU + US.replace("US_SECRET", "EU_SECRET"): [
        "regions.us.credentials.secret_key: EU_SECRET is for the server of eu, too; "
        "name another variable: no server learns another's"
    ],
}  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), FAULTS.items())
def test_every_fault_is_told_at_once(tmp_path, text, wanted):
    found = faults(tmp_path, text)
    assert found == [f"regions.yaml: {fault}" for fault in wanted]
    assert "s3cr" not in str(found)


def test_two_buckets_of_one_server_may_share_credentials(tmp_path):
    other = EU.replace("  eu:", "  eu-2:").replace("models", "more")
    assert load(tmp_path, EU + other).names == ("eu", "eu-2")


@pytest.mark.parametrize(
    ("text", "asked", "chosen"), [(EU, "", "eu"), (EU, "eu", "eu"), (EU + US, "us", "us")]
)
def test_the_only_region_need_not_be_named(tmp_path, text, asked, chosen):
    assert choose_region(load(tmp_path, text), asked) == chosen


@pytest.mark.parametrize(
    ("text", "asked", "told"),
    [
        (
            EU + US,
            "",
            "is not given, and regions.yaml lists eu, us; name the one that is meant",
        ),
        (EU, "asia", "'asia' is no region of regions.yaml; choose from eu"),
        (EU + US, "uss", "'uss' is no region of regions.yaml; did you mean us?"),
        (None, "eu", "'eu' is given, but there is no regions.yaml beside the products; "
                     "write it, or name no region"),
    ],
)  # fmt: skip
def test_a_region_that_cannot_be_chosen(tmp_path, text, asked, told):
    regions = load(tmp_path, text) if text else None
    with pytest.raises(SettingsError) as caught:
        choose_region(regions, asked)
    assert str(caught.value) == f"region: {told}"


@pytest.fixture
def homes(specs):
    """A product at home in eu whose tenants may live elsewhere."""
    specs.write("regions.yaml", f"regions:\n{EU}{US}")
    text = PRODUCT.replace("[description,", "[region, residency, description,")
    specs.write("churn/product.yaml", text.replace("title: Churn", "title: Churn\nregion: eu"))
    return specs


def test_tenants_are_in_the_zone_of_their_region(homes):
    homes.tenant("region: us\n", "bolt")
    homes.tenant("residency: {zone: europe, strict: false}\n", "cello")
    zones = {name: spec.residency.zone for name, spec in homes.load().specs.items()}
    assert zones == {"acme": "europe", "bolt": "america", "cello": "europe"}


def test_homes_are_checked_with_all_else(homes):
    homes.tenant("region: asia\ngate: {min_rows: -5}\n")
    homes.tenant("region: us\nresidency: {zone: europe}\n", "bolt")
    homes.tenant("region: asia\n", "cello")
    homes.write("connections.yaml", "connections:\n  lake: {url: lake, region: ue}\n")
    assert homes.faults() == [
        "churn/acme.yaml: gate.min_rows: -5 is not ≥ 1",
        "connections.yaml: connections.lake.region: 'ue' is no region of regions.yaml; "
        "choose from eu, us",
    ]
    homes.tenant("")
    homes.write("connections.yaml", CONNECTIONS)
    assert homes.faults() == [
        "churn/bolt.yaml: residency.zone: 'europe' is not the zone of region us, which is "
        "'america'; write a region of zone europe, or residency: {zone: america}",
        "churn/cello.yaml: region: 'asia' is no region of regions.yaml; choose from eu, us",
    ]


def test_what_the_product_says_is_told_once(homes):
    homes.write("churn/product.yaml", PRODUCT)
    homes.tenant("", "bolt")
    assert homes.faults() == [
        "churn/product.yaml: region: 'default' is no region of regions.yaml; choose from eu, us"
    ]


@pytest.mark.parametrize(
    ("lake", "told"),
    [
        ("region: eu", []),
        (
            "region: us",
            ["source visits (connection lake) lies in region us, not in eu; "
             "read it from a copy in eu, or leave strict out"],
        ),
        (
            "secret: PW",
            ["nobody says where source visits (connection lake) lies; "
             "write `region: eu` for it in connections.yaml if it lies there"],
        ),
    ],
)  # fmt: skip
def test_strict_tenants_read_nothing_of_other_regions(homes, lake, told):
    homes.write("connections.yaml", f"connections:\n  lake: {{url: lake, {lake}}}\n")
    homes.tenant("residency: {strict: true}\n")
    homes.tenant("", "bolt")
    if told:
        assert homes.faults() == [f"churn/acme.yaml: residency.strict: {fault}" for fault in told]
    else:
        assert homes.load().specs["acme"].residency.strict


def test_nobody_is_strict_where_nobody_says_what_lies_where(homes):
    (homes.folder / "regions.yaml").unlink()
    homes.tenant("residency: {strict: true}\n")
    assert homes.faults() == [
        "churn/acme.yaml: residency.strict: there is no regions.yaml, so nobody says what lies "
        "where; write it, or leave strict out"
    ]


def test_without_regions_zones_are_free(homes):
    (homes.folder / "regions.yaml").unlink()
    homes.tenant("residency: {zone: mars}\n")
    assert homes.load().specs["acme"].residency.zone == "mars"


def test_faulty_regions_are_told_beside_all_else(homes):
    homes.write("regions.yaml", "regions: {eu: {}}")
    homes.tenant("gate: {min_rows: -5}\nresidency: {strict: true}\n")
    assert homes.faults() == [
        "churn/acme.yaml: gate.min_rows: -5 is not ≥ 1",
        "regions.yaml: regions.eu.store: is missing",
    ]


def test_a_region_sees_its_own_tenants_and_knows_its_zone_mates(homes):
    homes.write("regions.yaml", f"regions:\n{EU}{US}  eu-2: {{store: stores/2, zone: europe}}\n")
    homes.tenant("region: us\n", "bolt")
    homes.tenant("region: eu-2\n", "cello")
    fleet = homes.load()
    seen = fleet.serving("eu")
    assert list(seen.specs) == ["acme"]
    assert sorted(seen.elsewhere) == ["bolt", "cello"]
    assert [spec.tenant for spec in seen.zone_mates()] == ["acme", "cello"]
    assert seen.serving("us").serving("eu") == seen
    with pytest.raises(SettingsError, match="region: is not given"):
        fleet.serving("")


def test_each_region_has_connections_of_its_own(homes):
    text = PRODUCT.replace("[description,", "[region, residency, description,")
    text = text.replace("connection: lake", "connection: 'lake-{region}'")
    homes.write("churn/product.yaml", text.replace("title: Churn", "title: Churn\nregion: eu"))
    homes.tenant("residency: {strict: true}\n")
    homes.tenant("region: us\n", "bolt")
    homes.write("connections.yaml", "connections:\n  lake-eu: {url: lake, region: eu}\n")
    assert homes.faults() == [
        "churn/product.yaml: sources.rows[0].connection: there is no connection 'lake-us' in "
        "connections.yaml; did you mean lake-eu?"
    ]
    more = "  lake-us: {url: lake, region: us}\n"
    homes.write("connections.yaml", "connections:\n  lake-eu: {url: lake, region: eu}\n" + more)
    found = {name: spec.sources.rows[0].connection for name, spec in homes.load().specs.items()}
    assert found == {"acme": "lake-eu", "bolt": "lake-us"}


DOCS = Path("docs/regions.md").read_text()


def test_the_page_shows_a_sound_file(tmp_path):
    (example,) = re.findall(r"```yaml\n# tenant_specs/regions.yaml.*?\n(.*?)```", DOCS, re.DOTALL)
    (tmp_path / "regions.yaml").write_text(example)
    assert load_regions(tmp_path).in_zone("eu") == ("eu-north", "eu-west")


def test_the_page_tells_every_field():
    told = set(re.findall(r"^\| `([a-z_.]+)`", DOCS.split("```yaml")[1], re.MULTILINE))
    credentials = {f"credentials.{name}" for name in Credentials.model_fields}
    assert told == set(Region.model_fields) - {"credentials"} | credentials
