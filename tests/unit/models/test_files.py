"""Models in the store: what is saved is what is loaded, or nothing is."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from tenantry import layout
from tenantry.errors import ModelFileError
from tenantry.models.card import Card, PooledCard, PooledPart, read_pooled_card
from tenantry.models.files import load_fold, load_model, load_pooled, save_model, save_pooled
from tenantry.models.fitted import FittedModel, link_scores
from tenantry.models.leaves import node_values
from tests.unit.memory_store import MemoryStore
from tests.unit.models.pipelines import fitted
from tests.unit.tiny_fleet import AS_OF, make_spec, make_table

PRODUCT, TENANT = "arrival-delay", "ua"
CUTS = [AS_OF - timedelta(days=days) for days in (56, 28)]


@pytest.fixture(scope="module")
def table():
    return make_table(rows=400)


@pytest.fixture(scope="module")
def own(table):
    return fitted("logistic", table)


@pytest.fixture(scope="module")
def trees(table):
    return fitted("trees", table)


@pytest.fixture
def store():
    return MemoryStore()


def draft(model, pooled=None, **changes):
    spec = make_spec()
    card = Card(
        product=PRODUCT,
        tenant=TENANT,
        as_of=AS_OF,
        trained_until=AS_OF,
        recipe=model.recipe,
        task=model.task,
        form=model.form,
        weight=model.weight,
        pooled=pooled,
        training_digest=spec.training_digest,
        spec_digest="s",
        snapshot="n",
        features="f",
        seed=7,
        code_version="1",
        rows=380,
        metric="log_loss",
    )
    return card.model_copy(update=changes)


def pooled_card(store, trees):
    card = PooledCard(
        product=PRODUCT, zone="default", as_of=AS_OF, task="classification", definition="d"
    )
    return save_pooled(store, card, trees, dict.fromkeys(CUTS, trees))


def blended(own, trees):
    return FittedModel("blended", "classification", "blend", own, trees, 0.4, 0.9, 0.1)


def saved_own(store, own):
    model = FittedModel("logistic", "classification", "own", own)
    return save_model(store, model, draft(model))


def saved_blend(store, own, trees):
    pooled = pooled_card(store, trees)
    part = PooledPart(zone="default", version=pooled.version, digest=pooled.file_digest)
    model = blended(own, trees)
    return model, save_model(store, model, draft(model, part, weight=0.4))


def test_a_model_scores_exactly_as_before_it_was_saved(store, own, trees, table):
    model, card = saved_blend(store, own, trees)
    loaded, found = load_model(store, PRODUCT, TENANT, card.version, file_digest=card.file_digest)
    np.testing.assert_array_equal(loaded.score(table, make_spec()), model.score(table, make_spec()))
    assert found == card
    assert card.version == f"20131001T000000Z-{card.content_digest[:12]}"


def test_saving_twice_leaves_the_store_as_it_is(store, own, trees):
    saved_blend(store, own, trees)
    before = {key: kept.content for key, kept in store.objects.items()}
    saved_blend(store, own, trees)
    assert {key: kept.content for key, kept in store.objects.items()} == before


@pytest.mark.parametrize("part", [{"weight": 0.41}, {"slope": 0.91}, {"intercept": 0.0}])
def test_the_identity_covers_all_that_scores_hang_on(store, own, trees, part):
    model, card = saved_blend(store, own, trees)
    other = FittedModel(**{**vars(model), **part})
    assert save_model(store, other, card).version != card.version


def test_adapted_leaves_are_saved_and_pooled_trees_are_not(store, own, trees, table):
    model, plain = saved_blend(store, own, trees)
    adapted = replace(model, leaves=2 * node_values(trees))
    card = save_model(store, adapted, plain)
    loaded, _ = load_model(store, PRODUCT, TENANT, card.version)
    scores = adapted.score(table, make_spec())
    np.testing.assert_array_equal(loaded.score(table, make_spec()), scores)
    assert not np.allclose(scores, model.score(table, make_spec()))
    assert card.version != plain.version
    sizes = [
        len(
            store.objects[f"{layout.model_folder(PRODUCT, TENANT, one.version)}model.skops"].content
        )
        for one in (plain, card)
    ]
    assert sizes[1] - sizes[0] < 8 * len(node_values(trees)) + 1000


def test_the_identity_covers_the_pooled_part(store, own, trees):
    model, card = saved_blend(store, own, trees)
    elsewhere = card.pooled.model_copy(update={"digest": "e" * 64})
    again = save_model(store, model, card.model_copy(update={"pooled": elsewhere}))
    assert again.version != card.version


def test_a_pooled_model_alone_has_a_file_too(store, trees, table):
    pooled = pooled_card(store, trees)
    part = PooledPart(zone="default", version=pooled.version, digest=pooled.file_digest)
    model = FittedModel("pooled", "classification", "pooled", pooled=trees)
    card = save_model(store, model, draft(model, part))
    loaded, _ = load_model(store, PRODUCT, TENANT, card.version)
    np.testing.assert_array_equal(loaded.score(table, make_spec()), model.score(table, make_spec()))


def test_card_and_model_must_agree_on_the_pooled_part(store, own, trees):
    with pytest.raises(ValueError, match="needs a card that names it"):
        save_model(store, blended(own, trees), draft(blended(own, trees)))


def test_the_champions_digest_is_checked_before_the_file_is_opened(store, own, trees):
    _, card = saved_blend(store, own, trees)
    with pytest.raises(ModelFileError, match="another file than the champion's pointer"):
        load_model(store, PRODUCT, TENANT, card.version, file_digest="0" * 64)


@pytest.mark.parametrize("name", ["model.skops", "card.json", "pooled"])
@pytest.mark.parametrize("harm", ["missing", "changed"])
def test_missing_and_changed_files_are_refused(store, own, trees, name, harm):
    _, card = saved_blend(store, own, trees)
    folder = layout.model_folder(PRODUCT, TENANT, card.version)
    pooled = layout.pooled_folder(PRODUCT, "default", card.pooled.version)
    key = f"{pooled}model.skops" if name == "pooled" else folder + name
    if harm == "missing":
        store.delete(key)
    else:
        store.put(key, store.get(key).content[:-1] + b"x")
    with pytest.raises(ModelFileError, match=f"^{key}"):
        load_model(store, PRODUCT, TENANT, card.version)


@pytest.mark.parametrize("what", ["card", "file", "both"])
def test_another_models_card_or_file_is_refused(store, own, trees, what):
    _, card = saved_blend(store, own, trees)
    other = saved_own(store, own)
    folders = [layout.model_folder(PRODUCT, TENANT, one.version) for one in (card, other)]
    for name in {"card": ["card.json"], "file": ["model.skops"]}.get(
        what, ["card.json", "model.skops"]
    ):
        store.put(folders[0] + name, store.get(folders[1] + name).content)
    for digest in ("", card.file_digest):
        with pytest.raises(ModelFileError, match=f"^{folders[0]}"):
            load_model(store, PRODUCT, TENANT, card.version, file_digest=digest)


@pytest.mark.parametrize("change", [{"tenant": "b6"}, {"product": "other"}])
def test_another_tenants_card_is_refused(store, own, change):
    card = saved_own(store, own)
    key = f"{layout.model_folder(PRODUCT, TENANT, card.version)}card.json"
    store.put(key, card.model_copy(update=change).to_json())
    with pytest.raises(ModelFileError, match=r"card\.json: is the card of another model"):
        load_model(store, PRODUCT, TENANT, card.version, file_digest=card.file_digest)


def test_a_pooled_model_and_its_folds_come_back(store, trees, table):
    card = pooled_card(store, trees)
    assert read_pooled_card(store, PRODUCT, "default", card.version) == card
    for pipeline in (load_pooled(store, card), load_fold(store, card, AS_OF)):
        np.testing.assert_array_equal(link_scores(pipeline, table), link_scores(trees, table))


@pytest.mark.parametrize(("days", "cut"), [(57, None), (56, 0), (29, 0), (28, 1), (0, 1)])
def test_a_fold_never_saw_anything_after_the_moment_asked_for(store, own, trees, days, cut):
    folds = dict(zip(CUTS, (own, trees), strict=True))
    card = PooledCard(
        product=PRODUCT, zone="default", as_of=AS_OF, task="classification", definition="d"
    )
    card = save_pooled(store, card, trees, folds)
    fold = load_fold(store, card, AS_OF - timedelta(days=days))
    kind = type(fold["estimator"]) if fold else None
    assert kind == (None if cut is None else type(folds[CUTS[cut]]["estimator"]))


def test_a_pooled_model_that_is_not_there_says_so(store):
    with pytest.raises(ModelFileError, match=r"card\.json: missing; train again"):
        read_pooled_card(store, PRODUCT, "default", "none")
