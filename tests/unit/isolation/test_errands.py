import json
from datetime import UTC, datetime

import pytest

from tenantry import layout
from tenantry.errors import StoreUnavailableError
from tenantry.events import Event
from tenantry.isolation.errands import ERRAND, Runner
from tenantry.isolation.grants import tenant_grant
from tenantry.isolation.trails import Trail
from tests.unit.memory_store import MemoryStore

AS_OF = datetime(2013, 4, 1, tzinfo=UTC)
EVENT = Event(kind="kept", as_of=AS_OF, product="p", tenant="a", run="r1", sentence="x")
TRAIL = Trail("p", "a", "r1", AS_OF, "promote")
KEY = layout.event("p", "a", EVENT.name)


@pytest.fixture
def store():
    store = MemoryStore()
    store.put("tenants/p/a/x", b"1")
    store.put("tenants/p/b/x", b"2")
    return store


def ask(store, *errand):
    runner = Runner(store, tenant_grant("p", "a"), TRAIL)
    return json.loads(runner.answer(ERRAND + json.dumps(errand).encode()))


def event(**changes):
    return EVENT.model_copy(update=changes).to_json().decode()


def test_an_event_is_put_where_nothing_is(store):
    assert "done" in ask(store, "add", KEY, event())
    assert ask(store, "add", KEY, event(sentence="y"))["error"] == "PreconditionError"
    assert store.get(KEY).content == EVENT.to_json()


@pytest.mark.parametrize(
    "errand",
    [
        ("add", layout.event("p", "b", EVENT.name), event(tenant="b")),
        ("add", KEY, event(tenant="b")),
        ("add", "tenants/p/a/champion.json", event()),
        ("add", KEY, "{}"),
        ("add", KEY),
        ("list", "tenants/p/"),
        ("list", "tenants/p/b/"),
        ("list", "tenants/p/a/../b/"),
        ("list_folders", "tenants/p/"),
        ("add", 7, event()),
        ("add", KEY, 7),
        ("list", 7),
        ("get", "tenants/p/b/x"),
        ("_add", KEY, event()),
        (),
    ],
)
def test_what_is_not_the_tenants_is_refused(store, errand):
    before = dict(store.objects)
    assert ask(store, *errand)["error"] == "StoreDeniedError"
    assert store.objects == before


def test_what_stands_already_is_told_as_such(store):
    other = event(run="r0")  # decided by another run of the slot
    store.put(KEY, other.encode())
    assert ask(store, "add", KEY, other)["error"] == "PreconditionError"


def test_a_person_is_not_imitated(store):
    forged = EVENT.model_copy(update={"kind": "pinned", "who": "ann", "why": "x", "when": AS_OF})
    key = layout.event("p", "a", forged.name)
    assert ask(store, "add", key, forged.to_json().decode())["error"] == "StoreDeniedError"


def test_what_is_no_errand_is_refused(store):
    runner = Runner(store, tenant_grant("p", "a"), TRAIL)
    nested = b"[" * 100_000
    for text in (b"", b"\xff", b"{}", b'{"a": 1}', b'"list"', b"7", b"[[7]]", nested):
        message = ERRAND + text
        assert json.loads(runner.answer(message))["error"] == "StoreDeniedError"


def test_a_failing_store_is_told_as_what_it_is(store, monkeypatch):
    def fail(prefix):
        raise StoreUnavailableError("busy")

    monkeypatch.setattr(store, "list", fail)
    assert ask(store, "list", "tenants/p/a/") == {
        "error": "StoreUnavailableError",
        "message": "busy",
    }
