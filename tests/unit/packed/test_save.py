"""Packed files lie beside models: checked, named by digest, never written over."""

import pytest

from tenantry import layout
from tenantry.digests import sha256
from tenantry.errors import ModelFileError
from tenantry.features.recipe import own_frame, pooled_frame
from tenantry.models.card import PooledCard, PooledPart
from tenantry.models.files import save_model, save_pooled
from tenantry.packed.load import load_packed, load_part
from tenantry.packed.save import pack_pooled, save_packed
from tenantry.training.lessons import Lessons
from tests.unit.memory_store import MemoryStore
from tests.unit.models.pipelines import fitted
from tests.unit.models.test_files import draft
from tests.unit.tiny_fleet import AS_OF, CANDIDATES, make_spec, make_table
from tests.unit.training.chains import CUTS, make_chain

SPEC = make_spec("ua", candidates=CANDIDATES | {"adapted": {}})
TABLE = make_table("ua", rows=600)


@pytest.fixture(scope="module")
def lessons():
    return Lessons(TABLE, SPEC, make_chain(cuts=CUTS[-1:], rows=500))


def pooled_card(store, pipeline, *, packed=True):
    card = PooledCard(
        product=SPEC.product, zone="default", as_of=AS_OF, task="classification", definition="d"
    )
    content, why_not = pack_pooled(pipeline, pooled_frame(TABLE, SPEC), "classification")
    assert content
    assert not why_not
    return save_pooled(store, card, pipeline, {}, packed=content if packed else b"")


def saved(lessons, name, *, packed=True):
    """Save a model of that recipe; return store, model and card."""
    store, model = MemoryStore(), lessons.fit(name, AS_OF)
    part = None
    if model.pooled is not None:
        card = pooled_card(store, model.pooled, packed=packed)
        part = PooledPart(zone="default", version=card.version, digest=card.file_digest)
    return store, model, save_model(store, model, draft(model, part))


def key_of(card):
    return f"{layout.model_folder(card.product, card.tenant, card.version)}packed.bin"


@pytest.mark.parametrize("name", ["prior", "logistic", "pooled", "adapted", "blended"])
def test_what_is_loaded_says_what_was_saved(lessons, name):
    store, model, card = saved(lessons, name)
    packed = save_packed(store, model, card, TABLE, SPEC)
    assert sha256(store.get(key_of(card)).content) == packed.digest
    assert not packed.why_not
    found = load_packed(store, SPEC.product, "ua", card.version, file_digest=packed.digest)
    said = found.predict(own_frame(TABLE, SPEC), pooled_frame(TABLE, SPEC))
    assert said == pytest.approx(model.predict(TABLE, SPEC), rel=1e-12)
    assert save_packed(store, model, card, TABLE, SPEC) == packed


def test_one_pooled_part_serves_all_its_models(lessons):
    store, model, card = saved(lessons, "adapted")
    digest = save_packed(store, model, card, TABLE, SPEC).digest
    one, other = (
        load_packed(store, SPEC.product, "ua", card.version, file_digest=digest) for _ in range(2)
    )
    assert one.pooled is other.pooled


def test_a_model_on_a_pooled_one_without_a_packed_file_has_none(lessons):
    store, model, card = saved(lessons, "blended", packed=False)
    packed = save_packed(store, model, card, TABLE, SPEC)
    assert packed.digest == ""
    assert packed.why_not.startswith("the pooled model is not packed")
    assert key_of(card) not in store.objects


def test_what_is_there_is_not_written_over(lessons):
    store, model, card = saved(lessons, "logistic")
    store.put(key_of(card), b"of other code")
    packed = save_packed(store, model, card, TABLE, SPEC)
    assert "other bytes" in packed.why_not
    assert store.get(key_of(card)).content == b"of other code"


def test_a_pooled_model_that_cannot_be_packed_says_why():
    table = make_table(rows=300)
    content, why_not = pack_pooled(fitted("trees", table), table, "classification")
    assert (content, why_not) == (b"", "OrdinalEncoder with these settings is not packed")


@pytest.mark.parametrize("content", [None, b"another"])
def test_another_file_than_the_pointer_names_is_not_opened(lessons, content):
    store, model, card = saved(lessons, "adapted")
    digest = save_packed(store, model, card, TABLE, SPEC).digest
    with pytest.raises(ModelFileError, match="digest"):
        load_packed(store, SPEC.product, "ua", card.version, file_digest="0" * 64)
    part = PooledPart(zone="default", version=card.pooled.version, digest="0" * 64)
    with pytest.raises(ModelFileError, match="digest"):
        load_part(store, SPEC.product, part)
    pooled = f"{layout.pooled_folder(SPEC.product, 'default', part.version)}packed.bin"
    store.delete(pooled) if content is None else store.put(pooled, content)
    with pytest.raises(ModelFileError, match="pooled/default/"):
        load_packed(store, SPEC.product, "ua", card.version, file_digest=digest)
