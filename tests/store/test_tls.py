"""A bucket behind TLS with an authority of one's own, whose server encrypts what it keeps."""

import base64
import gc
import os
import secrets
from dataclasses import replace

import pytest
from minio import Minio

from tenantry.errors import StoreError, StoreUnavailableError
from tenantry.isolation.grants import tenant_grant
from tenantry.settings import load_settings
from tenantry.store.contract import ObjectStore
from tenantry.store.minio import MinioStore
from tenantry.store.open import limited, open_store
from tenantry.store.probe import trust_store
from tenantry.store.s3_client import BucketAddress
from tenantry.store.s3_transport import Signer, Transport
from tenantry.store.s3_versions import make_pool
from tests.servers.certificates import make_certificates
from tests.servers.minio import cache_folder, install_minio, minio_running

KEY = "tenants/p/a/rows.parquet"


@pytest.fixture(scope="module")
def secure_server(tmp_path_factory):
    """A server with a certificate of our authority's, and a key to encrypt with."""
    folder = tmp_path_factory.mktemp("secure")
    (folder / "certificates").mkdir()
    ca_file = make_certificates(folder / "certificates")
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    env = {"MINIO_KMS_SECRET_KEY": f"tests:{key}"}
    binary = install_minio(cache_folder() / "bin")
    with minio_running(binary, folder, ca_file=ca_file, more=env) as server:
        yield server, ca_file


@pytest.fixture
def environ(secure_server):
    server, ca_file = secure_server
    client(server, ca_file).make_bucket(bucket := f"bucket-{secrets.token_hex(4)}")
    return {
        "TENANTRY_STORE": f"s3+https://{server.endpoint}/{bucket}/top",
        "TENANTRY_CA_FILE": str(ca_file),
        "AWS_ACCESS_KEY_ID": server.access_key,
        "AWS_SECRET_ACCESS_KEY": server.secret_key,
    }


def client(server, ca_file):
    pool = make_pool(5.0, str(ca_file))
    return Minio(server.endpoint, server.access_key, server.secret_key, http_client=pool)


def stat(secure_server, store, key):
    bucket = store.url.split("/")[3]
    return client(*secure_server).stat_object(bucket, f"top/{key}").metadata


@pytest.mark.parametrize(
    ("encryption", "header"), [("", None), ("s3", "AES256"), ("kms:tests", "aws:kms")]
)
def test_the_contract_holds_and_the_server_says_how_it_encrypts(
    secure_server, environ, encryption, header
):
    store = open_store(load_settings({**environ, "TENANTRY_ENCRYPTION": encryption}))
    assert trust_store(store)
    tag = store.put_if_absent(KEY, b"first")
    tag = store.put_if_match(KEY, b"second", tag)
    found = store.find(KEY)
    assert (store.get(KEY).content, found.tag) == (b"second", tag)
    assert stat(secure_server, store, KEY).get("x-amz-server-side-encryption") == header
    worker = limited(store, tenant_grant("p", "a"))
    worker.put(KEY, b"third")
    assert worker.get(KEY).content == b"third"
    assert stat(secure_server, store, KEY).get("x-amz-server-side-encryption") == header


def test_a_server_that_nobody_known_vouches_for_is_not_spoken_to(environ):
    environ = {name: value for name, value in environ.items() if name != "TENANTRY_CA_FILE"}
    store = quick(open_store(load_settings(environ)))
    with pytest.raises(StoreUnavailableError, match="no proper answer"):
        store.get(KEY)
    with pytest.raises(StoreError):
        limited(store, tenant_grant("p", "a"))


def test_the_systems_authorities_are_those_of_the_environment(environ, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", environ.pop("TENANTRY_CA_FILE"))
    store = quick(open_store(load_settings(environ)))
    store.put(KEY, b"x")
    assert store.get(KEY).content == b"x"


def test_a_fork_says_no_goodbye_on_its_parents_connection(secure_server):
    server, ca_file = secure_server
    signer = Signer("s3", "us-east-1", server.access_key, server.secret_key)
    transport = Transport(signer, read_timeout=5, ca_file=str(ca_file))
    url = f"https://{server.endpoint}/minio/health/live"
    transport.send("GET", url, ())
    if not (child := os.fork()):
        transport.__dict__.clear()
        del transport
        gc.collect()
        os._exit(0)
    os.waitpid(child, 0)
    assert not transport.send("GET", url, ()).may_be_second  # over the same connection


def quick(store: ObjectStore) -> MinioStore:
    """Return the store without repetitions."""
    assert isinstance(store, MinioStore)
    store._waits = ()
    return store


def test_a_key_that_the_server_does_not_have_is_an_error(environ):
    store = quick(open_store(load_settings({**environ, "TENANTRY_ENCRYPTION": "kms:no-such-key"})))
    with pytest.raises(StoreError):
        store.put(KEY, b"x")


def test_the_repr_of_an_address_tells_no_secret():
    address = BucketAddress("h", "b", "k3y", "s3cr3t", ca_file="/ca.pem", encryption="s3")
    assert "s3cr3t" not in repr(replace(address, session_token="t0k3n"))
