"""The contract of `ObjectStore`, over each kind of store."""

import pickle
import secrets
from datetime import UTC, datetime, timedelta

import pytest

from tenantry.errors import ObjectMissingError, PreconditionError
from tenantry.store.probe import probe_store

CONTENTS = {
    "empty": b"",
    "text": "über {{$.}} <b>".encode(),
    "binary": bytes(range(256)) * 40,
    "large": secrets.token_bytes(6 * 1024 * 1024 + 7),
}
REFUSED = [
    "", "/", "a/", "/a", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a b", "a\\b", "a\nb",
    "a\0b",
    "ä", "a~", ".~/x.lock", "a%2fb", "a:b", "C:/a", "a*", "x" * 256, "/".join(["x" * 200] * 5),
]  # fmt: skip


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
@pytest.mark.parametrize("write", ["put", "put_if_absent"])
def test_what_was_written_is_read(any_store, write, content):
    tag = getattr(any_store, write)("a/b=1/c.bin", content)
    found = any_store.get("a/b=1/c.bin")
    assert (found.content, found.tag) == (content, tag)


def test_an_object_is_found_with_its_size_tag_and_time(any_store):
    tag = any_store.put("a/b.json", b"12345")
    found = any_store.find("a/b.json")
    assert (found.key, found.size, found.tag) == ("a/b.json", 5, tag)
    assert abs(found.modified - datetime.now(UTC)) < timedelta(minutes=1)
    assert found.modified.utcoffset() == timedelta(0)


@pytest.mark.parametrize("key", ["a", "a/b", "a/b/c/d", "a/b.jso", "other/x"])
def test_what_is_not_there_is_missing(any_store, key):
    any_store.put("a/b/c.json", b"x")
    assert any_store.find(key) is None
    with pytest.raises(ObjectMissingError, match="no such object"):
        any_store.get(key)


def test_put_replaces(any_store):
    first = any_store.put("a", b"one")
    second = any_store.put("a", b"two, longer")
    assert first != second
    assert any_store.get("a").content == b"two, longer"


def test_the_tag_follows_the_content(any_store):
    first = any_store.put("a", b"one")
    assert any_store.put("a", b"one") == first
    second = any_store.put_if_match("a", b"two", first)
    assert second != first
    assert any_store.put_if_match("a", b"one", second) == first


def test_put_if_absent_refuses_what_exists(any_store):
    any_store.put_if_absent("a/b", b"one")
    with pytest.raises(PreconditionError, match="exists already"):
        any_store.put_if_absent("a/b", b"two")
    assert any_store.get("a/b").content == b"one"
    any_store.delete("a/b")
    any_store.put_if_absent("a/b", b"three")
    assert any_store.get("a/b").content == b"three"


def test_put_if_match_needs_the_tag(any_store):
    first = any_store.put("a/b", b"one")
    second = any_store.put_if_match("a/b", b"two", first)
    for tag in (first, "", "*", "0" * 32):
        with pytest.raises(PreconditionError, match="changed"):
            any_store.put_if_match("a/b", b"three", tag)
    assert any_store.get("a/b").content == b"two"
    assert any_store.find("a/b").tag == second


def test_put_if_match_does_not_create(any_store):
    tag = any_store.put("a/b", b"one")
    any_store.delete("a/b")
    with pytest.raises(PreconditionError):
        any_store.put_if_match("a/b", b"two", tag)
    assert any_store.find("a/b") is None


def test_delete_removes_and_may_be_repeated(any_store):
    any_store.put("a/b/c", b"x")
    any_store.put("a/d", b"x")
    any_store.delete("a/b/c")
    any_store.delete("a/b/c")
    any_store.delete("never/there")
    assert [found.key for found in any_store.list("")] == ["a/d"]
    any_store.purge("a/b/")  # of a bucket that keeps versions
    assert list(any_store.list_folders("a/")) == []


KEYS = ["a-b/x", "a.b", "a/0", "a/b/c", "a/b/d.json", "a/b=1/c", "a0", "b", "zz/A", "zz/_", "zz/a"]


@pytest.mark.parametrize(
    "prefix",
    ["", "a", "a/", "a/b", "a/b/", "a/b/d", "a/b/d.json", "a/b/c/", "a0", "zz/", "none", "none/"],
)
def test_a_listing_is_of_a_prefix_and_sorted(any_store, prefix):
    for key in reversed(KEYS):
        any_store.put(key, key.encode())
    listed = list(any_store.list(prefix))
    assert [found.key for found in listed] == [key for key in KEYS if key.startswith(prefix)]
    for found in listed:
        content = any_store.get(found.key)
        assert (found.size, found.tag) == (len(content.content), content.tag)


@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        ("", ["a", "a-b", "zz"]),
        ("a/", ["b", "b=1"]),
        ("a/b/", []),
        ("zz/", []),
        ("none/", []),
        ("a/0/", []),
    ],
)
def test_folders_are_listed_by_name(any_store, prefix, names):
    for key in KEYS:
        any_store.put(key, b"")
    assert list(any_store.list_folders(prefix)) == names


@pytest.mark.parametrize("key", REFUSED)
def test_a_bad_key_is_refused_by_every_method(any_store, key):
    for call in (
        lambda: any_store.get(key),
        lambda: any_store.find(key),
        lambda: any_store.put(key, b""),
        lambda: any_store.put_if_absent(key, b""),
        lambda: any_store.put_if_match(key, b"", "0"),
        lambda: any_store.delete(key),
    ):
        with pytest.raises(ValueError, match="key"):
            call()
    assert list(any_store.list("")) == []


@pytest.mark.parametrize("prefix", ["/", "/a", "..", "a/../", "a//", "ä", "a b", ".~/"])
def test_a_bad_prefix_is_refused(any_store, prefix):
    with pytest.raises(ValueError, match="not a"):
        list(any_store.list(prefix))
    with pytest.raises(ValueError, match="not a"):
        list(any_store.list_folders(prefix))


def test_a_folder_ends_in_a_slash(any_store):
    with pytest.raises(ValueError, match="must end in '/'"):
        list(any_store.list_folders("a"))


def test_a_long_key_is_held(any_store):
    key = "/".join(["x" * 176] * 5)
    any_store.put(key, b"x")
    assert [found.key for found in any_store.list("")] == [key]


def test_more_objects_than_a_page_holds(any_store):
    keys = [f"many/{n % 7}/{n:04}" for n in range(1_250)]
    for key in keys:
        any_store.put(key, b"")
    assert [found.key for found in any_store.list("many/")] == sorted(keys)
    assert list(any_store.list_folders("many/")) == list("0123456")


def test_more_folders_than_a_page_holds(any_store):
    names = sorted(f"tenant-{n}" for n in range(1_050))
    for name in names:
        any_store.put(f"{name}/champion.json", b"")
    assert list(any_store.list_folders("")) == names


def test_a_store_can_be_pickled(any_store):
    any_store.put("a", b"x")
    copy = pickle.loads(pickle.dumps(any_store))
    assert copy.url == any_store.url
    assert copy.get("a").content == b"x"


def test_conditional_writes_are_honoured_and_the_check_leaves_nothing(any_store):
    probe_store(any_store)
    assert list(any_store.list("")) == []
