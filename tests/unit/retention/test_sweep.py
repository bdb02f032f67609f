"""Who is left alone by a collection, and what comes between looking and sweeping."""

import pytest

from tenantry import layout
from tenantry.digests import sha256
from tenantry.erasure.tombstones import Tombstone, write_tombstone
from tenantry.errors import SpecError
from tenantry.openings import Opening
from tenantry.retention.sweep import POOLED, RUNS, SPECS
from tests.unit.retention.specs import collect, make_collector, make_fleet, parts
from tests.unit.small_store import PRODUCT, START


def test_who_is_being_worked_on_is_left_alone(made):
    opening = Opening(product=PRODUCT, run="run-7", shard="default_01", tenants=("ua",))
    made.store.put(opening.key, opening.to_json())
    made.pool(10, ["ua"])
    found = parts(made.store, make_fleet(models="1d"))
    assert (found["ua"].waste, found["ua"].left) == ((), "run-7 is working on it")
    assert found[POOLED].left == "run-7 is at work"


@pytest.mark.parametrize("name", ["card.json", "receipt.json", "judgement.json", "champion.json"])
def test_who_has_a_record_that_cannot_be_read_is_left_alone_and_named(made, name):
    key = next(key for key in made.store.objects if key.endswith(name))
    made.store.put(key, b"{torn")
    found = parts(made.store, make_fleet(models="1d"))
    assert (found["ua"].waste, found["ua"].is_fault) == ((), True)
    assert found["ua"].left == f"{key} cannot be read; restore or delete it"
    assert found[POOLED].is_fault


def test_who_has_no_spec_or_was_erased_is_left_alone(made):
    assert parts(made.store, make_fleet(["aa"]))["ua"].left == "no spec declares it"
    stone = Tombstone(product=PRODUCT, tenant="ua", when=START, who="ann", why="left")
    write_tombstone(made.store, stone)
    assert parts(made.store, make_fleet())["ua"].left == "it was erased"


def test_one_tenant_alone_leaves_pooled_models_and_runs(made):
    made.snapshot("aa", 10)
    assert set(parts(made.store, make_fleet(), tenant="aa")) == {"aa"}
    assert set(parts(made.store, make_fleet())) == {"aa", "ua", POOLED, RUNS, SPECS}
    with pytest.raises(
        SpecError, match="au: the store holds nothing of such a tenant; choose from"
    ):
        parts(made.store, make_fleet(), tenant="au")


def test_a_champion_moved_between_looking_and_sweeping_stops_the_sweep(made):
    fleet = make_fleet(features="1d")
    collector = make_collector(made.store, fleet, 400)
    shown = list(collector.find())
    seen = []
    original = made.store.get

    def get(key):
        found = original(key)
        if key == layout.champion(PRODUCT, "ua"):
            seen.append(key)
            if len(seen) == 1:
                made.pin(made.cards[40])
        return found

    made.store.get = get
    swept = {part.name: part for part in collector.sweep(shown)}
    assert swept["ua"].left == "its champion was moved meanwhile"
    assert swept["ua"].waste == ()


def test_what_was_used_again_since_it_was_shown_stays(made):
    fleet = make_fleet(features=None, snapshots="1d", models="1d", champions=1, predictions="1d")
    collector = make_collector(made.store, fleet, 400)
    shown = list(collector.find())
    wanted = layout.snapshot(PRODUCT, "ua", made.shas[25])
    assert wanted in {one.key for part in shown for one in part.waste}
    made.snapshot("ua", 400, months=("m25", "shared"))
    swept = {one.key for part in collector.sweep(shown) for one in part.waste}
    assert wanted not in swept
    assert layout.chunk(PRODUCT, "ua", sha256(b"ua m25")) in made.store.objects


def test_a_collection_is_on_record_before_anything_goes(made):
    rules = {"models": "1d", "champions": 1, "predictions": "1d"}
    gone = collect(made.store, make_fleet(**rules), 400)
    (record,) = (key for key in made.store.objects if "/collections/" in key)
    content = made.store.objects[record].content.decode()
    for key in gone:
        if "/features/" not in key:
            assert key in content
    assert '"features":5' in content
