"""The train stage: from a feature table and a pooled model to a challenger in the store."""

import io
import json
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from tenantry import layout
from tenantry.errors import ModelFileError, TrainingError
from tenantry.features.tables import write_features
from tenantry.jobs import Job
from tenantry.ledger import Entry, Outcome
from tenantry.models.card import PooledCard, read_card
from tenantry.models.files import load_model, save_pooled
from tenantry.sources.connections import Connections
from tenantry.stages.train import train
from tests.unit.memory_store import MemoryStore
from tests.unit.tiny_fleet import AS_OF, make_spec, make_table
from tests.unit.training.chains import CUTS, make_chain

PRODUCT = "arrival-delay"


@pytest.fixture(scope="module")
def chain():
    return make_chain()


@pytest.fixture
def store():
    return MemoryStore()


def save_chain(store, chain):
    links = dict(chain.links)
    card = PooledCard(
        product=PRODUCT, zone="default", as_of=AS_OF, task="classification", definition="d"
    )
    return save_pooled(store, card, links.pop(CUTS[-1]), links).version


def job_for(store, table, pooled=None, **changes):
    spec = make_spec("ua", **changes)
    facts = {"features": write_features(store, spec, "snapshot", table)}
    outcomes = (
        Outcome(stage="ingest", status="done", facts={"snapshot": "n" * 64}),
        Outcome(stage="build_features", status="done", facts=facts),
    )
    entry = Entry(tenant="ua", outcomes=outcomes)
    return Job("run", AS_OF, spec, entry, store, Connections(), pooled, "image@1")


def test_a_challenger_is_left_in_the_store_with_card_and_evaluation(store, chain):
    table = make_table("ua", rows=2000)
    job = job_for(store, table, save_chain(store, chain))
    result = train(job)
    version = result.facts["challenger"]
    folder = layout.model_folder(PRODUCT, "ua", version)
    assert result.status == "done"
    assert result.keys == tuple(
        f"{folder}{name}" for name in ("model.skops", "card.json", "evaluation.parquet")
    )
    assert all(key in store.objects for key in result.keys)
    card = read_card(store, PRODUCT, "ua", version)
    assert (card.trained_until, card.code_version, card.snapshot) == (AS_OF, "image@1", "n" * 64)
    assert card.rows == result.facts["rows"] == table["label"].notna().sum()
    assert card.positives == result.facts["positives"]
    assert card.holdout["challenger"]["log_loss"] == result.facts["log_loss"]
    assert set(card.scores) == set(job.spec.model.candidates)
    evaluation = pd.read_parquet(io.BytesIO(store.objects[result.keys[2]].content))
    assert len(evaluation) == card.holdout_rows > 0


def test_the_saved_model_is_loaded_with_its_pooled_part(store, chain):
    table = make_table("ua", rows=2000)
    candidates = {"blended": {}}
    job = job_for(store, table, save_chain(store, chain), candidates=candidates)
    version = train(job).facts["challenger"]
    model, card = load_model(store, PRODUCT, "ua", version)
    assert (model.form, card.pooled.version) == ("blend", job.pooled_version)
    assert model.weight == card.weight > 0
    assert np.isfinite(model.score(table, job.spec)).all()


def test_training_again_changes_no_byte(chain):
    stores = [MemoryStore(), MemoryStore()]
    for store in (*stores, stores[0]):
        train(job_for(store, make_table("ua"), save_chain(store, chain)))
    one, other = ({key: kept.content for key, kept in s.objects.items()} for s in stores)
    assert one == other


def test_a_tenant_that_refuses_the_pooled_model_is_trained_as_if_there_were_none(store, chain):
    pooled = save_chain(store, chain)
    refusing = {"contribute": True, "receive": False}
    with_pool = train(job_for(store, make_table("ua"), pooled, pooling=refusing))
    without = train(job_for(store, make_table("ua"), None, pooling=refusing))
    assert with_pool.facts == without.facts
    card = read_card(store, PRODUCT, "ua", with_pool.facts["challenger"])
    assert card.pooled is None
    assert set(card.refused) == {"pooled", "stacked", "blended"}


def test_too_few_rows_fall_back_and_say_so(store, chain):
    result = train(job_for(store, make_table("ua", rows=20), save_chain(store, chain)))
    assert result.status == "fell_back"
    assert result.facts["recipe"] == "adapted"
    assert "needed (model.min_rows)" in result.message


def test_an_older_pooled_model_serves_a_later_run(store, chain):
    pooled = save_chain(store, chain)
    job = job_for(store, make_table("ua", rows=2000), pooled)
    later = Job(
        *(job.run, AS_OF + timedelta(days=7), job.spec, job.entry, store, job.connections, pooled)
    )
    card = read_card(store, PRODUCT, "ua", train(later).facts["challenger"])
    assert card.as_of == AS_OF + timedelta(days=7)
    assert {"pooled", "challenger"} <= set(card.holdout)


def test_without_a_feature_table_the_message_says_what_to_do(store):
    job = Job("run", AS_OF, make_spec("ua"), Entry(tenant="ua"), store, Connections())
    with pytest.raises(TrainingError, match="ua: there is no feature table; run build_features"):
        train(job)


def test_a_tampered_pooled_model_is_refused(store, chain):
    pooled = save_chain(store, chain)
    key = f"{layout.pooled_folder(PRODUCT, 'default', pooled)}model.skops"
    store.put(key, store.get(key).content + b"x")
    with pytest.raises(ModelFileError, match=f"^{key}: not the file"):
        train(job_for(store, make_table("ua"), pooled))


def test_a_card_is_strict_json(store):
    version = train(job_for(store, make_table("ua"))).facts["challenger"]
    key = f"{layout.model_folder(PRODUCT, 'ua', version)}card.json"

    def refuse(name):
        raise AssertionError(name)

    json.loads(store.objects[key].content, parse_constant=refuse)
