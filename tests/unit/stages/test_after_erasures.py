"""What stages do when something was erased, or is being erased while they are at work."""

import pytest

from tenantry import layout
from tenantry.champions import read_champion
from tenantry.crowning import move_champion
from tenantry.erasure.subject import erase_rows, read_keys
from tenantry.erasure.tombstones import Tombstone, write_tombstone
from tenantry.errors import StoreUnavailableError
from tenantry.models.card import read_pooled_card
from tenantry.models.pooled import PooledPointer, PooledReign, enthrone, read_pooled
from tenantry.receipts import read_receipts
from tenantry.reigns import swap
from tenantry.stages.ingest import ingest
from tenantry.stages.predict import predict
from tenantry.stages.promote import promote
from tenantry.stages.train_pooled import train_pooled
from tests.unit.memory_store import MemoryStore
from tests.unit.sources.lake import Lake, make_spec
from tests.unit.stages.tenancy import AUGUST, SEPTEMBER, WINDOWS, Tenancy
from tests.unit.stages.test_ingest import job as ingest_job
from tests.unit.stages.test_train_pooled import landing, spec_of
from tests.unit.tiny_fleet import AS_OF

__all__ = ["landing"]

PRODUCT = "arrival-delay"
TENANTS = ("aa", "b6", "ua")


@pytest.fixture
def tenancy():
    return Tenancy()


def mark(tenancy, **marks):
    """Mark versions in the champion's pointer, e.g. ``tainted=[version]``."""
    verbs = {"tainted": "taint", "withdrawn": "withdraw"}

    def change(found):
        for name, versions in marks.items():
            found = getattr(found, verbs[name])(versions, "rows were erased")
        return found

    return move_champion(tenancy.store, PRODUCT, "ua", change)


# --- the tenant's own models ----------------------------------------------------------------------


def test_a_tainted_champion_has_no_say(tenancy):
    reign = tenancy.crown(tenancy.train(SEPTEMBER))
    mark(tenancy, tainted=[reign.version])
    worse = tenancy.train(AS_OF, noise=0.3)
    result = promote(tenancy.promote_job(AS_OF, worse))
    assert result.facts["champion"] != reign.version
    assert result.message.startswith("the champion has to go, rows were erased: ")
    assert read_champion(tenancy.store, PRODUCT, "ua").current.version != reign.version


def test_a_version_that_is_made_again_is_decided_on_again(tenancy):
    card = tenancy.train(AS_OF)
    promote(tenancy.promote_job(AS_OF, card))
    mark(tenancy, tainted=[card.version])
    result = promote(tenancy.promote_job(AS_OF, card))
    champion = read_champion(tenancy.store, PRODUCT, "ua")
    assert result.facts["champion"] == champion.current.version == card.version
    assert champion.tainted == {}


def test_a_withdrawn_champion_is_neither_loaded_nor_compared_with(tenancy):
    reign = tenancy.crown(tenancy.train(SEPTEMBER))
    mark(tenancy, withdrawn=[reign.version])
    tenancy.store.purge(layout.model_folder(PRODUCT, "ua", reign.version))
    result = promote(tenancy.promote_job(AS_OF, tenancy.train(AS_OF)))
    assert result.facts["promoted"] is True
    assert "promoted as first model" in result.message


def test_no_window_is_predicted_by_a_withdrawn_model(tenancy):
    first, second = (tenancy.crown(tenancy.train(moment)) for moment in (AUGUST, SEPTEMBER))
    mark(tenancy, withdrawn=[second.version])
    predict(tenancy.predict_job(AS_OF, *WINDOWS))
    found = read_receipts(tenancy.store, PRODUCT, "ua").values()
    assert {receipt.model for receipt in found} == {first.version}


def test_windows_stay_open_when_every_model_was_withdrawn(tenancy):
    reign = tenancy.crown(tenancy.train(AUGUST))
    mark(tenancy, withdrawn=[reign.version])
    result = predict(tenancy.predict_job(AS_OF, *WINDOWS))
    assert (result.status, result.keys) == ("fell_back", ())
    assert "4 windows stay open" in result.message


