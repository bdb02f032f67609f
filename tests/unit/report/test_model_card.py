"""A model's page: what it says, that it is one closed file, and that data stays text."""

import re

import pytest

from tenantry.curves import curves_key
from tenantry.models.card import read_card
from tenantry.report.model_card import card_page_key, render_model_card
from tenantry.report.model_facts import read_model_facts
from tenantry.stages.promote import promote
from tests.unit.report.made_card import make_tenancy, promoted
from tests.unit.report.outline import Outline
from tests.unit.stages.tenancy import SEPTEMBER, Tenancy
from tests.unit.tiny_fleet import AS_OF, FEATURES, make_spec, make_table

HOSTILE = "<script>alert(1)</script>\"'&"


@pytest.fixture(scope="module")
def tenancy():
    return make_tenancy()


@pytest.fixture(scope="module")
def page(tenancy):
    version = promoted(tenancy)
    return tenancy.store.get(card_page_key("arrival-delay", "ua", version)).content.decode()


@pytest.fixture(scope="module")
def outline(page):
    return Outline(page)


def test_the_page_is_well_formed_and_fetches_nothing(page, outline):
    assert (outline.faults, outline.open) == ([], [])
    assert not [*outline.all("link"), *outline.all("img"), *outline.all("script")]
    assert not re.search(r"url\(|@import|https?://", page)
    (policy,) = [attrs for attrs in outline.all("meta") if "http-equiv" in attrs]
    assert re.fullmatch(r"default-src 'none'; style-src 'sha256-[\w+/]{43}='", policy["content"])
    assert [attrs for _, attrs in outline.elements if "style" in attrs] == []


@pytest.mark.parametrize(
    "words",
    [
        "Model card · arrival-delay · as of 2013-10-01 UTC",
        "ua: arrives late",
        "An airline",
        "how likely it is: arrives late ( arr_delay above 15)",
        "the tenant's own rows alone ( logistic )",
        "260 later rows, by the same recipe fitted before them",
        "the champion of then",
        "the pooled model",
        "the base rate",
        "to: ORD: worse than the pooled model on 60 rows, beyond noise.",
        "Nothing is known of how good it is for: to ANC (too few rows).",
        "Saying yes from 50% up flags",
        "ROC curve, area .",
        "wind at the airport mph number wind",
        "Logistic: log loss .4100 on 300 later rows.",
        "stacked there is no pooled model",
        "seed 7",
    ],
)  # fmt: skip
def test_what_the_page_says(outline, words):
    assert words in outline.words


def test_the_gates_sentence_stands_on_top(tenancy, outline):
    version = max(read for read in _versions(tenancy))
    sentence = read_model_facts(tenancy.store, tenancy.spec, version).decision.sentence
    assert sentence[0].upper() + sentence[1:] + "." in outline.words


def _versions(tenancy):
    return {key.split("/")[4] for key in tenancy.store.objects if key.endswith("card.html")}


def test_equal_facts_give_equal_bytes(tenancy, page):
    version = max(_versions(tenancy))
    again = render_model_card(read_model_facts(tenancy.store, tenancy.spec, version))
    assert again == page


def test_hostile_text_stays_text():
    features = FEATURES | {
        "dest": {"kind": "categorical", "title": HOSTILE, "unit": HOSTILE},
    }
    table = make_table(rows=2000)
    table["origin"] = table["origin"].replace("JFK", HOSTILE)
    spec = make_spec(
        features=features,
        description=HOSTILE,
        label={"column": "arr_delay", "above": 15, "title": HOSTILE},
    )
    hostile = Tenancy(spec=spec, table=table)
    version = promoted(hostile)
    outline = Outline(
        hostile.store.get(card_page_key("arrival-delay", "ua", version)).content.decode()
    )
    assert not outline.all("script")
    assert outline.words.count(HOSTILE) >= 4


def test_a_model_that_was_never_decided_on_has_a_page(tenancy):
    card = Tenancy(store=tenancy.store).train(SEPTEMBER)
    facts = read_model_facts(tenancy.store, tenancy.spec, card.version)
    assert facts.curves is None
    assert "No decision of the gate is on record." in Outline(render_model_card(facts)).words


def test_regression_has_no_roc_and_counts_in_its_own_unit():
    spec = make_spec(
        candidates={"prior": {}},
        model={"metric": "rmse"},
        label={"column": "arr_delay", "task": "regression", "title": "minutes late"},
    )
    tenancy = Tenancy(spec=spec, table=make_table(rows=1500, task="regression"))
    card = tenancy.train(AS_OF, recipe="ridge")
    result = promote(tenancy.promote_job(AS_OF, card))
    outline = Outline(
        tenancy.store.get(card_page_key("arrival-delay", "ua", card.version)).content.decode()
    )
    assert (outline.faults, outline.open) == ([], [])
    assert "ROC" not in outline.words
    assert "how likely" not in outline.words
    assert "the mean" in outline.words
    assert "Predicted against observed" in outline.words
    assert re.search(
        r"Half of the labels lie between -[\d.]+ and [\d.]+, nine in ten", outline.words
    )
    assert card_page_key("arrival-delay", "ua", card.version) in result.keys


def test_the_page_lies_beside_the_curves(tenancy):
    version = max(_versions(tenancy))
    assert (
        card_page_key("arrival-delay", "ua", version).rsplit("/", 1)[0]
        == curves_key("arrival-delay", "ua", version).rsplit("/", 1)[0]
    )
    assert read_card(tenancy.store, "arrival-delay", "ua", version).version == version
