from datetime import timedelta

import pytest

from tenantry import layout
from tenantry.errors import ModelFileError
from tenantry.models.attribution import _own_trees
from tenantry.models.card import PooledCard, read_object, read_pooled_card
from tenantry.models.files import load_fold, load_pooled, open_pipeline, save_pooled
from tenantry.models.shared import open_shared, read_shared
from tests.unit.memory_store import MemoryStore
from tests.unit.models.pipelines import fitted
from tests.unit.tiny_fleet import AS_OF, make_table

PRODUCT = "arrival-delay"


@pytest.fixture(scope="module")
def trees():
    return fitted("trees", make_table(rows=400))


def saved(store, trees, *, packed=False):
    card = PooledCard(
        product=PRODUCT, zone="default", as_of=AS_OF, task="classification", definition="d"
    )
    folds = {AS_OF - timedelta(days=28): trees}
    return save_pooled(store, card, trees, folds, packed=b"packed" if packed else b"")


@pytest.fixture(autouse=True)
def _nothing_stays_open():
    yield
    open_shared([])


def test_what_was_opened_before_is_neither_read_nor_opened_again(trees):
    store = MemoryStore()
    card = saved(store, trees)
    open_pipeline.cache_clear()
    open_shared(read_shared(store, PRODUCT, {"default": card.version}))
    assert open_pipeline.cache_info().misses == 2
    nothing = MemoryStore()
    assert load_pooled(nothing, card) is not None
    assert load_fold(nothing, card, AS_OF) is not None


def test_card_and_packed_file_are_not_read_again(trees):
    store = MemoryStore()
    card = saved(store, trees, packed=True)
    open_shared(read_shared(store, PRODUCT, {"default": card.version}))
    nothing = MemoryStore()
    assert read_pooled_card(nothing, PRODUCT, "default", card.version) == card
    key = f"{layout.pooled_folder(PRODUCT, 'default', card.version)}packed.bin"
    assert read_object(nothing, key) == b"packed"
    open_shared([])
    with pytest.raises(ModelFileError, match=r"packed\.bin: missing"):
        read_object(nothing, key)


def test_what_an_earlier_shard_opened_is_read_again(trees):
    store = MemoryStore()
    card = saved(store, trees)
    open_shared(read_shared(store, PRODUCT, {"default": card.version}))
    open_shared([])
    with pytest.raises(ModelFileError, match=r"model\.skops: missing"):
        load_pooled(MemoryStore(), card)
    other = card.model_copy(update={"file_digest": "0" * 64})
    open_shared(read_shared(store, PRODUCT, {"default": card.version}))
    with pytest.raises(ModelFileError, match=r"model\.skops: not the file"):
        load_pooled(store, other)


def test_what_cannot_be_read_is_left_to_whoever_needs_it(trees):
    store = MemoryStore()
    card = saved(store, trees)
    assert read_shared(store, PRODUCT, {"default": "none"}) == ()
    (_, fold, model) = read_shared(store, PRODUCT, {"default": card.version})
    open_shared([model._replace(content=b"damaged"), fold._replace(digest="0" * 64)])


def test_before_promoting_what_explains_the_pooled_model_is_worked_out(trees):
    store = MemoryStore()
    card = saved(store, trees)
    open_shared(read_shared(store, PRODUCT, {"default": card.version}), "promote", tenants=5)
    at_hand = _own_trees(load_pooled(MemoryStore(), card), 0)
    assert {"mean_score", "_units"} <= vars(at_hand).keys()
    assert "paths" in vars(at_hand.forest)