def test_a_model_whose_pooled_one_is_gone_counts_no_more(tenancy):
    first = tenancy.crown(tenancy.train(AUGUST))
    tenancy.crown(tenancy.train(SEPTEMBER), pooled="default/p")
    enthrone(
        tenancy.store,
        PRODUCT,
        "default",
        PooledReign(since=AUGUST, version="p", digest="d", definition="d"),
    )
    key = layout.pooled(PRODUCT, "default")
    swap(tenancy.store, key, PooledPointer, lambda found: found.withdraw(["p"], "erased"))
    predict(tenancy.predict_job(AS_OF, *WINDOWS))
    found = read_receipts(tenancy.store, PRODUCT, "ua").values()
    assert {receipt.model for receipt in found} == {first.version}
    assert promote(tenancy.promote_job(AS_OF, tenancy.train(AS_OF))).facts["promoted"]


# --- rows -----------------------------------------------------------------------------------------


def test_rows_that_were_erased_are_never_taken_in_again(tmp_path):
    lake, store, spec = Lake(tmp_path).fill(), MemoryStore(), make_spec()
    assert ingest(ingest_job(lake, spec, store)).facts["rows"] == 30
    keys = read_keys(spec, ["number"], [["101"], ["205"]])
    erase_rows(store, spec, keys, who="a", why="b", when=AS_OF, active=())
    assert ingest(ingest_job(lake, spec, store)).facts["rows"] == 28


# --- the pooled model -----------------------------------------------------------------------------


def pool(store, connections, tenants=TENANTS, as_of=AS_OF):
    specs = [spec_of(name) for name in tenants]
    return train_pooled(
        specs, as_of, run="r", store=store, connections=connections, code_version="c"
    )


def bury(store, tenant):
    write_tombstone(store, Tombstone(product=PRODUCT, tenant=tenant, when=AS_OF, who="a", why="b"))


def test_an_erased_tenant_is_in_no_pool_even_when_it_is_still_declared(landing):
    store = MemoryStore()
    bury(store, "b6")
    outcome = pool(store, landing())
    assert set(outcome.contributors) == {"aa", "ua"}


def test_a_tainted_pooled_model_is_made_anew_although_it_is_fresh(landing):
    store, connections = MemoryStore(), landing()
    first = pool(store, connections).zones["default"]
    key = layout.pooled(PRODUCT, "default")
    swap(store, key, PooledPointer, lambda found: found.taint([first], "rows were erased"))
    again = pool(store, connections, tenants=("aa", "ua"))
    assert again.zones["default"] != first
    assert "(rows were erased)" in again.message


def test_erased_rows_are_in_no_pool(landing):
    store, connections = MemoryStore(), landing()
    whole = pool(store, connections).contributors
    keys = read_keys(spec_of("aa"), ["number"], [["3"], ["4"]])
    erase_rows(store, spec_of("aa"), keys, who="a", why="b", when=AS_OF, active=())
    key = layout.pooled(PRODUCT, "default")
    swap(store, key, PooledPointer, lambda found: found.taint([found.current.version], "erased"))
    less = pool(store, connections).contributors
    assert {name: whole[name] - less[name] for name in TENANTS} == {"aa": 2, "b6": 0, "ua": 0}


def test_no_pool_is_trained_without_a_tenant_whose_erasures_the_store_did_not_tell(landing):
    class Away(MemoryStore):
        """Does not tell which rows were erased."""

        def get(self, key):
            if key.endswith("suppressed.json"):
                raise StoreUnavailableError(key)
            return super().get(key)

    store, connections = MemoryStore(), landing()
    keys = read_keys(spec_of("aa"), ["number"], [["3"]])
    erase_rows(store, spec_of("aa"), keys, who="a", why="b", when=AS_OF, active=())
    away = Away()
    away.objects = store.objects
    with pytest.raises(StoreUnavailableError):
        pool(away, connections)
    assert read_pooled(store, PRODUCT, "default") is None
    assert set(pool(store, connections).contributors) == set(TENANTS)


def test_a_pooled_model_is_thrown_away_when_something_was_erased_while_it_was_trained(landing):
    store, connections = MemoryStore(), landing()

    class ErasedMeanwhile(MemoryStore):
        """Somebody erases a tenant right before the model's card is written."""

        def put(self, key, content):
            if key.endswith("card.json"):
                bury(self, "aa")
            return super().put(key, content)

    store = ErasedMeanwhile()
    outcome = pool(store, connections)
    assert outcome.zones == {}
    assert "something was erased while it was trained" in outcome.message
    assert not [key for key in store.objects if key.endswith((".skops", "card.json"))]
    assert read_pooled(store, PRODUCT, "default").standing == ()
    made = pool(store, connections).zones["default"]
    card = read_pooled_card(store, PRODUCT, "default", made)
    assert set(card.contributors) == {"b6", "ua"}
