"""What a remembering store asks the other for."""

import pytest

from tenantry import layout
from tenantry.errors import ObjectMissingError
from tenantry.store.metered import MeteredStore
from tenantry.store.remembering import RememberingStore

MODEL = f"{layout.model_folder('arrival-delay', 'ua', 'v1')}card.json"
POINTER = layout.champion("arrival-delay", "ua")


@pytest.fixture
def inner(folder_store):
    return MeteredStore(folder_store)


@pytest.fixture
def store(inner):
    return RememberingStore(inner)


@pytest.mark.parametrize(
    ("key", "immutable"),
    [
        (MODEL, True),
        (layout.chunk("p", "t", "0" * 64), True),
        (layout.features("p", "t", "0" * 64), True),
        (f"{layout.pooled_folder('p', 'eu', 'v1')}card.json", True),
        (layout.pooled("p", "eu"), False),
        (POINTER, False),
        (layout.attempt("p", "models"), False),
        (layout.event("p", "models", "features"), False),
    ],
)
def test_what_a_digest_or_version_names_is_immutable(key, immutable):
    assert layout.is_immutable(key) is immutable


@pytest.mark.parametrize("write", ["put", "put_if_absent"])
def test_what_was_written_is_not_asked_for(store, inner, write):
    tag = getattr(store, write)(MODEL, b"12345")
    found = store.get(MODEL)
    assert (found.content, found.tag, inner.bytes_read) == (b"12345", tag, 0)


def test_what_was_read_is_asked_for_once(store, inner):
    inner.put(MODEL, b"12345")
    assert store.get(MODEL) == store.get(MODEL) == inner.inner.get(MODEL)
    assert inner.bytes_read == 5


def test_pointers_are_read_each_time(store, inner):
    tag = store.put_if_absent(POINTER, b"1")
    inner.put_if_match(POINTER, b"2", tag)
    assert store.get(POINTER).content == b"2"


def test_large_objects_are_read_each_time(store, inner):
    store.put(MODEL, bytes((1 << 20) + 1))
    store.get(MODEL)
    assert inner.bytes_read > 1 << 20


def test_all_together_stay_within_a_bound(store, inner):
    keys = [f"{MODEL}.{number}" for number in range(9)]
    for key in keys:
        store.put(key, bytes(1 << 20))
        store.put(key, bytes(1 << 20))
    for key in keys:
        store.get(key)
    assert inner.bytes_read == 1 << 20


@pytest.mark.parametrize("remove", ["delete", "purge"])
def test_what_was_removed_is_missing(store, remove):
    store.put(MODEL, b"1")
    getattr(store, remove)(MODEL)
    with pytest.raises(ObjectMissingError):
        store.get(MODEL)


def test_the_rest_is_passed_on(store, folder_store):
    store.put(MODEL, b"1")
    assert (store.url, store.identify()) == (folder_store.url, folder_store.identify())
    assert store.find(MODEL) == folder_store.find(MODEL)
    assert [one.key for one in store.list("tenants/")] == [MODEL]
    assert list(store.list_folders("")) == ["tenants"]
