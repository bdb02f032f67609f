import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest

from tenantry import layout
from tenantry.at_work import AtWork
from tenantry.fleet import read_fleet, read_run
from tenantry.monitoring.judgements import write_judgement
from tenantry.times import Window
from tests.unit.memory_store import MemoryStore
from tests.unit.report.made_fleet import PRODUCT, ROWS, RUN, WINDOWS, make_fleet, make_judgement


@pytest.fixture
def store():
    return make_fleet()


def test_the_fleet_as_a_run_left_it(store):
    fleet = read_fleet(store, RUN)
    states = {one.tenant: one.state for one in fleet.members}
    assert len(states) == len(ROWS) + 1
    assert {name for name, state in states.items() if state == "failed"} == {"yv", "fl"}
    assert {name for name, state in states.items() if state == "unknown"} == {"as", "f9"}
    assert {name for name, state in states.items() if state == "fell_back"} == {"ha", "oo"}
    assert states["tz"] == "idle"
    assert fleet.zones == {"default": "20131101T000000Z-9f8e7d6c5b4a"}


def test_a_run_is_told_by_what_it_judged_whatever_was_judged_since(store):
    before = member_of(store, "vx")
    later = Window(WINDOWS[-1].end, WINDOWS[-1].end + timedelta(days=7))
    newer = make_judgement("vx", later).model_copy(update={"run": "later"}).after(before.ran)
    write_judgement(store, newer)
    after = member_of(store, "vx")
    assert after.judgement == newer
    assert (after.ran, after.judged) == (before.ran, before.judged)
    assert [one.window for one in after.judged] == [window.id for window in WINDOWS]


def test_a_window_that_a_run_judged_out_of_turn_is_among_those_it_judged():
    store = make_fleet(weeks=0)
    assert [one.window for one in member_of(store, "vx").judged] == [WINDOWS[-1].id]
    write_judgement(store, make_judgement("vx", WINDOWS[0], status="decayed"))
    other = make_judgement("vx", WINDOWS[1]).model_copy(update={"run": "other"})
    write_judgement(store, other)
    told = [(one.window, one.status) for one in member_of(store, "vx").judged]
    assert told == [(WINDOWS[0].id, "decayed"), (WINDOWS[-1].id, "decayed")]


def member_of(store, tenant):
    return {one.tenant: one for one in read_fleet(store, RUN).members}[tenant]


@pytest.mark.parametrize(
    ("left", "seconds"), [(b'{"cpu_seconds": 7.5}', 7.5), (b'{"cpu', 0), (b"{}", 0), (None, 0)]
)
def test_what_the_pooled_model_cost_is_told_where_it_is_known(store, left, seconds):
    if left:
        store.put(layout.pooled_outcome(RUN), left)
    assert read_fleet(store, RUN).pooled_seconds == seconds


def test_the_last_ledger_of_each_shard_counts(store):
    early = layout.ledger(RUN, "large", "ingest")
    store.put(early, store.get(layout.ledger(RUN, "dead", "promote")).content)
    assert read_run(store, RUN) == read_run(make_fleet(), RUN)


def test_a_torn_ledger_gives_way_to_the_one_before(store):
    whole = layout.ledger(RUN, "dead", "promote")
    torn = store.get(whole).content[:-30]
    store.put(layout.ledger(RUN, "dead", "predict"), torn)
    assert read_run(store, RUN) == read_run(make_fleet(), RUN)


def test_a_shard_that_left_no_ledger_died_in_its_first_stage(store):
    store.delete(layout.ledger(RUN, "dead", "promote"))
    lost = {one.tenant: one for one in read_run(store, RUN).members}["as"]
    assert (lost.state, lost.died_in, lost.entry) == ("unknown", "ingest", None)


def test_whoever_was_worked_on_when_the_shard_died_is_known(store):
    for shard in ("dead", "large"):
        mark = AtWork(product=PRODUCT, run=RUN, shard=shard, stage="predict", tenants=("f9", "ua"))
        store.put(mark.key, mark.to_json())
    busy = [one.tenant for one in read_fleet(store, RUN).members if one.in_progress]
    assert busy == ["f9"]


def test_a_run_without_a_plan_shows_what_the_store_holds(store):
    fleet = read_fleet(store, "another-run", PRODUCT)
    assert fleet.plan is None
    assert {one.tenant for one in fleet.members} == set(ROWS) - {"yv"}
    assert {one.state for one in fleet.members} == {"idle"}
    assert fleet.members[0].champion.current.recipe == "logistic"
    assert read_run(store, "another-run") is None


def test_an_empty_store_is_an_empty_fleet():
    assert read_fleet(MemoryStore(), RUN, PRODUCT).members == ()
    assert read_fleet(MemoryStore(), RUN).members == ()


def test_reading_a_fleet_needs_no_pandas():
    code = "import sys, tenantry.fleet; sys.exit('pandas' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("said", "damaged"),
    [
        (b'"metric":"log_loss"', b'"metric":"none that there is"'),
        (b'"window":"2013', b'"window":"in 2013'),
        (b'"history":[{', b'"history":[{"window":"never","status":"ok"},{'),
    ],
)
def test_a_judgement_of_what_there_is_not_is_none(store, said, damaged):
    key = layout.judgement(PRODUCT, "vx", WINDOWS[-1])
    content = store.get(key).content
    assert said in content
    store.put(key, content.replace(said, damaged))
    (told,) = read_fleet(store, RUN).warnings
    assert f"{key} is not a Judgement" in told


def test_who_left_what_cannot_be_read_hides_nobody(store):
    before = read_fleet(store, RUN)
    store.put(layout.champion(PRODUCT, "vx"), b"{}")
    after = read_fleet(store, RUN)
    lost, whole = (
        next(one for one in fleet.members if one.tenant == "vx") for fleet in (after, before)
    )
    assert lost == replace(whole, champion=None)
    (told,) = after.warnings
    assert "vx/champion.json is not a Champion" in told
    assert [one for one in after.members if one.tenant != "vx"] == [
        one for one in before.members if one.tenant != "vx"
    ]
