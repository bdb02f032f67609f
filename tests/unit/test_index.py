from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tenantry import layout
from tenantry.facts import Measured
from tenantry.index import compact, forget, read_index, read_records, rebuild, write_segment
from tenantry.states import TenantRecord
from tenantry.truth import read_state
from tests.unit.memory_store import MemoryStore
from tests.unit.stored_tenant import PRODUCT, StoredTenant

OCTOBER = datetime(2013, 10, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def store():
    return MemoryStore()


def looked(tenant, *days):
    return TenantRecord(tenant, looked=frozenset(OCTOBER + day * DAY for day in days))


def segments(store):
    return [info.key for info in store.list(layout.segments_folder(PRODUCT))]


def test_there_is_no_index_before_it_was_built_whatever_segments_there_are(store):
    write_segment(store, PRODUCT, [looked("ua", 1)])
    assert read_index(store, PRODUCT) is None
    assert read_records(store, PRODUCT) == {}


def test_an_index_of_another_form_is_none(store):
    rebuild(store, PRODUCT)
    store.put(layout.index(PRODUCT), b'{"form":0}')
    assert read_index(store, PRODUCT) is None


def test_the_index_is_the_join_of_its_segments(store):
    rebuild(store, PRODUCT)
    write_segment(store, PRODUCT, [looked("ua", 1), looked("dl", 1)])
    write_segment(store, PRODUCT, [looked("ua", 2)])
    assert read_records(store, PRODUCT) == {"dl": looked("dl", 1), "ua": looked("ua", 1, 2)}


def test_a_segment_of_nothing_is_not_written(store):
    assert write_segment(store, PRODUCT, []) == ""
    assert segments(store) == []


def test_joined_segments_hold_the_same_and_are_fewer(store):
    rebuild(store, PRODUCT)
    for day in range(5):
        write_segment(store, PRODUCT, [looked("ua", day), looked(f"t{day}", day)])
    before = read_records(store, PRODUCT)
    compact(store, read_index(store, PRODUCT))
    assert read_records(store, PRODUCT) == before
    assert len(segments(store)) == 1
    compact(store, read_index(store, PRODUCT))
    assert len(segments(store)) == 1


def test_joining_an_empty_index_writes_nothing(store):
    rebuild(store, PRODUCT)
    compact(store, read_index(store, PRODUCT))
    assert segments(store) == []


def test_what_a_stale_joiner_removes_is_in_what_it_wrote(store):
    rebuild(store, PRODUCT)
    write_segment(store, PRODUCT, [looked("ua", 1)])
    stale = read_index(store, PRODUCT)
    write_segment(store, PRODUCT, [looked("ua", 2)])
    compact(store, read_index(store, PRODUCT))
    compact(store, stale)
    assert read_records(store, PRODUCT) == {"ua": looked("ua", 1, 2)}


def test_building_anew_takes_the_truth_and_keeps_the_costs(store):
    StoredTenant(store, "ua").train(OCTOBER)
    StoredTenant(store, "dl").look(OCTOBER)
    rebuild(store, PRODUCT)
    costs = {"train": Measured(OCTOBER, 1.5)}
    write_segment(store, PRODUCT, [replace(TenantRecord("ua"), costs=costs), looked("gone", 1)])
    records = rebuild(store, PRODUCT)
    truth = {name: read_state(store, PRODUCT, name) for name in ("dl", "ua")}
    assert [record.tenant for record in records] == ["dl", "ua"]
    assert read_records(store, PRODUCT) == truth | {"ua": replace(truth["ua"], costs=costs)}
    assert len(segments(store)) == 1


def test_a_segment_that_is_not_what_was_written_is_never_read_as_the_truth(store, caplog):
    rebuild(store, PRODUCT)
    key = write_segment(store, PRODUCT, [looked("ua", 1)])
    store.put(key, store.get(key).content.replace(b"ua", b"dl"))
    assert read_index(store, PRODUCT) is None
    assert "is not what was written" in caplog.text
    rebuild(store, PRODUCT)
    assert read_records(store, PRODUCT) == {}


def test_many_tenants_are_read_several_at_once(store):
    names = [f"t{n:02d}" for n in range(30)]
    for name in names:
        StoredTenant(store, name).look(OCTOBER)
    assert [record.tenant for record in rebuild(store, PRODUCT)] == names


def test_a_forgotten_tenant_is_in_no_segment_and_the_others_stay(store):
    for tenant in ("b6", "ua"):
        StoredTenant(store, tenant).train(datetime(2013, 10, 1, tzinfo=UTC))
    rebuild(store, PRODUCT)
    write_segment(store, PRODUCT, [looked("ua", 3)])
    before = read_records(store, PRODUCT)
    forget(store, PRODUCT, "ua")
    assert read_records(store, PRODUCT) == {"b6": before["b6"]}
    assert not [key for key in segments(store) if b"ua" in store.get(key).content]


def test_forgetting_who_is_not_there_writes_nothing(store):
    write_segment(store, PRODUCT, [looked("ua", 3)])
    before = dict(store.objects)
    forget(store, PRODUCT, "u")
    assert store.objects == before


def test_a_damaged_segment_that_names_a_forgotten_tenant_goes_with_the_index(store):
    rebuild(store, PRODUCT)
    key = write_segment(store, PRODUCT, [looked("ua", 3)])
    store.put(key, store.get(key).content + b"\n")
    forget(store, PRODUCT, "ua")
    assert segments(store) == []
    assert read_index(store, PRODUCT) is None
