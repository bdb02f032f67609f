"""The fixtures of every test folder; `tests/conftest.py` names this module as a plugin."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from minio import Minio, MinioAdmin
from minio.commonconfig import ENABLED
from minio.credentials.providers import StaticProvider
from minio.versioningconfig import VersioningConfig
from playwright.sync_api import Browser

from tenantry.isolation.policies import run_policy
from tenantry.store.contract import ObjectStore
from tenantry.store.folder import FolderStore
from tenantry.store.minio import MinioStore
from tenantry.store.s3_client import BucketAddress
from tests.servers.chromium import chromium_running
from tests.servers.minio import MinioServer, cache_folder, install_minio, minio_running
from tests.servers.postgres import postgres_running
from tests.servers.proxy import FaultProxy
from tests.servers.scripted import ScriptedServer


@pytest.fixture(scope="session")
def minio_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MinioServer]:
    """A MinIO server for the whole session."""
    binary = install_minio(cache_folder() / "bin")
    with minio_running(binary, tmp_path_factory.mktemp("minio")) as server:
        yield server


@pytest.fixture
def minio_address(minio_server: MinioServer) -> BucketAddress:
    """The address of a new bucket."""
    bucket = f"bucket-{secrets.token_hex(6)}"
    Minio(
        minio_server.endpoint, minio_server.access_key, minio_server.secret_key, secure=False
    ).make_bucket(bucket)
    return BucketAddress(
        endpoint=minio_server.endpoint,
        bucket=bucket,
        access_key=minio_server.access_key,
        secret_key=minio_server.secret_key,
        prefix="some/prefix/",
        secure=False,
    )


@pytest.fixture
def run_address(minio_server: MinioServer, minio_address: BucketAddress) -> BucketAddress:
    """The address of a new bucket, for a user with the policy of runs and no other."""
    policy = run_policy(minio_address.bucket, minio_address.prefix)
    return as_user(minio_server, minio_address, policy)


def as_user(server: MinioServer, address: BucketAddress, policy: str) -> BucketAddress:
    """Return a bucket's address for a new user who has a policy and no other."""
    secret, name = secrets.token_hex(16), f"user-{secrets.token_hex(6)}"
    admin = MinioAdmin(
        endpoint=server.endpoint,
        credentials=StaticProvider(server.access_key, server.secret_key),
        secure=False,
    )
    admin.policy_add(policy_name=name, policy=json.loads(policy))
    admin.user_add(access_key=name, secret_key=secret)
    admin.attach_policy(policies=[name], user=name)
    return replace(address, access_key=name, secret_key=secret)


@pytest.fixture
def minio_store(minio_address: BucketAddress) -> MinioStore:
    """A store in a new bucket, below a prefix."""
    return MinioStore(minio_address, waits=(0.01, 0.01, 0.01))


@pytest.fixture
def versioned_store(minio_address: BucketAddress, minio_server: MinioServer) -> MinioStore:
    """A store in a new bucket that keeps versions, below a prefix."""
    Minio(
        minio_server.endpoint, minio_server.access_key, minio_server.secret_key, secure=False
    ).set_bucket_versioning(minio_address.bucket, VersioningConfig(ENABLED))
    return MinioStore(minio_address, waits=(0.01, 0.01, 0.01))


@pytest.fixture
def folder_store(tmp_path: Path) -> FolderStore:
    """A store in a folder that does not exist yet."""
    return FolderStore(tmp_path / "store")


@pytest.fixture(params=["folder", "minio", "versioned"])
def any_store(request: pytest.FixtureRequest) -> ObjectStore:
    """Each kind of store in turn, empty; a bucket that keeps versions, too."""
    store: ObjectStore = request.getfixturevalue(f"{request.param}_store")
    return store


@pytest.fixture
def fault_proxy(minio_server: MinioServer) -> Iterator[FaultProxy]:
    """A proxy before the MinIO server that fails on demand."""
    with FaultProxy.running(minio_server.endpoint) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The SQLAlchemy URL of a PostgreSQL server for the whole session."""
    with postgres_running() as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless browser. One a module: Playwright's event loop would be in others' way."""
    with chromium_running() as running:
        yield running


@pytest.fixture
def scripted_server() -> Iterator[ScriptedServer]:
    """A server that answers what the test says."""
    server = ScriptedServer()
    yield server
    server.close()
