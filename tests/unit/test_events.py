from datetime import UTC, datetime

import pytest

from tenantry.events import Event, list_events, run_digest, write_event
from tests.unit.memory_store import MemoryStore

OCTOBER = datetime(2013, 10, 1, tzinfo=UTC)
NOVEMBER = datetime(2013, 11, 1, tzinfo=UTC)


def event(kind: str, as_of: datetime, version: str = "", turn: int = 0, digest: str = "a") -> Event:
    return Event(
        kind=kind,
        as_of=as_of,
        product="delay",
        tenant="ua",
        run="r1",
        version=version,
        training_digest=digest,
        sentence=f"{kind}: because",
        turn=turn,
    )


PROMOTED = event("promoted", OCTOBER, "20131001T000000Z-aaaaaaaaaaaa")
KEPT = event("kept", NOVEMBER, "20131101T000000Z-bbbbbbbbbbbb", digest="b")
RETIRED = event("retired", NOVEMBER)


@pytest.mark.parametrize(
    ("what", "name"),
    [
        (PROMOTED, "20131001T000000Z-promoted-20131001T000000Z-aaaaaaaaaaaa"),
        (KEPT, "20131101T000000Z-kept-20131101T000000Z-bbbbbbbbbbbb"),
        (RETIRED, "20131101T000000Z-retired"),
        (
            PROMOTED.model_copy(update={"turn": 2}),
            "20131001T000000Z-promoted-20131001T000000Z-aaaaaaaaaaaa-2",
        ),
        (
            event("rolled_back", NOVEMBER, "20131001T000000Z-aaaaaaaaaaaa", turn=1),
            "20131101T000000Z-rolled_back-20131001T000000Z-aaaaaaaaaaaa-1",
        ),
        (
            event("failed", NOVEMBER).model_copy(update={"stage": "build_features"}),
            "20131101T000000Z-failed-build_features-82f3e9c6",
        ),
        (event("cleared", NOVEMBER), "20131101T000000Z-cleared"),
    ],
)
def test_names_tell_what_happened(what, name):
    store = MemoryStore()
    key = write_event(store, what)
    assert key == f"tenants/delay/ua/events/{name}.json"
    (listed,) = list_events(store, "delay", "ua")
    assert (listed.kind, listed.as_of, listed.version, listed.turn) == (
        what.kind,
        what.as_of,
        what.version,
        what.turn,
    )
    assert (listed.stage, listed.run) == (what.stage, run_digest("r1") if what.stage else "")
    assert store.reads == 0


def test_an_event_is_never_rewritten():
    store = MemoryStore()
    key = write_event(store, PROMOTED)
    before = store.objects[key]
    write_event(store, PROMOTED.model_copy(update={"run": "r2"}))
    assert store.objects[key] == before
