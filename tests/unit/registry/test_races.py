"""People and runs at once: every pointer tells one story, and who lost knows it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tenantry.champions import read_champion
from tenantry.crowning import crown
from tenantry.errors import ChampionMovedError, RegistryError
from tenantry.events import list_events
from tenantry.registry.pins import pin, unpin
from tenantry.registry.rollback import Aim, find_rollback, make_rollback
from tests.unit.registry.made import (
    ORDER,
    PRODUCT,
    day,
    make_model,
    make_reign,
    make_tenant,
    version,
)


def at_once(*calls):
    """Call all at once; return what each gave or refused with."""

    def attempt(call):
        try:
            return call()
        except (RegistryError, ChampionMovedError) as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(attempt, calls))


def roll_back(store, aim=Aim()):  # noqa: B008 - frozen
    return make_rollback(store, PRODUCT, find_rollback(store, PRODUCT, "ua", aim, order=ORDER))


def kinds(store):
    return [name.kind for name in list_events(store, PRODUCT, "ua")]


def test_of_many_equal_rollbacks_one_is_done(any_store):
    make_tenant(any_store, (0, 31, 62))
    found = at_once(*[lambda: roll_back(any_store)] * 8)
    assert sum(not isinstance(one, Exception) for one in found) == 1
    champion = read_champion(any_store, PRODUCT, "ua")
    assert len(champion.reigns) == 4
    assert champion.current.version == version(31)
    assert kinds(any_store).count("rolled_back") == 1


def test_of_many_equal_pins_one_is_done(any_store):
    make_tenant(any_store)
    found = at_once(*[lambda: pin(any_store, PRODUCT, "ua", order=ORDER)] * 8)
    assert sum(not isinstance(one, Exception) for one in found) == 1
    assert kinds(any_store).count("pinned") == 1
    found = at_once(*[lambda: unpin(any_store, PRODUCT, "ua", order=ORDER)] * 8)
    assert sum(not isinstance(one, Exception) for one in found) == 1
    assert kinds(any_store).count("unpinned") == 1


@pytest.mark.parametrize("order", [pin, None], ids=["pin", "rollback"])
def test_a_run_and_a_person_at_once_both_know_who_won(any_store, order):
    make_tenant(any_store)
    over = read_champion(any_store, PRODUCT, "ua").current
    challenger = make_reign(make_model(any_store, 62))

    def promote():
        return crown(any_store, PRODUCT, "ua", challenger, over=over)

    def command():
        return pin(any_store, PRODUCT, "ua", order=ORDER) if order else roll_back(any_store)

    promoted, ordered = at_once(promote, command)
    champion = read_champion(any_store, PRODUCT, "ua")
    was_promoted = not isinstance(promoted, Exception)
    was_ordered = not isinstance(ordered, Exception)
    assert was_promoted or was_ordered
    assert (champion.find(challenger.place) is not None) == was_promoted
    if was_ordered and order:
        assert champion.pin.version == champion.current.version
    if was_ordered and not order:
        assert champion.revoked_versions | {champion.current.version} >= {version(31)}
    if was_promoted and not was_ordered:
        assert champion.current == challenger


def test_runs_of_other_moments_lose_nothing_to_orders(any_store):
    make_tenant(any_store)
    backfills = [make_reign(make_model(any_store, number)) for number in range(5, 13)]
    calls = [lambda one=one: crown(any_store, PRODUCT, "ua", one) for one in backfills]
    at_once(*calls, lambda: roll_back(any_store, Aim(version(0))))
    champion = read_champion(any_store, PRODUCT, "ua")
    assert all(champion.find(one.place) for one in backfills)
    assert champion.current.version == version(0)
    assert champion.counter == len(champion.reigns)
    assert champion.until(day(31)).at(day(31) + timedelta(days=9)).version == version(0)
