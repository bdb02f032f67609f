"""The pointer to pooled models answers for any past moment and survives races."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tenantry.errors import PreconditionError, StoreUnavailableError
from tenantry.models.pooled import PooledReign, enthrone, read_pooled
from tests.unit.memory_store import MemoryStore
from tests.unit.tiny_fleet import AS_OF


def reign(day, version="v", turn=0):
    return PooledReign(
        since=AS_OF + timedelta(days=day),
        version=version,
        digest="d" * 64,
        definition="e" * 64,
        turn=turn,
    )


def test_no_pointer_yet():
    assert read_pooled(MemoryStore(), "delay", "default") is None


def test_the_reign_of_a_past_moment_is_known_whatever_the_order_of_training():
    store = MemoryStore()
    for day in (31, 0):
        enthrone(store, "delay", "default", reign(day))
    pointer = read_pooled(store, "delay", "default")
    found = {day: pointer.at(AS_OF + timedelta(days=day)) for day in (-1, 0, 30, 31)}
    assert found == {-1: None, 0: reign(0), 30: reign(0), 31: reign(31)}


def test_the_later_turn_of_a_moment_reigns():
    store = MemoryStore()
    for turn, version in ((0, "z"), (1, "a")):
        enthrone(store, "delay", "default", reign(0, version, turn))
    assert read_pooled(store, "delay", "default").at(AS_OF).version == "a"


def test_the_same_reign_twice_changes_nothing():
    store = MemoryStore()
    first = enthrone(store, "delay", "default", reign(0))
    assert enthrone(store, "delay", "default", reign(0)) == first
    assert first.counter == 1


def test_concurrent_writers_all_end_up_in_it():
    store = MemoryStore()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda day: enthrone(store, "delay", "default", reign(day)), range(16)))
    pointer = read_pooled(store, "delay", "default")
    assert [(kept.since - AS_OF).days for kept in pointer.reigns] == list(range(16))
    assert pointer.counter == 16


class _AlwaysLate(MemoryStore):
    def put_if_absent(self, key, content):
        raise PreconditionError(key)


def test_losing_for_ever_is_said():
    with pytest.raises(StoreUnavailableError, match="in a row; run again"):
        enthrone(_AlwaysLate(), "delay", "default", reign(0))
