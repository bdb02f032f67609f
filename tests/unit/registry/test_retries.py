from datetime import UTC, datetime, timedelta

import pytest

from tenantry.errors import NothingToDoError
from tenantry.events import Event, list_events, read_event, write_event
from tenantry.registry.orders import make_order
from tenantry.registry.retries import clear, list_waiting
from tests.unit.memory_store import MemoryStore
from tests.unit.tiny_fleet import make_spec

PRODUCT = "arrival-delay"
T = datetime(2013, 10, 1, tzinfo=UTC)
DAY = timedelta(days=1)
ORDER = make_order("ann", "the feed is mended", datetime(2026, 11, 24, tzinfo=UTC))


def fail(store, tenant, day, stage="ingest", run=""):
    event = Event(
        kind="failed",
        as_of=T + day * DAY,
        product=PRODUCT,
        tenant=tenant,
        run=run or f"run-{day}",
        stage=stage,
        sentence="no such file",
        evidence={"kind": "SourceError"},
    )
    write_event(store, event)


@pytest.fixture
def store():
    store = MemoryStore()
    fail(store, "ua", 0)
    fail(store, "ua", 1)
    fail(store, "dl", 1, "train")
    return store


SPECS = {name: make_spec(name) for name in ("aa", "dl", "ua")}


def waiting(store):
    return [
        (one.tenant, one.hold.stage, one.hold.times) for one in list_waiting(store, PRODUCT, SPECS)
    ]


def test_who_waits_is_listed_by_tenant_and_stage(store):
    assert waiting(store) == [("dl", "train", 1), ("ua", "ingest", 2)]


def test_clearing_leaves_an_event_and_nobody_waits_any_more(store):
    assert clear(store, PRODUCT, ["ua"], order=ORDER) == {"ua": 2}
    assert waiting(store) == [("dl", "train", 1)]
    (name,) = [one for one in list_events(store, PRODUCT, "ua") if one.kind == "cleared"]
    event = read_event(store, name.key)
    assert (event.kind, event.as_of, event.who) == ("cleared", T + DAY, "ann")
    assert event.why == "the feed is mended"
    assert event.sentence == "to be tried again (ingest), by ann: the feed is mended"


def test_what_fails_later_counts_from_one_again(store):
    clear(store, PRODUCT, ["ua"], order=ORDER)
    fail(store, "ua", 2)
    assert ("ua", "ingest", 1) in waiting(store)


def test_those_without_failures_are_left_alone(store):
    assert clear(store, PRODUCT, ["aa", "dl"], order=ORDER) == {"dl": 1}
    assert list_events(store, PRODUCT, "aa") == ()
    with pytest.raises(NothingToDoError, match="nothing has failed"):
        clear(store, PRODUCT, ["aa", "dl"], order=ORDER)


def test_a_recovery_counts_for_its_stage_alone(store):
    fail(store, "ua", 2, "train")
    recovered = Event(
        kind="recovered",
        as_of=T + 2 * DAY,
        product=PRODUCT,
        tenant="ua",
        run="run-2",
        stage="ingest",
        sentence="ingest went well again",
    )
    write_event(store, recovered)
    assert waiting(store) == [("dl", "train", 1), ("ua", "train", 1)]
