"""The change index: who polls it sees every change, and writers never undo each other."""

from datetime import timedelta

import pytest

from tenantry import layout
from tenantry.errors import ObjectMissingError, PreconditionError, StoreUnavailableError
from tenantry.serving.index import (
    bucket_of,
    read_changes,
    read_entries,
    remove_entries,
    write_entries,
)
from tests.unit.memory_store import MemoryStore
from tests.unit.serving.made_entries import START, entry

PRODUCT = "arrival-delay"


class RacingStore(MemoryStore):
    """Another writer comes between the reading and the writing, a number of times."""

    def __init__(self, others):
        super().__init__()
        self.others = list(others)

    def _race(self):
        if self.others:
            write_entries(self, PRODUCT, self.others.pop())

    def put_if_match(self, key, content, tag):
        self._race()
        return super().put_if_match(key, content, tag)

    def put_if_absent(self, key, content):
        self._race()
        return super().put_if_absent(key, content)


def test_a_poller_reads_only_the_buckets_that_changed():
    store = MemoryStore()
    tenants = [f"tenant-{number}" for number in range(100)]
    write_entries(store, PRODUCT, {name: entry() for name in tenants})
    first = read_changes(store, PRODUCT, {})
    assert {name for bucket in first.buckets.values() for name in bucket} == {*tenants}

    write_entries(store, PRODUCT, {"tenant-7": entry(2, day=1)})
    store.reads = store.listings = 0
    second = read_changes(store, PRODUCT, first.tags)
    assert (store.reads, store.listings) == (1, 1)
    assert second.buckets[bucket_of("tenant-7")]["tenant-7"].version == "v2"
    assert read_changes(store, PRODUCT, second.tags).buckets == {}


def test_ten_thousand_tenants_are_in_256_objects_at_most():
    buckets = {bucket_of(f"tenant-{number}") for number in range(10_000)}
    assert len(buckets) == 256
    assert bucket_of("ua") == "84"  # a release must not move tenants between buckets


def test_a_bucket_that_is_gone_is_told_as_empty():
    store = MemoryStore()
    write_entries(store, PRODUCT, {"ua": entry()})
    known = read_changes(store, PRODUCT, {}).tags
    store.delete(layout.serving_bucket(PRODUCT, bucket_of("ua")))
    changes = read_changes(store, PRODUCT, known)
    assert (changes.tags, changes.buckets) == ({}, {bucket_of("ua"): {}})


def test_a_damaged_bucket_leaves_what_was_known_and_is_looked_at_again(caplog):
    store = MemoryStore()
    write_entries(store, PRODUCT, {"ua": entry()})
    known = read_changes(store, PRODUCT, {}).tags
    key = layout.serving_bucket(PRODUCT, bucket_of("ua"))
    store.put(key, b"{not json")
    changes = read_changes(store, PRODUCT, known)
    assert (changes.tags, changes.buckets) == (known, {})
    assert key in caplog.text

    write_entries(store, PRODUCT, {"ua": entry(2)})
    assert read_entries(store, PRODUCT)["ua"].version == "v2"


def test_a_bucket_removed_between_listing_and_reading_is_no_error():
    class Forgetful(MemoryStore):
        def get(self, key):
            raise ObjectMissingError(key)

    store = Forgetful()
    store.put(layout.serving_bucket(PRODUCT, "00"), b"{}")
    assert read_changes(store, PRODUCT, {}).buckets == {}


def test_writing_what_is_there_already_writes_nothing():
    store = MemoryStore()
    write_entries(store, PRODUCT, {"ua": entry()})
    tags = read_changes(store, PRODUCT, {}).tags
    write_entries(store, PRODUCT, {"ua": entry()})
    assert read_changes(store, PRODUCT, tags).buckets == {}


@pytest.mark.parametrize("losses", [1, 5])
def test_a_lost_race_is_tried_again_and_loses_nothing(losses):
    neighbours = [name for name in map(str, range(5000)) if bucket_of(name) == bucket_of("ua")]
    store = RacingStore([{name: entry()} for name in neighbours[:losses]])
    write_entries(store, PRODUCT, {"ua": entry()})
    assert {*read_entries(store, PRODUCT)} == {"ua", *neighbours[:losses]}


def test_who_loses_for_ever_is_told():
    class Refusing(MemoryStore):
        def put_if_absent(self, key, content):
            raise PreconditionError(key)

    with pytest.raises(StoreUnavailableError, match="100 times"):
        write_entries(Refusing(), PRODUCT, {"ua": entry()})


def test_a_run_that_comes_late_does_not_undo_a_rollback():
    store = MemoryStore()
    write_entries(store, PRODUCT, {"ua": entry(6, day=3, version="old")})  # rolled back meanwhile
    write_entries(store, PRODUCT, {"ua": entry(5, day=4)})
    found = read_entries(store, PRODUCT)["ua"]
    assert (found.version, found.record) == ("old", "record-6-3")
    assert (found.online, found.as_of) == ("online-4", START + timedelta(days=4))


def test_an_erased_tenant_is_in_no_bucket():
    store = MemoryStore()
    write_entries(store, PRODUCT, {"ua": entry(), "vx": entry()})
    remove_entries(store, PRODUCT, ["ua", "never-there"])
    assert read_entries(store, PRODUCT).keys() == {"vx"}
    assert not any(b'"ua"' in one.content for one in store.objects.values())
