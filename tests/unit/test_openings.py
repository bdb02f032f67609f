from datetime import UTC, datetime

import pytest

from tenantry import layout
from tenantry.at_work import AtWork
from tenantry.errors import StoreUnavailableError
from tenantry.facts import Failure, Measured
from tenantry.index import read_records, rebuild
from tenantry.ledger import Cost, Entry, Header, Ledger, Outcome
from tenantry.openings import close_run, close_shard, list_openings, open_shard, opened
from tenantry.states import TenantRecord
from tenantry.surveys import survey
from tenantry.truth import read_state
from tests.unit.memory_store import MemoryStore
from tests.unit.stored_tenant import PRODUCT, StoredTenant

OCTOBER = datetime(2013, 10, 1, tzinfo=UTC)


@pytest.fixture
def store():
    store = MemoryStore()
    rebuild(store, PRODUCT)
    return store


def ledger_of(*outcomes, run="run-1", shard="s", stage="monitor", as_of=OCTOBER):
    header = Header(run=run, product=PRODUCT, as_of=as_of, shard=shard, stage=stage)
    return Ledger(header=header, entries=(Entry(tenant="ua", outcomes=outcomes),))


def done(stage, seconds=1.5):
    return Outcome(stage=stage, status="done", cost=Cost(cpu_seconds=seconds))


def failed(stage):
    return Outcome(stage=stage, status="failed", kind="SourceError", message="the source is gone")


def open_tenants(store):
    return survey(store, PRODUCT).open_tenants


def test_a_shard_is_open_from_its_plan_to_its_end(store):
    ledger = ledger_of(done("ingest"))
    open_shard(store, ledger)
    open_shard(store, ledger)
    StoredTenant(store).train(OCTOBER)
    assert open_tenants(store) == {"ua"}
    assert survey(store, PRODUCT).record("ua").attempts
    assert read_records(store, PRODUCT) == {}
    close_shard(store, ledger)
    assert open_tenants(store) == frozenset()
    assert read_records(store, PRODUCT)["ua"].attempts == read_state(store, PRODUCT, "ua").attempts


def test_closing_tells_what_stages_cost(store):
    close_shard(store, ledger_of(done("ingest"), failed("train")))
    assert read_records(store, PRODUCT)["ua"].costs == {"ingest": Measured(OCTOBER, 1.5)}


def test_closing_tells_the_trail_what_failed_and_what_recovered(store):
    close_shard(store, ledger_of(done("ingest"), failed("train")))
    failure = Failure(OCTOBER, "run-1", "train", "SourceError")
    assert read_records(store, PRODUCT)["ua"].failures == {failure}
    assert read_state(store, PRODUCT, "ua").failures == {failure}
    close_shard(store, ledger_of(done("ingest"), done("train"), run="run-2"))
    assert read_records(store, PRODUCT)["ua"].failures == frozenset()
    assert read_state(store, PRODUCT, "ua").cleared == {"train": OCTOBER}


def leave(store, run, *tenants):
    mark = AtWork(product=PRODUCT, run=run, shard="s", stage="train", tenants=tenants)
    open_shard(store, ledger_of(run=run))
    store.put(mark.key, mark.to_json())


def test_who_lives_through_a_run_is_suspect_of_no_earlier_one(store):
    leave(store, "dead", "dl", "ua")
    leave(store, "deader", "ua")
    store.put(layout.attempt(PRODUCT, "ua"), b"{}")  # by an earlier version
    assert survey(store, PRODUCT).record("ua").marked
    close_shard(store, ledger_of(done("ingest"), failed("train"), run="run-2"))
    found = survey(store, PRODUCT)
    assert not found.record("ua").marked
    assert found.suspects == {"dl"}
    assert {info.key.split("/")[3] for info in store.list(f"products/{PRODUCT}/at-work/")} == {
        "dead"
    }


def test_who_took_a_worker_down_again_stays_suspect(store):
    leave(store, "dead", "ua")
    died = Outcome(stage="train", status="failed", kind="WorkerDiedError", message="killed")
    close_shard(store, ledger_of(done("ingest"), died, run="run-2"))
    assert survey(store, PRODUCT).record("ua").marked


def test_closing_leaves_nobody_at_work(store):
    leave(store, "run-1", "ua")
    close_shard(store, ledger_of(done("ingest"), failed("train")))
    assert list(store.list(f"products/{PRODUCT}/at-work/")) == []


def test_closing_twice_changes_nothing(store):
    ledger = ledger_of(done("ingest"), failed("train"))
    close_shard(store, ledger)
    before = dict(store.objects)
    close_shard(store, ledger)
    assert store.objects.keys() == before.keys()


def test_a_run_closes_the_shards_that_came_to_their_ends(store):
    for shard, stage in (("whole", "monitor"), ("dead", "train")):
        ledger = ledger_of(done("ingest"), shard=shard, stage=stage)
        open_shard(store, ledger)
        store.put(layout.ledger("run-1", shard, stage), ledger.to_lines())
    open_shard(store, ledger_of(run="run-10"))
    close_run(store, PRODUCT, "run-1")
    left = {(one.opening.run, one.opening.shard) for one in list_openings(store, PRODUCT)}
    assert left == {("run-1", "dead"), ("run-10", "s")}


def test_a_commands_tenants_are_open_while_it_writes(store):
    with opened(store, PRODUCT, ["ua"], run="verb-1"):
        StoredTenant(store).tell("retired", OCTOBER)
        assert open_tenants(store) == {"ua"}
    assert open_tenants(store) == frozenset()
    assert read_records(store, PRODUCT)["ua"].retired == {OCTOBER}


def test_what_a_command_tells_is_not_read_again(store):
    names = [f"t{n}" for n in range(5)]
    with opened(store, PRODUCT, names, run="verb-1") as told:
        for name in names:
            told.tell(TenantRecord(name, retired=frozenset((OCTOBER,))))
        store.listings = store.reads = 0
    assert store.listings + store.reads < 5
    assert len(read_records(store, PRODUCT)) == 5


def test_a_command_that_fails_is_closed_by_what_the_folders_hold(store):
    def command():
        with opened(store, PRODUCT, ["ua"], run="verb-1") as told:
            told.tell(TenantRecord("ua", looked=frozenset((OCTOBER,))))
            StoredTenant(store).tell("retired", OCTOBER)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        command()
    assert open_tenants(store) == frozenset()
    assert read_records(store, PRODUCT)["ua"].retired == {OCTOBER}
    assert not read_records(store, PRODUCT)["ua"].looked


def test_a_command_whose_store_went_away_stays_open(store):
    down = StoreUnavailableError("the store is down")

    def fail(key):
        raise down

    def command():
        with opened(store, PRODUCT, ["ua"], run="verb-1"):
            store.get = store.list = fail
            fail("")

    with pytest.raises(StoreUnavailableError):
        command()
    del store.get, store.list
    assert open_tenants(store) == {"ua"}


def test_erased_tenants_are_not_brought_back_by_a_late_closing(store):
    ledger = ledger_of(done("ingest"))
    open_shard(store, ledger)
    StoredTenant(store).train(OCTOBER)
    store.put(layout.tombstone(PRODUCT, "ua"), b"{}")
    close_shard(store, ledger)
    assert read_records(store, PRODUCT) == {}
