"""Every recipe fits what it says, says no in words, and does the same twice."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from tenantry.digests import sha256
from tenantry.errors import TrainingError
from tenantry.metrics import measure
from tenantry.models.archive import pack
from tenantry.models.fitted import link_scores
from tenantry.models.link import from_link
from tenantry.specs.learning import POOLED_RECIPES, RECIPES
from tenantry.training.candidates import CANDIDATES, fit_candidate
from tenantry.training.lessons import Lessons
from tests.unit.tiny_fleet import AS_OF, make_spec, make_table
from tests.unit.training.chains import make_chain


@pytest.fixture(scope="module")
def chain():
    return make_chain()


@pytest.fixture(scope="module")
def lessons(chain):
    return Lessons(make_table("ua"), make_spec("ua"), chain)


def own_bytes(model):
    return sha256(pack({"own": model.own, "weight": model.weight, "leaves": model.leaves}))


def test_the_spec_names_exactly_the_recipes_there_are():
    assert set(CANDIDATES) == set(RECIPES)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_beats_a_coin_and_two_fits_are_one(lessons, name):
    first, second = lessons.fit(name, AS_OF), lessons.fit(name, AS_OF)
    assert own_bytes(first) == own_bytes(second)
    predicted = first.predict(lessons.table, lessons.spec)
    known = lessons.table["label"].notna().to_numpy()
    label = lessons.table["label"].to_numpy()[known]
    assert measure("log_loss", label, predicted[known]) < np.log(2)
    assert first.recipe == name


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_predicts_values_too(name):
    chain = make_chain(task="regression")
    table = make_table("ua", task="regression")
    spec = make_spec("ua", label={"column": "arr_delay", "task": "regression"})
    lessons = Lessons(table, spec, chain)
    model = lessons.fit(name, AS_OF)
    known = table["label"].notna().to_numpy()
    label = table["label"].to_numpy()[known]
    mean = lessons.fit("prior", AS_OF).predict(table, spec)[known]
    found = measure("rmse", label, model.predict(table, spec)[known])
    expected = measure("rmse", label, mean)
    assert found < expected or name == "prior"


@pytest.mark.parametrize("name", RECIPES)
def test_the_order_of_the_frame_does_not_matter_nor_do_later_rows(chain, name):
    cut = AS_OF - timedelta(days=56)
    table = make_table("ua")
    poisoned = table.copy()
    later = ~(poisoned["label_known_at"] <= cut)
    poisoned.loc[later, "label"] = 1 - poisoned.loc[later, "label"]
    poisoned.loc[later, ["hour", "wind", "distance"]] = 1e6
    poisoned.loc[later, "dest"] = "XXX"
    spec = make_spec("ua")
    clean, harmed = (Lessons(rows, spec, chain).fit(name, cut) for rows in (table, poisoned))
    assert own_bytes(clean) == own_bytes(harmed)
    assert clean.pooled is harmed.pooled


@pytest.mark.parametrize("name", RECIPES)
def test_new_categories_and_missing_values_are_scored(lessons, name):
    model = lessons.fit(name, AS_OF)
    odd = make_table("ua", rows=5).assign(dest="ZZZ", origin="", wind=np.nan, distance=np.nan)
    odd["dest"] = odd["dest"].astype("str")
    assert np.isfinite(model.score(odd, lessons.spec)).all()


@pytest.mark.parametrize("name", ["logistic", "boosted", "stacked", "blended"])
def test_a_column_that_is_always_missing_is_left_out(chain, name):
    table = make_table("ua").assign(wind=np.nan)
    model = Lessons(table, make_spec("ua"), chain).fit(name, AS_OF)
    assert "wind" not in model.own.feature_names_in_
    assert np.isfinite(model.score(make_table("ua"), make_spec("ua"))).all()


@pytest.mark.parametrize("name", ["logistic", "boosted", "stacked", "blended"])
def test_labels_that_are_all_the_same_are_refused(chain, name):
    table = make_table("ua")
    table["label"] = table["label"].where(table["label"].isna(), 0.0)
    with pytest.raises(TrainingError, match="labels are the same"):
        Lessons(table, make_spec("ua"), chain).fit(name, AS_OF)


@pytest.mark.parametrize("name", POOLED_RECIPES)
def test_pooled_recipes_say_that_they_need_a_pooled_model(name):
    with pytest.raises(TrainingError, match="no pooled model"):
        Lessons(make_table("ua"), make_spec("ua"), None).fit(name, AS_OF)


def test_a_stack_learns_only_from_rows_that_the_pooled_model_had_not_seen(lessons, chain):
    with pytest.raises(TrainingError, match="fewer than 100 rows are later"):
        lessons.fit("stacked", chain.links[0][0] + timedelta(days=2))


@pytest.mark.parametrize(
    ("rows", "half", "weight"), [(1500, 1500, 0.4), (1500, 0, 0.8), (1500, 10**9, 0.0)]
)
def test_a_blend_trusts_the_tenant_by_its_rows(chain, rows, half, weight):
    candidates = {"blended": {"max_weight": 0.8, "half_weight_rows": half}}
    table = make_table(rows=rows, days=5 * 365)
    lessons = Lessons(table, make_spec(candidates=candidates), chain)
    assert lessons.fit("blended", AS_OF).weight == pytest.approx(weight, abs=0.03)


@pytest.mark.parametrize("name", ["adapted", "blended"])
def test_the_rows_of_one_week_change_nothing_however_many(chain, name):
    lessons = Lessons(make_table(days=6), make_spec("ua"), chain)
    model, pooled = lessons.fit(name, AS_OF), lessons.fit("pooled", AS_OF)
    scores = model.score(lessons.table, lessons.spec)
    assert scores == pytest.approx(pooled.score(lessons.table, lessons.spec), abs=1e-12)


@pytest.mark.parametrize("name", ["adapted", "blended"])
def test_as_many_rows_of_more_days_are_trusted_more(chain, name):
    shifts = []
    for days in (10, 40, 400):
        lessons = Lessons(make_table(days=days), make_spec("ua"), chain)
        model, pooled = lessons.fit(name, AS_OF), lessons.fit("pooled", AS_OF)
        shift = model.score(lessons.table, lessons.spec) - pooled.score(lessons.table, lessons.spec)
        shifts.append(np.abs(shift).mean())
    assert shifts == sorted(shifts)
    assert shifts[0] < 0.5 * shifts[-1]


@pytest.mark.parametrize("positives", [0, 3])
def test_the_base_rate_never_says_never(positives):
    table = make_table(rows=3).assign(label=[1.0] * positives + [0.0] * (3 - positives))
    table["label_known_at"] = pd.Timestamp(AS_OF) - pd.Timedelta(days=1)
    lessons = Lessons(table, make_spec(), None)
    model = lessons.fit("prior", AS_OF)
    expected = (positives + 0.5) / 4
    np.testing.assert_allclose(model.predict(table, lessons.spec), expected)


def test_wrong_names_are_named(lessons):
    material = lessons.until(AS_OF)
    with pytest.raises(TrainingError, match=r"model\.candidates\.magic: there is no such recipe"):
        fit_candidate("magic", material, {})
    with pytest.raises(TrainingError, match=r"logistic: has no C; its parameters are c, min_freq"):
        fit_candidate("logistic", material, {"C": 1})


def test_a_frame_without_a_value_is_refused(chain):
    table = make_table().assign(hour=np.nan, wind=np.nan, distance=np.nan)
    features = {name: {"kind": "numeric"} for name in ("hour", "wind", "distance")}
    lessons = Lessons(table, make_spec(features=features), chain)
    with pytest.raises(TrainingError, match="none has a value"):
        lessons.fit("logistic", AS_OF)


def test_a_tenant_that_the_pooled_model_does_not_know_is_scored_as_an_average_one(chain):
    table, spec = make_table("zz"), make_spec("zz")
    denied = make_spec("ua", pooling={"contribute": False})
    pooled = chain.before(AS_OF)
    from tenantry.features.recipe import pooled_frame

    unknown = link_scores(pooled, pooled_frame(table, spec))
    np.testing.assert_array_equal(unknown, link_scores(pooled, pooled_frame(table, denied)))
    assert np.isfinite(from_link(unknown, "classification")).all()
