from datetime import UTC, datetime

import pytest

from tenantry.erasure.tombstones import (
    Tombstone,
    erased_tenants,
    is_erased,
    read_tombstone,
    write_tombstone,
)
from tenantry.store.folder import FolderStore

WHEN = datetime(2026, 11, 24, tzinfo=UTC)


def stone(tenant="acme", why="contract ended"):
    return Tombstone(product="delay", tenant=tenant, when=WHEN, who="ann", why=why)


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path / "store")


def test_only_a_tenant_with_a_tombstone_is_erased(store):
    write_tombstone(store, stone("acme"))
    assert is_erased(store, "delay", "acme")
    assert not is_erased(store, "delay", "acm")
    assert not is_erased(store, "other", "acme")
    assert read_tombstone(store, "delay", "acme") == stone("acme")
    assert read_tombstone(store, "delay", "bolt") is None


def test_the_erased_tenants_are_those_with_a_tombstone(store):
    assert erased_tenants(store, "delay") == frozenset()
    for tenant in ("acme", "bolt"):
        write_tombstone(store, stone(tenant))
    assert erased_tenants(store, "delay") == {"acme", "bolt"}


def test_the_first_tombstone_stays(store):
    write_tombstone(store, stone(why="first"))
    assert write_tombstone(store, stone(why="second")).why == "first"
