from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest

from tenantry import layout
from tenantry.facts import Alarm, Attempt, Predicted
from tenantry.states import TenantState
from tenantry.times import Window
from tenantry.truth import read_state
from tests.unit.memory_store import MemoryStore
from tests.unit.stored_tenant import PRODUCT, StoredTenant

OCTOBER = datetime(2013, 10, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
WINDOWS = [Window(OCTOBER + n * WEEK, OCTOBER + (n + 1) * WEEK) for n in range(-4, 8)]


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def tenant(store):
    """A tenant after a run as of October, in which four windows lay in sample, and two more."""
    tenant = StoredTenant(store)
    first = tenant.train(OCTOBER)
    for window in WINDOWS[:4]:
        tenant.predict(window, first, OCTOBER, in_sample=True)
    for n in (4, 5):
        tenant.predict(WINDOWS[n], first, WINDOWS[n].end)
        tenant.judge(WINDOWS[n], WINDOWS[n].end, action="none" if n == 4 else "retrain")
    tenant.look(OCTOBER + WEEK)
    return tenant


def read(store, known=None):
    return read_state(store, PRODUCT, "ua", known)


def test_an_unknown_tenant_has_the_empty_state(store):
    assert read(store).as_of(OCTOBER) == TenantState()


def test_the_state_tells_all_that_the_planner_needs(store, tenant):
    state = read(store).as_of(OCTOBER + 2 * WEEK)
    version = state.champion.current.version
    assert state.attempt == Attempt(OCTOBER, version, "t", rows=1000)
    assert state.rows == 1000
    assert state.predicted[WINDOWS[0]] == (Predicted(OCTOBER, version, in_sample=True),)
    assert state.predicted[WINDOWS[4]] == (Predicted(OCTOBER + WEEK, version, in_sample=False),)
    assert state.judged == {WINDOWS[4], WINDOWS[5]}
    assert state.judgements == (Alarm(OCTOBER + 2 * WEEK, WINDOWS[5], "decayed", "retrain"),)
    assert state.looked_at == OCTOBER + WEEK
    assert (state.interrupted, state.retired, state.failures) == (False, False, ())


def test_decisions_of_later_runs_do_not_count(store, tenant):
    tenant.train(OCTOBER + 3 * WEEK, rows=2000)
    record = read(store)
    before, after = record.as_of(OCTOBER + 2 * WEEK), record.as_of(OCTOBER + 3 * WEEK)
    assert (before.rows, after.rows) == (1000, 2000)
    assert (len(before.champion.reigns), len(after.champion.reigns)) == (1, 2)
    assert before.judgements
    assert not after.judgements, "the attempt answered them"
    assert record.as_of(OCTOBER - WEEK).attempt is None


def test_the_last_decision_of_a_moment_counts(store, tenant):
    tenant.train(OCTOBER, turn=1, digest="other")
    assert read(store).as_of(OCTOBER).attempt.training_digest == "other"


def test_a_model_whose_card_is_gone_has_unknown_rows(store, tenant):
    version = read(store).champion.current.version
    store.delete(f"{layout.model_folder(PRODUCT, 'ua', version)}card.json")
    assert read(store).as_of(OCTOBER).rows is None


def test_a_model_whose_card_counts_beyond_all_floats_has_unknown_rows(store, tenant):
    version = read(store).champion.current.version
    key = f"{layout.model_folder(PRODUCT, 'ua', version)}card.json"
    store.put(key, store.get(key).content.replace(b'"rows":1000', b'"rows":1' + b"0" * 400))
    assert read(store).as_of(OCTOBER).rows is None


def test_a_marker_tells_of_an_interruption(store, tenant):
    store.put(layout.attempt(PRODUCT, "ua"), b"{}")
    assert read(store).as_of(OCTOBER).interrupted


def test_what_is_known_is_not_read_again(store, tenant):
    known = read(store)
    store.reads = store.listings = 0
    assert read(store, known) == known
    assert (store.reads, store.listings) == (1, 1)
    tenant.predict(WINDOWS[6], known.champion.current.version, WINDOWS[6].end)
    store.reads = 0
    assert read(store, known) == read(store)
    store.reads = 0
    read(store, known)
    assert store.reads == 2


def test_another_receipt_of_a_known_window_is_read(store, tenant):
    known = read(store)
    version = known.champion.current.version
    tenant.predict(WINDOWS[4], version, OCTOBER + 3 * WEEK, snapshot="6" * 64)
    found = read(store, known).as_of(OCTOBER).predicted[WINDOWS[4]]
    assert [one.as_of for one in found] == [OCTOBER + WEEK, OCTOBER + 3 * WEEK]
    assert read(store, known) == read(store)


def test_failures_count_until_the_tenant_recovers(store, tenant):
    tenant.tell("failed", OCTOBER, stage="train", kind="WorkerDiedError")
    tenant.tell("failed", OCTOBER + WEEK, stage="ingest", kind="SourceError")
    record = read(store)
    assert [one.stage for one in record.as_of(OCTOBER).failures] == ["train"]
    assert record.as_of(OCTOBER).interrupted
    assert [one.stage for one in record.as_of(OCTOBER + WEEK).failures] == ["train", "ingest"]
    tenant.tell("recovered", OCTOBER + 2 * WEEK)
    tenant.tell("failed", OCTOBER + 3 * WEEK, stage="train", kind="TrainingError")
    for again in (read(store), read(store, record)):
        (one,) = again.as_of(OCTOBER + 3 * WEEK).failures
        assert (one.stage, one.kind, one.run) == ("train", "TrainingError", "r")


@pytest.mark.parametrize(
    ("part", "lacking"),
    [
        ("/champion.json", {"champion"}),
        ("-promoted-", {"attempts"}),
        ("-failed-", {"failures"}),
        ("/receipt.json", {"predicted"}),
        (f"/{WINDOWS[5].id}/judgement.json", {"judged", "alarms"}),
    ],
)
def test_what_is_not_what_its_key_says_is_passed_over(store, tenant, caplog, part, lacking):
    tenant.tell("failed", OCTOBER, stage="train", kind="WorkerDiedError")
    whole = read(store)
    key = next(key for key in store.objects if part in key)
    store.put(key, b"{}")
    found = read(store)
    names = [field.name for field in fields(found)]
    assert {name for name in names if getattr(found, name) != getattr(whole, name)} == lacking
    assert found.join(whole) == whole
    assert key in caplog.text


@pytest.mark.parametrize(
    "name",
    [
        "predictions/x/y-z/receipt.json",
        "predictions/receipt.json",
        "looked/x.json",
        "monitoring/x/judgement.json",
        "events/20139901T000000Z-kept.json",
    ],
)
def test_names_of_nothing_are_passed_over(store, tenant, name):
    whole = read(store)
    store.put(layout.tenant_folder(PRODUCT, "ua") + name, b"{}")
    assert read(store) == whole
