import pytest

from tenantry import layout
from tenantry.at_work import Marker, find_at_work, strike
from tenantry.ledger import Header
from tests.unit.memory_store import MemoryStore
from tests.unit.tiny_fleet import AS_OF

PRODUCT = "arrival-delay"
HEADER = Header(run="r1", product=PRODUCT, as_of=AS_OF, shard="s", stage="train")
KEY = layout.at_work(PRODUCT, "r1", "s")
MANY = [f"t{number:02d}" for number in range(60)]


class CountingStore(MemoryStore):
    puts = 0

    def put(self, key, content):
        self.puts += 1
        return super().put(key, content)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def store():
    return CountingStore()


@pytest.fixture
def clock():
    return Clock()


def named(store):
    found = find_at_work(store, KEY)
    return set(found.tenants) if found else set()


def work(store, clock, marker, seconds, workers=2):
    """Let tenants begin and end, so many at a time; yield who is at work and who is named."""
    working = []
    for tenant in MANY:
        if len(working) == workers:
            clock.now += seconds
            marker.end(working.pop(0), died=False)
        marker.begin(tenant)
        working.append(tenant)
        yield set(working), named(store)


@pytest.mark.parametrize("seconds", [0.001, 0.05, 0.3, 2.0, 60.0])
def test_whoever_is_at_work_is_named_and_few_others(store, clock, seconds):
    marker = Marker(store, HEADER, MANY, clock=clock)
    for working, told in work(store, clock, marker, seconds):
        assert working <= told
        assert len(told) <= 9
    marker.close()
    assert find_at_work(store, KEY) is None


def test_of_tenants_that_are_fast_few_writes_tell(store, clock):
    list(work(store, clock, Marker(store, HEADER, MANY, clock=clock), 0.02))
    assert store.puts <= len(MANY) / 6


def test_of_tenants_that_are_slow_each_is_told_when_it_begins(store, clock):
    for working, told in work(store, clock, Marker(store, HEADER, MANY, clock=clock), 3.0):
        assert working == told


def test_a_slow_tenant_among_fast_ones_leaves_no_old_names(store, clock):
    marker = Marker(store, HEADER, MANY, clock=clock)
    list(work(store, clock, marker, 0.02, workers=1))
    marker = Marker(store, HEADER, MANY, clock=clock)
    for tenant in MANY[:3]:
        marker.begin(tenant)
        clock.now += 0.02
        marker.end(tenant, died=False)
    marker.begin(MANY[3])
    clock.now += 30
    marker.end(MANY[3], died=False)
    assert MANY[4] in named(store)
    marker.begin(MANY[4])
    assert named(store) == {MANY[4]}


def test_who_took_a_worker_down_stays_named(store, clock):
    marker = Marker(store, HEADER, MANY[:2], died=["early"], clock=clock)
    marker.begin(MANY[0])
    marker.end(MANY[0], died=True)
    marker.begin(MANY[1])
    assert named(store) == {"early", *MANY[:2]}
    marker.end(MANY[1], died=False)
    marker.close()
    assert named(store) == {"early", MANY[0]}


def test_a_tenant_that_begins_twice_is_at_work_once(store, clock):
    """A worker that was dead before it was given its task."""
    marker = Marker(store, HEADER, MANY[:2], clock=clock)
    marker.begin(MANY[0])
    marker.begin(MANY[0])
    marker.end(MANY[0], died=False)
    clock.now += 5
    marker.begin(MANY[1])
    assert named(store) == {MANY[1]}


def test_what_another_run_writes_meanwhile_stays(store, monkeypatch):
    marker = Marker(store, HEADER, MANY[:3])
    marker.begin(MANY[0])
    marker.begin(MANY[1])
    monkeypatch.setattr("tenantry.at_work.find_at_work", lambda *_: _read_late(store, marker))
    strike(store, PRODUCT, "r2", {MANY[0]})
    assert named(store) == set(MANY[:3])


def _read_late(store, marker):
    found = find_at_work(store, KEY)
    marker.begin(MANY[2])
    return found


def test_a_run_strikes_nobody_off_its_own(store):
    Marker(store, HEADER, MANY).begin(MANY[0])
    strike(store, PRODUCT, "r1", {MANY[0]})
    assert named(store) == {MANY[0]}
