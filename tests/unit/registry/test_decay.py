"""A judgement calls the champion back: once, whoever else is at it."""

from datetime import timedelta

import pytest

from tenantry.champions import read_champion
from tenantry.crowning import crown
from tenantry.errors import RegistryError
from tenantry.events import list_events, read_event
from tenantry.jobs import Job
from tenantry.ledger import Due, Entry
from tenantry.monitoring.judgements import Judgement, write_judgement
from tenantry.registry.decay import roll_back
from tenantry.registry.pins import pin
from tenantry.registry.rollback import Aim, find_rollback, make_rollback
from tenantry.sources.connections import Connections
from tenantry.stages.promote import promote
from tenantry.times import Window
from tests.unit.memory_store import MemoryStore
from tests.unit.monitoring.watched import make_spec
from tests.unit.registry.made import (
    ORDER,
    PRODUCT,
    contents,
    day,
    make_model,
    make_reign,
    make_tenant,
    version,
)
from tests.unit.registry.test_races import at_once

AS_OF = day(45)
WINDOW = Window(day(35), day(42))
DUE = Due(action="rollback", reason="decayed", windows=(WINDOW.id,), version=version(0))


@pytest.fixture
def store():
    return fill(MemoryStore())


def fill(store):
    """Two champions, of which the second was judged as decayed."""
    make_tenant(store)
    judgement = Judgement(
        product=PRODUCT,
        tenant="ua",
        window=WINDOW.id,
        as_of=day(43),
        model=version(31),
        status="decayed",
        sentence="Decayed.",
        action="rollback",
    )
    write_judgement(store, judgement)
    return store


def job(store, as_of=AS_OF, run="run-2"):
    entry = Entry(tenant="ua", due=(DUE,))
    return Job(run, as_of, make_spec(), entry, store, Connections())


def champion(store):
    return read_champion(store, PRODUCT, "ua")


def events(store):
    listed = list_events(store, PRODUCT, "ua")
    return [read_event(store, one.key) for one in listed if one.kind == "rolled_back"]


def test_promote_goes_back_to_the_model_that_the_plan_says(store):
    result = promote(job(store))
    assert (champion(store).current.version, champion(store).current.since) == (version(0), AS_OF)
    assert (
        result.message
        == f"rolled back from {version(31)} to {version(0)}: decayed in window {WINDOW}"
    )
    assert result.facts["rolled_back"] is True
    assert result.facts["champion"] == version(0)
    (event,) = events(store)
    assert (event.who, event.why, event.when) == ("monitor", f"decayed in window {WINDOW}", AS_OF)


@pytest.mark.parametrize("days", [0, 3], ids=["the same moment", "later"])
def test_a_second_run_changes_nothing(store, days):
    promote(job(store))
    before = contents(store)
    result = promote(job(store, AS_OF + timedelta(days=days), run="run-3"))
    assert result.facts["rolled_back"] is False
    assert contents(store) == before


def test_two_stores_get_the_same_bytes(store):
    other = fill(MemoryStore())
    for one in (store, other):
        promote(job(one))
    assert contents(store) == contents(other)


def test_of_many_runs_at_once_one_rolls_back(any_store):
    fill(any_store)
    results = at_once(*[lambda n=n: roll_back(job(any_store, run=f"r{n}"), DUE) for n in range(8)])
    assert [one.facts["rolled_back"] for one in results].count(True) == 1
    assert len(champion(any_store).reigns) == 3
    assert len(events(any_store)) == 1


def test_a_run_that_died_before_its_event_is_completed(store):
    promote(job(store))
    lose_events(store)
    promote(job(store))
    assert len(events(store)) == 1


def test_a_rollback_of_another_moment_is_not_for_a_run_to_record(store):
    promote(job(store))
    lose_events(store)
    promote(job(store, AS_OF + timedelta(days=3)))
    assert events(store) == []


def lose_events(store):
    for one in list_events(store, PRODUCT, "ua"):
        if one.kind == "rolled_back":
            store.delete(one.key)


def test_who_was_crowned_since_stays(store):
    crown(store, PRODUCT, "ua", make_reign(make_model(store, 44)))
    result = promote(job(store))
    assert result.message == "not rolled back: another champion reigns by now"
    assert champion(store).current.version == version(44)


def test_a_rollback_that_a_person_undid_is_not_made_again(store):
    promote(job(store))
    move = find_rollback(store, PRODUCT, "ua", Aim(undo=True), order=ORDER, as_of=AS_OF)
    make_rollback(store, PRODUCT, move)
    result = promote(job(store))
    assert result.message == "not rolled back: it was made to reign again since it was judged"
    assert champion(store).current.version == version(31)


def test_a_pinned_champion_stays(store):
    pin(store, PRODUCT, "ua", order=ORDER)
    result = promote(job(store))
    assert result.message == "not rolled back: it was pinned by ann"
    assert champion(store).current.version == version(31)


def test_a_model_whose_file_is_gone_is_refused(store):
    for key in [info.key for info in store.list("") if version(0) in info.key]:
        store.delete(key)
    with pytest.raises(RegistryError, match="cannot be restored"):
        promote(job(store))
    assert champion(store).current.version == version(31)


def test_it_is_not_gone_back_to_what_was_called_back(store):
    promote(job(store))
    assert champion(store).refuge(frozenset()) is None
    assert version(31) in champion(store).revoked_versions
