"""A guarded store does what its grant allows and hands on nothing else."""

import pytest

from tenantry.errors import StoreDeniedError
from tenantry.isolation.grants import tenant_grant
from tenantry.store.folder import FolderStore
from tenantry.store.guarded import GuardedStore

OWN, OTHER = "tenants/p/a/x", "tenants/p/b/x"
EVENT = "tenants/p/a/events/e.json"
SHARED = "products/p/pooled/default/v1/card.json"


@pytest.fixture
def inner(tmp_path):
    store = FolderStore(tmp_path)
    for key in (OWN, OTHER, SHARED):
        store.put(key, b"x")
    return store


@pytest.fixture
def guarded(inner):
    return GuardedStore(inner, tenant_grant("p", "a"))


def test_inside_everything_is_done(guarded, inner):
    assert guarded.get(OWN) == inner.get(OWN)
    assert guarded.find(SHARED).size == 1
    tag = guarded.put(OWN, b"y")
    guarded.put_if_match(OWN, b"z", tag)
    guarded.put_if_absent("tenants/p/a/m/y", b"")
    guarded.put_if_absent(EVENT, b"e")
    assert [info.key for info in guarded.list("tenants/p/a/")] == [EVENT, "tenants/p/a/m/y", OWN]
    assert list(guarded.list_folders("tenants/p/a/")) == ["events", "m"]
    guarded.delete(OWN)
    assert guarded.purge("tenants/p/a/m/").keys == ("tenants/p/a/m/y",)
    assert (guarded.url, guarded.identify()) == (inner.url, inner.identify())


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.get(OTHER),
        lambda store: store.find(OTHER),
        lambda store: store.put(OTHER, b""),
        lambda store: store.put_if_absent("tenants/p/b/y", b""),
        lambda store: store.put_if_match(OTHER, b"", "0"),
        lambda store: store.list("tenants/p/"),
        lambda store: store.list("tenants/p/a"),
        lambda store: store.list(""),
        lambda store: store.list_folders("tenants/p/"),
        lambda store: store.list_folders(""),
        lambda store: store.delete(OTHER),
        lambda store: store.purge("tenants/p/b/"),
        lambda store: store.purge("tenants/p/a/"),
        lambda store: store.put(EVENT, b""),
        lambda store: store.delete(EVENT),
        lambda store: store.put(SHARED, b""),
        lambda store: store.put_if_absent("products/p/pooled/default/v2/card.json", b""),
    ],
)
def test_outside_nothing_is(guarded, inner, call):
    with pytest.raises(StoreDeniedError, match="may not be"):
        call(guarded)
    assert [info.key for info in inner.list("")] == [SHARED, OWN, OTHER]


def test_a_path_that_leads_out_is_no_key(guarded):
    for key in ("tenants/p/a/../b/x", "tenants/p/a//x", "/tenants/p/a/x"):
        with pytest.raises(ValueError, match="is not a key"):
            guarded.get(key)
