"""Many writers at once: one wins, nobody's update is lost, nobody sees half an object."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tenantry.errors import ObjectMissingError, PreconditionError
from tests.store.racing import count_up, create, race_processes, race_threads

ROUNDS = 20
LETTERS = [bytes([letter]) * 200_000 for letter in b"abcdefgh"]


def test_one_of_16_threads_creates(any_store):
    for n in range(ROUNDS):
        won = race_threads(create, any_store, f"race/{n}", 16)
        assert won.count(True) == 1
        assert any_store.get(f"race/{n}").content == b"by %d" % won.index(True)


def test_one_of_6_processes_creates_and_nobodys_update_is_lost(any_store):
    any_store.put("count", b"")
    tasks = [(create, f"race/{n}") for n in range(ROUNDS)] + [(count_up, "count")] * 3
    said = race_processes(any_store, tasks, 6)
    assert [won.count(True) for won in said] == [1] * ROUNDS + [6] * 3
    lines = any_store.get("count").content.split()
    assert sorted(lines) == sorted([b"%d" % n for n in range(6)] * 3)


def test_one_of_16_threads_replaces(any_store):
    for n in range(ROUNDS):
        tag = any_store.put("race", b"%d" % n)

        def replace(store, key, racer, tag=tag, n=n):
            return _is_won(lambda: store.put_if_match(key, b"%d by %d" % (n, racer), tag))

        won = race_threads(replace, any_store, "race", 16)
        assert won.count(True) == 1
        assert any_store.get("race").content == b"%d by %d" % (n, won.index(True))


def test_create_and_delete_leave_a_whole_object_or_none(any_store):
    def act(store, key, racer):
        if racer % 2:
            store.delete(key)
            return False
        return create(store, key, racer)

    for _ in range(ROUNDS):
        won = race_threads(act, any_store, "deep/race/x", 8)
        assert any(won)
        any_store.delete("deep/race/x")
    assert list(any_store.list("")) == []


def test_a_reader_never_sees_half_an_object(any_store):
    done = threading.Event()

    def write(content):
        for _ in range(10):
            any_store.put("x/part", content)

    def read():
        seen = set()
        while not done.is_set():
            try:
                seen.add(any_store.get("x/part").content)
            except ObjectMissingError:
                continue
            assert [found.size for found in any_store.list("x/")] == [200_000]
        return seen

    with ThreadPoolExecutor(6) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        list(pool.map(write, LETTERS))
        done.set()
        assert set().union(*(reader.result() for reader in readers)) <= set(LETTERS)


def _is_won(write):
    try:
        write()
    except PreconditionError:
        return False
    return True


@pytest.mark.parametrize("kind", ["folder", "minio"])
def test_put_and_replace_do_not_lose_each_other(request, kind):
    """When a put falls between, the replacement has to notice it or to come first.

    A bucket with versions orders them by when they began: the contract promises nothing there.
    """
    any_store = request.getfixturevalue(f"{kind}_store")
    for n in range(ROUNDS):
        tag = any_store.put("race", b"start %d" % n)

        def act(store, key, racer, tag=tag):
            if racer:
                return _is_won(lambda: store.put_if_match(key, b"replaced", tag))
            store.put(key, b"put")
            return True

        race_threads(act, any_store, "race", 3)
        assert any_store.get("race").content == b"put"
