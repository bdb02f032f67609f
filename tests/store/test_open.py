"""What `TENANTRY_STORE` may be, and what is said when it may not."""

import pytest

from tenantry.errors import SettingsError, SpecError
from tenantry.settings import load_settings
from tenantry.store.folder import FolderStore
from tenantry.store.minio import MinioStore
from tenantry.store.open import open_store
from tenantry.store.s3_client import BucketAddress

KEYS = {"AWS_ACCESS_KEY_ID": "who", "AWS_SECRET_ACCESS_KEY": "s3cr3t"}


def _open(store: str, **environ: str):
    return open_store(load_settings({"TENANTRY_STORE": store, **KEYS, **environ}))


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("file:///data/store", "file:///data/store"),
        ("file:///data/my%20store/", "file:///data/my%20store"),
        ("file:///data/../store", "file:///store"),
    ],
)
def test_a_folder(address, url):
    store = _open(address)
    assert isinstance(store, FolderStore)
    assert store.url == url


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("s3+http://host:9000/bucket", "s3+http://host:9000/bucket"),
        ("s3+https://host/bucket/", "s3+https://host/bucket"),
        ("s3+https://host/bucket/some/prefix/", "s3+https://host/bucket/some/prefix"),
        ("s3+http://[::1]:9000/bucket", "s3+http://[::1]:9000/bucket"),
    ],
)
def test_a_bucket(address, url):
    store = _open(address, AWS_SESSION_TOKEN="t0k3n", AWS_REGION="eu-central-1")
    assert isinstance(store, MinioStore)
    assert store.url == url
    assert "s3cr3t" not in repr(store)


def test_the_store_is_a_folder_unless_it_is_set(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert open_store(load_settings({})).url == f"file://{tmp_path}/demo/store"


FORMS = "write file:///folder, s3+https://host/bucket or s3+http://host:9000/bucket/prefix"
FAULTS = {
    "": ["has no scheme; " + FORMS],
    "/data/store": ["has no scheme; " + FORMS],
    "gs://bucket": ["'gs' is no kind of store; " + FORMS],
    "file://data/store": ["is not the address of a folder; write file:///folder, three '/'"],
    "file:data": ["is not the address of a folder; write file:///folder, three '/'"],
    "s3+http://host:port/bucket": [
        "is not an address: Port could not be cast to integer value as 'port'; " + FORMS
    ],
    "s3+https://host": ["'' is not the name of a bucket; " + FORMS],
    "s3+https:///Bucket": [
        "'Bucket' is not the name of a bucket; " + FORMS,
        "names no host; " + FORMS,
    ],
    "s3+https://host/bucket?x=1": ["has a query or a fragment; " + FORMS],
    "s3+https://host/bucket/a//b": [
        "has a prefix that no key can have: 'a//b' is not a key: "
        "parts of letters, digits, '.', '_', '=', '-' between '/'"
    ],
    "s3+https://host/bucket/" + "x" * 101: ["has a prefix of over 100 characters"],
    "s3+https://user:hidden@host/bucket": [
        "holds credentials; take them out; they are read from environment variables"
    ],
}  # fmt: skip


@pytest.mark.parametrize(("address", "faults"), FAULTS.items(), ids=FAULTS)
def test_an_address_that_cannot_be_used(address, faults):
    with pytest.raises(SettingsError) as caught:
        _open(address)
    assert str(caught.value).splitlines() == [f"TENANTRY_STORE: {fault}" for fault in faults]
    assert "hidden" not in str(caught.value)


def test_all_faults_are_told_at_once():
    with pytest.raises(SettingsError) as caught:
        open_store(load_settings({"TENANTRY_STORE": "s3+https://host"}))
    assert [str(fault) for fault in caught.value.faults] == [
        "AWS_ACCESS_KEY_ID: is not set; a bucket needs it",
        "AWS_SECRET_ACCESS_KEY: is not set; a bucket needs it",
        f"TENANTRY_STORE: '' is not the name of a bucket; {FORMS}",
    ]


def test_no_secret_is_shown():
    settings = load_settings({**KEYS, "AWS_SESSION_TOKEN": "t0k3n"})
    assert "s3cr3t" not in repr(settings)
    assert "t0k3n" not in repr(settings)


REGIONS = """\
regions:
  eu:
    store: s3+https://eu.example/models/fleet
    credentials: {access_key: EU_KEY, secret_key: EU_SECRET, session_token: EU_TOKEN}
    aws_region: eu-central-1
  us: {store: stores/us}
"""


def _open_region(specs, region, **environ):
    (specs / "regions.yaml").write_text(REGIONS)
    environ |= {"TENANTRY_SPECS": str(specs), "TENANTRY_STORE": "file:///not/used", **KEYS}
    return open_store(load_settings(environ), region)


def test_each_region_has_its_own_store_and_credentials(tmp_path):
    environ = {"EU_KEY": "europe", "EU_SECRET": "s3cr3t", "EU_TOKEN": "t0k3n"}
    found = _open_region(tmp_path, "eu", **environ)
    assert found.url == "s3+https://eu.example/models/fleet"
    assert found._address == BucketAddress(
        endpoint="eu.example",
        bucket="models",
        access_key="europe",
        secret_key="s3cr3t",
        session_token="t0k3n",
        prefix="fleet/",
        region="eu-central-1",
    )
    assert _open_region(tmp_path, "us").url == (tmp_path / "stores/us").as_uri()


def test_a_regions_variables_are_asked_for_by_name(tmp_path):
    with pytest.raises(SettingsError) as caught:
        _open_region(tmp_path, "eu", EU_SECRET="s3cr3t")
    assert str(caught.value).splitlines() == [
        "EU_KEY: is not set; a bucket needs it",
        "EU_TOKEN: is not set; a bucket needs it",
    ]


def test_no_store_is_opened_in_place_of_a_region(tmp_path):
    with pytest.raises(SettingsError, match="region: is not given, and regions.yaml lists eu, us"):
        _open_region(tmp_path, "")
    (tmp_path / "regions.yaml").write_text("regions: {eu: {}}")
    settings = load_settings({"TENANTRY_SPECS": str(tmp_path)})
    with pytest.raises(SpecError, match=r"regions.yaml: regions.eu.store: is missing"):
        open_store(settings)
    (tmp_path / "regions.yaml").unlink()
    with pytest.raises(SettingsError, match="there is no regions.yaml"):
        open_store(settings, "eu")
