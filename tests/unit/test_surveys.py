import json
from datetime import UTC, datetime, timedelta

import pytest

from tenantry import layout
from tenantry.at_work import AtWork
from tenantry.events import read_event
from tenantry.index import MANY, read_index, read_records, rebuild, write_segment
from tenantry.ledger import Entry, Header, Ledger
from tenantry.openings import list_openings, open_shard
from tenantry.states import TenantRecord
from tenantry.surveys import find_differences, survey, tend
from tenantry.truth import read_state
from tests.unit.scheduled import DeadlineStore, later
from tests.unit.stored_tenant import PRODUCT, StoredTenant

OCTOBER = datetime(2013, 10, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def store():
    return DeadlineStore()


@pytest.fixture
def ua(store):
    tenant = StoredTenant(store)
    tenant.train(OCTOBER)
    return tenant


def open_by(store, run, *tenants):
    header = Header(run=run, product=PRODUCT, as_of=OCTOBER, shard="s")
    ledger = Ledger(header=header, entries=tuple(Entry(tenant=name) for name in tenants))
    open_shard(store, ledger)


def record(store, tenant="ua"):
    return survey(store, PRODUCT).record(tenant)


def test_without_an_index_folders_are_read_and_nothing_is_written(store, ua):
    before = dict(store.objects)
    assert record(store) == read_state(store, PRODUCT, "ua")
    assert survey(store, PRODUCT).stored == {"ua"}
    assert store.objects == before


def test_without_an_index_a_tenant_without_a_folder_costs_nothing(store, ua):
    store.reads = store.listings = 0
    found = survey(store, PRODUCT)
    before = store.reads, store.listings
    assert found.record("dl") == TenantRecord("dl")
    assert (store.reads, store.listings) == before


def test_with_an_index_no_folder_is_read(store, ua):
    for n in range(20):
        StoredTenant(store, f"t{n}").train(OCTOBER)
    rebuild(store, PRODUCT)
    store.reads = store.listings = 0
    found = survey(store, PRODUCT)
    assert all(found.record(name).attempts for name in found.stored)
    assert found.record("never-heard-of") == TenantRecord("never-heard-of")
    assert (store.reads, store.listings) == (2, 3)


def test_those_who_are_worked_on_are_read_from_their_folders(store, ua):
    rebuild(store, PRODUCT)
    ua.train(OCTOBER + DAY)
    assert len(record(store).attempts) == 1, "nobody said so"
    open_by(store, "run-1", "ua", "dl")
    assert len(record(store).attempts) == 2
    assert survey(store, PRODUCT).stored == {"ua", "dl"}


def test_erased_tenants_are_known_as_such_and_not_as_stored(store, ua):
    rebuild(store, PRODUCT)
    store.put(layout.tombstone(PRODUCT, "ua"), b"{}")
    assert record(store) == TenantRecord("ua", erased=True)
    assert survey(store, PRODUCT).stored == frozenset()


def test_tending_builds_a_missing_index(store, ua):
    tend(survey(store, PRODUCT))
    assert read_records(store, PRODUCT) == {"ua": read_state(store, PRODUCT, "ua")}


def test_tending_joins_many_segments(store, ua):
    rebuild(store, PRODUCT)
    for n in range(MANY - 2):
        write_segment(store, PRODUCT, [TenantRecord(f"t{n}", retired=frozenset((OCTOBER,)))])
    tend(survey(store, PRODUCT))
    assert len(read_index(store, PRODUCT).segments) == MANY - 1
    write_segment(store, PRODUCT, [TenantRecord("tx", retired=frozenset((OCTOBER,)))])
    tend(survey(store, PRODUCT))
    assert len(read_index(store, PRODUCT).segments) == 1
    assert len(read_records(store, PRODUCT)) == MANY


def test_what_a_dead_run_left_open_is_closed_after_a_day(store, ua):
    rebuild(store, PRODUCT)
    open_by(store, "dead", "ua")
    ua.train(OCTOBER + DAY)
    later(store, timedelta(hours=23))
    tend(survey(store, PRODUCT))
    assert [one.opening.run for one in list_openings(store, PRODUCT)] == ["dead"]
    later(store, timedelta(hours=2))
    tend(survey(store, PRODUCT))
    assert list_openings(store, PRODUCT) == ()
    assert len(record(store).attempts) == 2


def leave_by_this_version(store):
    mark = AtWork(product=PRODUCT, run="dead", shard="s", stage="train", tenants=("ua",))
    store.put(mark.key, mark.to_json())


def leave_by_an_earlier(store):
    marker = {"run": "dead", "stage": "train", "shard": "s"}
    store.put(layout.attempt(PRODUCT, "ua"), json.dumps(marker).encode())


@pytest.mark.parametrize("leave", [leave_by_this_version, leave_by_an_earlier])
def test_who_was_worked_on_when_its_shard_died_stays_suspect_after_it_is_closed(store, ua, leave):
    rebuild(store, PRODUCT)
    open_by(store, "dead", "ua", "dl")
    leave(store)
    assert record(store).as_of(OCTOBER).interrupted
    later(store, 2 * DAY)
    tend(survey(store, PRODUCT))
    assert list(store.list(layout.at_work_folder(PRODUCT))) == []
    assert store.find(layout.attempt(PRODUCT, "ua")) is None
    state = record(store).as_of(OCTOBER)
    assert state.interrupted
    assert [(one.stage, one.kind, one.run) for one in state.failures] == [
        ("train", "ShardDiedError", "dead")
    ]
    assert not record(store, "dl").as_of(OCTOBER).interrupted
    (key,) = [one for one in store.objects if "-failed-train-" in one]
    words = read_event(store, key).sentence
    assert words == "its shard died in train, which worked on it or on one close by"


def test_who_was_erased_since_its_shard_died_is_not_written_about(store, ua):
    rebuild(store, PRODUCT)
    open_by(store, "dead", "ua")
    leave_by_this_version(store)
    store.purge(layout.tenant_folder(PRODUCT, "ua"))
    store.put(layout.tombstone(PRODUCT, "ua"), b"{}")
    later(store, 2 * DAY)
    tend(survey(store, PRODUCT))
    assert list_openings(store, PRODUCT) == ()
    assert list(store.list(layout.tenant_folder(PRODUCT, "ua"))) == []


def test_a_marker_of_another_run_is_left_alone(store, ua):
    rebuild(store, PRODUCT)
    open_by(store, "dead", "ua")
    marker = {"run": "alive", "stage": "train", "shard": "s"}
    store.put(layout.attempt(PRODUCT, "ua"), json.dumps(marker).encode())
    later(store, 2 * DAY)
    tend(survey(store, PRODUCT))
    assert store.find(layout.attempt(PRODUCT, "ua"))
    assert not record(store).failures


def test_differences_are_named(store, ua):
    rebuild(store, PRODUCT)
    assert find_differences(survey(store, PRODUCT)) == {}
    ua.train(OCTOBER + DAY)
    StoredTenant(store, "dl").look(OCTOBER)
    write_segment(store, PRODUCT, [TenantRecord("gone", looked=frozenset((OCTOBER,)))])
    assert find_differences(survey(store, PRODUCT)) == {
        "dl": "is not in the index",
        "gone": "the index has other looked",
        "ua": "the index has other champion, attempts",
    }
    open_by(store, "run-1", "ua")
    assert find_differences(survey(store, PRODUCT)).keys() == {"dl", "gone"}
