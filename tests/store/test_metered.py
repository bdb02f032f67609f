"""What a metered store counts."""

import pytest

from tenantry.errors import ObjectMissingError, PreconditionError
from tenantry.store.metered import MeteredStore


@pytest.fixture
def store(folder_store):
    return MeteredStore(folder_store)


def test_contents_are_counted(store):
    tag = store.put_if_absent("a/b", b"1")
    store.put_if_match("a/b", b"22", tag)
    store.put("a/c", b"333")
    assert (store.bytes_read, store.bytes_written) == (0, 6)
    store.get("a/b")
    store.get("a/c")
    store.get("a/c")
    assert (store.bytes_read, store.bytes_written) == (8, 6)


def test_what_was_refused_is_not_counted(store):
    store.put("a", b"1")
    with pytest.raises(PreconditionError):
        store.put_if_absent("a", b"22")
    with pytest.raises(PreconditionError):
        store.put_if_match("a", b"22", "0")
    with pytest.raises(ObjectMissingError):
        store.get("b")
    assert (store.bytes_read, store.bytes_written) == (0, 1)


def test_the_rest_is_passed_on(store, folder_store):
    store.put("a/b", b"1")
    assert store.url == folder_store.url
    assert store.find("a/b") == folder_store.find("a/b")
    assert [found.key for found in store.list("a")] == ["a/b"]
    assert list(store.list_folders("")) == ["a"]
    store.delete("a/b")
    assert store.find("a/b") is None
