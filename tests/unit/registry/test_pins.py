"""A pin holds a champion until it is let go; both are on record."""

import pytest

from tenantry.champions import read_champion
from tenantry.crowning import crown
from tenantry.errors import NothingToDoError, RegistryError
from tenantry.events import list_events, read_event
from tenantry.registry.orders import Order
from tenantry.registry.pins import pin, unpin
from tests.unit.memory_store import MemoryStore
from tests.unit.registry.made import (
    ORDER,
    PRODUCT,
    WALL,
    contents,
    day,
    make_model,
    make_reign,
    make_tenant,
    version,
)

LATER = Order("bo", "the audit is over", WALL)


@pytest.fixture
def store():
    made = MemoryStore()
    make_tenant(made)
    return made


def orders(store):
    names = [name for name in list_events(store, PRODUCT, "ua") if "pinned" in name.kind]
    events = [read_event(store, name.key) for name in names]
    return [(event.kind, event.version, event.who, event.why, event.when) for event in events]


def test_a_pin_is_in_the_pointer_and_on_record(store):
    made = pin(store, PRODUCT, "ua", order=ORDER)
    known = read_champion(store, PRODUCT, "ua")
    assert known.pin == made
    assert (made.version, made.who, made.why) == (version(31), "ann", "it is late too often")
    assert (made.as_of, made.turn) == (day(31), known.counter)
    assert orders(store) == [("pinned", version(31), "ann", "it is late too often", WALL)]


def test_unpinned_it_is_free_again_and_that_is_on_record(store):
    pin(store, PRODUCT, "ua", order=ORDER)
    unpin(store, PRODUCT, "ua", order=LATER)
    known = read_champion(store, PRODUCT, "ua")
    assert known.pin is None
    assert [kind for kind, *_ in orders(store)] == ["pinned", "unpinned"]
    crown(store, PRODUCT, "ua", make_reign(make_model(store, 62)))


def test_each_pin_of_one_moment_has_an_event_of_its_own(store):
    for order in (ORDER, LATER):
        pin(store, PRODUCT, "ua", order=order)
        unpin(store, PRODUCT, "ua", order=order)
    assert [(kind, who) for kind, _, who, *_ in orders(store)] == [
        ("pinned", "ann"),
        ("unpinned", "ann"),
        ("pinned", "bo"),
        ("unpinned", "bo"),
    ]


def test_what_is_so_already_is_refused_and_changes_nothing(store):
    with pytest.raises(NothingToDoError, match="arrival-delay/ua: it is not pinned"):
        unpin(store, PRODUCT, "ua", order=ORDER)
    pin(store, PRODUCT, "ua", order=ORDER)
    before = contents(store)
    with pytest.raises(NothingToDoError, match=f"pinned to {version(31)} by ann: it is late"):
        pin(store, PRODUCT, "ua", order=LATER)
    assert contents(store) == before


def test_an_order_that_died_before_its_event_is_completed_by_giving_it_again(store):
    for give in (pin, unpin):
        give(store, PRODUCT, "ua", order=ORDER)
        before = contents(store)
        (lost,) = [key for key in before if f"-{give.__name__}ned-" in key]
        store.delete(lost)
        with pytest.raises(NothingToDoError):
            give(store, PRODUCT, "ua", order=LATER)
        assert contents(store) == before


def test_what_is_pinned_must_reign(store):
    assert pin(store, PRODUCT, "ua", order=ORDER, version=version(31)).version == version(31)
    unpin(store, PRODUCT, "ua", order=ORDER)
    with pytest.raises(RegistryError, match=f"{version(31)} reigns, not {version(0)}; roll back"):
        pin(store, PRODUCT, "ua", order=ORDER, version=version(0))


class Meddling(MemoryStore):
    """Crowns another model just before the first write to the pointer."""

    meddled = False

    def put_if_match(self, key, content, tag):
        if not self.meddled:
            self.meddled = True
            crown(self, PRODUCT, "ua", make_reign(make_model(self, 62)))
        return super().put_if_match(key, content, tag)


def test_a_champion_crowned_meanwhile_is_not_pinned_unseen(store):
    meddling = Meddling()
    meddling.objects |= store.objects
    with pytest.raises(RegistryError, match="someone moved its champion meanwhile"):
        pin(meddling, PRODUCT, "ua", order=ORDER)
    assert read_champion(meddling, PRODUCT, "ua").pin is None
