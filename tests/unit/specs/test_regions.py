"""`regions.yaml`: what it may say, and what is said when it may not."""

import pytest

from tenantry.errors import SettingsError, SpecError
from tenantry.specs.regions import choose_region, load_regions
from tests.unit.specs.conftest import PRODUCT

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


def test_homes_are_checked_with_all_else(specs):
    specs.write("regions.yaml", f"regions:\n{EU}{US}")
    text = PRODUCT.replace("[description,", "[region, residency, description,")
    text = text.replace("title: Churn", "title: Churn\nregion: eu\nresidency: europe")
    specs.write("churn/product.yaml", text)
    specs.tenant("region: asia\n")
    specs.tenant("region: us\n", "bolt")
    specs.tenant("", "cello")
    assert specs.faults() == [
        "churn/acme.yaml: region: 'asia' is no region of regions.yaml; choose from eu, us",
        "churn/bolt.yaml: residency: 'europe' is not the zone of region us, which is 'america'; "
        "write a region of zone europe, or residency: america",
    ]
