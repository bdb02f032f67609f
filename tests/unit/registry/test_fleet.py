"""A fleet's rollback goes as far as it can, says where it could not, and is completed later."""

from datetime import timedelta

import pytest

from tenantry import layout
from tenantry.champions import read_champion
from tenantry.crowning import crown
from tenantry.erasure.tombstones import Tombstone, write_tombstone
from tenantry.errors import RegistryError, StoreUnavailableError
from tenantry.index import rebuild
from tenantry.openings import Opening
from tenantry.registry.fleet import find_fleet_rollback, make_fleet_rollback
from tenantry.registry.orders import Order
from tenantry.registry.rollback import Aim, find_rollback, make_rollback
from tenantry.surveys import find_differences, survey
from tests.unit.memory_store import MemoryStore
from tests.unit.registry.made import (
    ORDER,
    PRODUCT,
    WALL,
    contents,
    day,
    make_model,
    make_pooled,
    make_reign,
    make_tenant,
    version,
)

TENANTS = tuple(f"t{number:02}" for number in range(20))


class Shaky(MemoryStore):
    """Does not answer for some keys."""

    down = ()

    def put_if_match(self, key, content, tag):
        if any(f"/{name}/" in key for name in self.down):
            raise StoreUnavailableError(f"{key}: no answer")
        return super().put_if_match(key, content, tag)


LATER = Order("ann", "it was no trouble", WALL + timedelta(hours=1))
TO_THE_FIRST = Aim(time=day(1))


@pytest.fixture
def store():
    made = Shaky()
    pooled = make_pooled(made)
    for tenant in TENANTS:
        make_tenant(made, (0, 31), tenant, pooled=pooled)
    return made


def find(store, aim=TO_THE_FIRST, *, order=ORDER, **options):
    return find_fleet_rollback(store, PRODUCT, aim, order, **options)


def reigning(store):
    return {tenant: read_champion(store, PRODUCT, tenant).current.version for tenant in TENANTS}


def first_of_all():
    return {tenant: version(0, tenant) for tenant in TENANTS}


def test_all_go_back_from_one_moment_on_the_latest_of_any_of_them(store):
    crown(store, PRODUCT, "t07", make_reign(make_model(store, 45, "t07")))
    done = make_fleet_rollback(store, find(store))
    assert done.since == day(45)
    assert reigning(store) == first_of_all()
    assert {read_champion(store, PRODUCT, one).current.since for one in TENANTS} == {day(45)}


def test_an_order_for_the_fleet_is_undone_by_another_and_leaves_earlier_ones_alone(store):
    earlier = Order("bo", "its own trouble", WALL - timedelta(days=1))
    move = find_rollback(store, PRODUCT, "t05", Aim(), order=earlier)
    make_rollback(store, PRODUCT, move)
    before = reigning(store)
    make_fleet_rollback(store, find(store))
    undone = make_fleet_rollback(store, find(store, Aim(undo=True), order=LATER))
    assert {step.tenant for step in undone.steps if step.move} == {*TENANTS} - {"t05"}
    assert reigning(store) == before
    again = find(store, Aim(undo=True), order=LATER)
    assert {step.note for step in again.steps} == {
        "there is no rollback to undo",
        "the last order did not roll it back",
    }


def test_the_index_knows_of_it_though_no_folder_is_read_again(store):
    rebuild(store, PRODUCT)
    store.down = ("t03",)
    make_fleet_rollback(store, find(store))
    known = survey(store, PRODUCT)
    assert known.open_tenants == set()
    assert find_differences(known) == {}
    assert known.record("t04").champion.current.version == version(0, "t04")


def test_a_run_that_is_under_way_counts_for_the_latest_moment(store):
    rebuild(store, PRODUCT)
    opening = Opening(product=PRODUCT, run="r", shard="s", as_of=day(50), tenants=TENANTS[:1])
    store.put(opening.key, opening.to_json())
    assert find(store).since == day(50)


def test_to_find_out_writes_nothing(store):
    before = contents(store)
    found = find(store)
    assert all(step.move for step in found.steps)
    assert contents(store) == before


def test_a_pooled_model_that_many_stand_on_is_read_a_few_times_only(store):
    store.reads = 0
    find(store, as_of=day(31))
    most = 3 * len(TENANTS)  # champion, card, file; the threads begin with the pooled one together
    assert store.reads <= most + 16


def test_where_the_store_does_not_answer_the_others_go_on_and_the_next_order_completes_it(store):
    store.down = ("t03", "t11")
    done = make_fleet_rollback(store, find(store))
    refused = {step.tenant: step.note for step in done.steps if step.is_refused}
    assert set(refused) == {"t03", "t11"}
    assert "no answer" in refused["t03"]
    store.down = ()
    again = make_fleet_rollback(store, find(store))
    assert {step.tenant for step in again.steps if step.move} == {"t03", "t11"}
    assert reigning(store) == first_of_all()


def test_one_whose_pointer_cannot_be_read_is_refused_and_the_others_go_back(store):
    store.put(layout.champion(PRODUCT, "t05"), b"{}")
    (refused,) = (one for one in make_fleet_rollback(store, find(store)).steps if one.is_refused)
    assert refused.tenant == "t05"
    assert "t05/champion.json is not a Champion" in refused.note
    assert read_champion(store, PRODUCT, "t04").current.version == version(0, "t04")


def test_one_whose_champion_moved_meanwhile_is_refused(store):
    found = find(store)
    newer = make_reign(make_model(store, 62, "t05"))
    crown(store, PRODUCT, "t05", newer)
    done = make_fleet_rollback(store, found)
    (refused,) = [step for step in done.steps if step.is_refused]
    assert refused.tenant == "t05"
    assert "someone moved it meanwhile" in refused.note
    assert reigning(store) == first_of_all() | {"t05": newer.version}


def test_an_erased_tenant_is_left_alone(store):
    stone = Tombstone(product=PRODUCT, tenant="t00", when=WALL, who="bo", why="left")
    write_tombstone(store, stone)
    steps = {step.tenant: step for step in find(store).steps}
    assert (steps["t00"].move, steps["t00"].note) == (None, "was erased; nothing is left of it")


def test_a_tenant_without_a_model_is_no_fault(store):
    store.put(f"tenants/{PRODUCT}/new/snapshots/x", b"")
    step = next(step for step in find(store).steps if step.tenant == "new")
    assert (step.move, step.is_refused) == (None, False)
    assert step.note == "no model ever reigned; train it first"


def test_an_unknown_product_is_refused(store):
    with pytest.raises(RegistryError, match=r"no such product; did you mean arrival-delay\?"):
        find_fleet_rollback(store, "arival-delay", TO_THE_FIRST, ORDER)
