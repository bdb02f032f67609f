"""The index is equal to the truth, however writers, readers, joiners and crashes interleave."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tenantry.index import compact, read_index, rebuild
from tenantry.ledger import Entry, Header, Ledger
from tenantry.openings import close_shard, open_shard, opened
from tenantry.surveys import find_differences, survey, tend
from tenantry.times import Window
from tenantry.truth import read_state
from tests.unit.scheduled import Actor, DeadlineStore, later, run_interleaved
from tests.unit.stored_tenant import PRODUCT, StoredTenant

OCTOBER = datetime(2013, 10, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
WINDOWS = [Window(OCTOBER + n * WEEK, OCTOBER + (n + 1) * WEEK) for n in range(4)]
TENANTS = ("aa", "bb")


def ledger_of(run, tenants=TENANTS, as_of=OCTOBER):
    header = Header(run=run, product=PRODUCT, as_of=as_of, shard="s")
    return Ledger(header=header, entries=tuple(Entry(tenant=name) for name in tenants))


def work(tenant, number, as_of):
    """What a run writes about a tenant; runs of one slot write the same."""
    version = tenant.train(as_of)
    tenant.predict(WINDOWS[number % 4], version, as_of)
    tenant.judge(WINDOWS[number % 4], as_of, action="retrain")


def runs(number, tenants=TENANTS, slot=None):
    """A run: opens, works, closes."""

    def action(actor):
        as_of = OCTOBER + (number if slot is None else slot) * WEEK
        ledger = ledger_of(f"run-{number}", tenants, as_of)
        open_shard(actor.store, ledger)
        for name in tenants:
            work(StoredTenant(actor.store, name), number, as_of)
        close_shard(actor.store, ledger)

    return action


def commands(number):
    """A command that tells what it wrote."""

    def action(actor):
        with opened(actor.store, PRODUCT, TENANTS[:1], run=f"verb-{number}"):
            StoredTenant(actor.store, TENANTS[0]).tell("retired", OCTOBER + number * WEEK)

    return action


def outlives(number):
    """A worker that writes although its run may have died: nobody opens or closes for it."""

    def action(actor):
        work(StoredTenant(actor.store, TENANTS[0]), number, OCTOBER + number * WEEK)

    return action


def joins(actor):
    for _ in range(5):
        if index := read_index(actor.store, PRODUCT):
            compact(actor.store, index)


def builds(actor):
    rebuild(actor.store, PRODUCT)


def reads(store, told):
    """A reader that keeps what it was told, and what was true when it began."""

    def action(actor):
        for _ in range(10):
            before = {name: read_state(store, PRODUCT, name) for name in TENANTS}
            found = survey(actor.store, PRODUCT)
            told.extend((before[name], found.record(name)) for name in TENANTS)

    return action


def equal(one, other):
    return replace(one, marked=False, costs={}) == replace(other, marked=False, costs={})


@st.composite
def schedules(draw):
    """Whose turn it is: bursts of one actor, single operations and long ones."""
    random = draw(st.randoms(use_true_random=False))
    bursts = ([random.randrange(8)] * random.choice((1, 1, 2, 3, 5, 15)) for _ in range(120))
    return [turn for burst in bursts for turn in burst]


turns = schedules()
kills = st.frozensets(st.integers(0, 120), max_size=3)


def check_now_and_a_day_later(store):
    for name in TENANTS:
        assert equal(survey(store, PRODUCT).record(name), read_state(store, PRODUCT, name))
    later(store, timedelta(days=2))
    tend(survey(store, PRODUCT))
    assert [info.key for info in store.list(f"products/{PRODUCT}/open/")] == []
    assert find_differences(survey(store, PRODUCT)) == {}
    again = survey(store, PRODUCT)
    assert {info.key for info in store.list("tenants/")} == set() or again.index is not None


@settings(max_examples=60)
@given(turns, kills)
def test_whatever_dies_the_index_ends_equal_to_the_truth(turns, killed):
    store = DeadlineStore()
    rebuild(store, PRODUCT)
    actions = [runs(0), runs(1), runs(2, slot=1), commands(3), joins, joins, builds]
    run_interleaved([Actor(store, action) for action in actions], turns, killed)
    check_now_and_a_day_later(store)


@settings(max_examples=60)
@given(turns)
def test_a_reader_knows_all_that_was_true_when_it_began(turns):
    store = DeadlineStore()
    rebuild(store, PRODUCT)
    told = []
    actions = [runs(0), runs(1), commands(2), commands(3), joins, builds]
    actions += [reads(store, told)] * 2
    run_interleaved([Actor(store, action) for action in actions], turns, ())
    for before, after in told:
        assert equal(after.join(before), after)


@settings(max_examples=40)
@given(turns, st.integers(1, 40))
def test_a_worker_may_outlive_its_run(turns, moment):
    store = DeadlineStore()
    rebuild(store, PRODUCT)
    actors = [Actor(store, action) for action in (runs(0), outlives(0), runs(1), joins)]
    dead = actors[0]
    run_interleaved([dead], (), (moment,))
    run_interleaved(actors[1:], turns, ())
    check_now_and_a_day_later(store)


@settings(max_examples=40)
@given(turns, st.integers(1, 30))
def test_a_run_taken_for_dead_puts_the_index_right_at_its_end(turns, steps):
    store = DeadlineStore()
    rebuild(store, PRODUCT)
    slow = Actor(store, runs(0))
    slow.start()
    for _ in range(steps):
        if not slow.is_done:
            slow.step()
    later(store, timedelta(days=2))
    tend(survey(store, PRODUCT))
    others = [Actor(store, action) for action in (runs(1), joins)]
    for actor in others:
        actor.start()
    working = [slow, *others]
    for turn in [*turns, *range(400)]:
        if working := [actor for actor in working if not actor.is_done]:
            working[turn % len(working)].step()
    assert slow.error is None
    check_now_and_a_day_later(store)
