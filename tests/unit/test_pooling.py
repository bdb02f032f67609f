from datetime import UTC, datetime, timedelta

import pytest

from tenantry import layout
from tenantry.models.card import PooledCard
from tenantry.models.pooled import PooledReign, depose, enthrone, read_pooled
from tenantry.pooling import definition, find_reasons, find_standing, split_zones
from tests.unit.memory_store import MemoryStore
from tests.unit.tiny_fleet import make_spec

OCTOBER = datetime(2013, 10, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PRODUCT = "arrival-delay"


@pytest.fixture
def store():
    """A store with a pooled model as of October, made of the rows of aa and ua."""
    store = MemoryStore()
    spec = make_spec("aa")
    card = PooledCard(
        product=PRODUCT,
        zone="default",
        version="v1",
        as_of=OCTOBER,
        task="classification",
        definition=definition(spec),
        contributors={"aa": 10, "ua": 10},
    )
    folder = layout.pooled_folder(PRODUCT, "default", "v1")
    store.put(f"{folder}model.skops", b"")
    store.put(f"{folder}card.json", card.to_json())
    reign = PooledReign(since=OCTOBER, version="v1", digest="d", definition=definition(spec))
    enthrone(store, PRODUCT, "default", reign)
    return store


def specs(**changes):
    return [make_spec("aa"), make_spec("ua", **changes)]


def reasons(store, some, *, training=(), days=0):
    zones = split_zones(some, OCTOBER + days * DAY)
    return find_reasons(zones, training, store)


def test_a_fresh_one_is_not_due(store):
    assert reasons(store, specs(), training=specs()) == {}


def test_a_missing_one_is_due_when_somebody_is_to_be_trained():
    assert reasons(MemoryStore(), specs()) == {}
    assert reasons(MemoryStore(), specs(), training=specs()) == {"default": "there was none"}


def test_an_old_one_is_due_when_somebody_is_to_be_trained(store):
    assert reasons(store, specs(), days=40) == {}
    assert reasons(store, specs(), training=specs(), days=40) == {
        "default": "the last one is of 2013-10-01, pooled.every is 28d"
    }


def test_one_whose_file_is_gone_is_due_when_somebody_is_to_be_trained(store):
    store.delete(f"{layout.pooled_folder(PRODUCT, 'default', 'v1')}model.skops")
    assert reasons(store, specs()) == {}
    assert reasons(store, specs(), training=specs()) == {
        "default": "files of it are gone, collected or lost"
    }


def test_one_whose_packed_file_is_gone_is_due_likewise(store):
    key = f"{layout.pooled_folder(PRODUCT, 'default', 'v1')}card.json"
    card = PooledCard.from_json(store.get(key).content, key)
    store.put(key, card.model_copy(update={"packed_digest": "p" * 64}).to_json())
    assert reasons(store, specs(), training=specs()) == {
        "default": "files of it are gone, collected or lost"
    }


def test_one_that_is_made_in_another_way_is_due_when_somebody_is_to_be_trained(store):
    other = [make_spec(name, model={"seed": 9}) for name in ("aa", "ua")]
    assert reasons(store, other) == {}
    assert reasons(store, other, training=other) == {"default": "what it is made by changed"}


@pytest.mark.parametrize(
    "changes", [{"pooling": {"contribute": False}}, {"state": "retired"}], ids=["denies", "retired"]
)
def test_one_that_holds_rows_which_may_not_be_in_it_is_due_though_nobody_trains(store, changes):
    assert reasons(store, specs(**changes)) == {"default": "no longer pooled: ua"}


def test_a_gone_tenant_makes_it_due_though_nobody_trains(store):
    assert reasons(store, [make_spec("aa")]) == {"default": "no longer pooled: ua"}


def test_a_tainted_one_is_due_though_nobody_trains(store):
    pointer = read_pooled(store, PRODUCT, "default").taint(["v1"], "rows were erased")
    store.put(layout.pooled(PRODUCT, "default"), pointer.to_json())
    assert reasons(store, specs()) == {"default": "rows were erased"}


def test_where_nobody_contributes_none_is_due_but_what_holds_rows_goes():
    denying = [make_spec("aa", pooling={"contribute": False})]
    assert reasons(MemoryStore(), denying, training=denying) == {}


def test_a_deposed_one_counts_no_more(store):
    depose(store, PRODUCT, "default", "v1", "no longer pooled: ua")
    (zone,) = split_zones(specs(), OCTOBER)
    assert find_standing(zone, store).reign is None
    assert reasons(store, specs()) == {}


def test_zones_are_judged_apart(store):
    eu = make_spec("b6", residency={"zone": "eu"})
    assert reasons(store, [*specs(), eu], training=[eu]) == {"eu": "there was none"}
