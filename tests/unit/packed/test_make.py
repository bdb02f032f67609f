"""Packed models say what scikit-learn says, whatever the rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.pipeline import Pipeline

from tenantry.errors import NotPackableError
from tenantry.features.recipe import own_frame, pooled_frame
from tenantry.models.fitted import FittedModel, link_scores
from tenantry.packed.make import check_packed, pack_model, pack_pipeline
from tenantry.training.calibrate import calibrated
from tenantry.training.lessons import Lessons
from tests.unit.models.pipelines import CATEGORIES, NUMBERS, fitted
from tests.unit.tiny_fleet import AS_OF, CANDIDATES, make_spec, make_table
from tests.unit.training.chains import CUTS, make_chain

RECIPES = [*CANDIDATES, "adapted"]
SPEC = make_spec("ua", candidates=CANDIDATES | {"adapted": {}})

numbers = st.one_of(
    st.floats(-1e6, 1e6), st.just(float("nan")), st.sampled_from([0.0, 12.5, 1e12, -0.0])
)
texts = st.one_of(
    st.sampled_from(["ATL", "BOS", "EWR", "JFK", "LGA", ""]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
)
some_rows = st.lists(st.tuples(numbers, numbers, numbers, texts, texts), min_size=1, max_size=8)


def frame_of(rows):
    frame = pd.DataFrame(rows, columns=NUMBERS + CATEGORIES)
    return frame.astype(dict.fromkeys(NUMBERS, "float64") | dict.fromkeys(CATEGORIES, "str"))


def fitted_and_packed(name):
    pipeline = fitted(name, make_table(rows=500))
    return pipeline, pack_pipeline(pipeline)


TREES = {name: fitted_and_packed(name) for name in ("encoded", "encoded_values")}


@pytest.fixture(scope="module")
def models():
    """Fitted and packed: one a recipe and task, as the library fits them; a calibrated one, too."""
    found = {}
    for task in ("classification", "regression"):
        label = {"column": "arr_delay"} | (
            {"task": task} if task == "regression" else {"above": 15}
        )
        metric = {"metric": "mae"} if task == "regression" else {}
        spec = make_spec("ua", candidates=CANDIDATES | {"adapted": {}}, label=label, model=metric)
        chain = make_chain(task=task, cuts=CUTS[::4], rows=500)
        lessons = Lessons(make_table("ua", rows=800, task=task), spec, chain)
        for name in RECIPES:
            found[task, name] = lessons.fit(name, AS_OF)
    found["classification", "calibrated"] = calibrated(
        found["classification", "blended"], (0.8, -0.1)
    )
    return {key: (model, pack_model(model)) for key, model in found.items()}


@settings(max_examples=15, deadline=None)
@given(rows=some_rows)
def test_every_recipe_says_the_same_packed(models, rows):
    frame = frame_of(rows)
    own, pooled = frame, frame.assign(tenant="ua")
    for model, packed in models.values():
        check_packed(packed, model, own, pooled)


@settings(max_examples=12, deadline=None)
@given(rows=some_rows)
@pytest.mark.parametrize("name", TREES)
def test_trees_score_bit_for_bit(name, rows):
    pipeline = fitted(name, make_table(rows=500))
    frame = frame_of(rows)
    np.testing.assert_array_equal(
        pack_pipeline(pipeline).score(frame), link_scores(pipeline, frame)
    )


def test_real_rows_pass_and_another_model_does_not(models):
    table = make_table("ua", rows=200, seed=5)
    frames = own_frame(table, SPEC), pooled_frame(table, SPEC)
    model, packed = models["classification", "blended"]
    check_packed(packed, model, *frames)
    _, other = models["classification", "adapted"]
    with pytest.raises(NotPackableError, match="differs by"):
        check_packed(other, model, *frames)


def test_no_rows_give_no_scores(models):
    table = make_table("ua", rows=20)[:0]
    for _, packed in models.values():
        found = packed.predict(own_frame(table, SPEC), pooled_frame(table, SPEC))
        assert found.shape == (0,)


def test_what_is_not_known_to_score_alike_is_not_packed():
    table = make_table(rows=300)
    indicated = fitted("logistic", table)  # its imputer tells what was missing
    with pytest.raises(NotPackableError, match="SimpleImputer with these settings"):
        pack_pipeline(indicated)
    with pytest.raises(NotPackableError, match="OrdinalEncoder"):
        pack_pipeline(fitted("trees", table))
    label = table["label"].fillna(0)
    other = Pipeline([("columns", indicated[0]), ("estimator", RandomForestClassifier(2))])
    with pytest.raises(NotPackableError, match="RandomForestClassifier"):
        pack_pipeline(other.fit(table[NUMBERS + CATEGORIES], label))
    native = HistGradientBoostingClassifier(max_iter=2, categorical_features=[0])
    other = Pipeline([("columns", fitted("encoded", table)[0]), ("estimator", native)])
    with pytest.raises(NotPackableError, match="native categories"):
        pack_pipeline(other.fit(table[NUMBERS + CATEGORIES].assign(hour=1.0), label))


def test_several_classes_are_not_packed():
    own = fitted("base", make_table(rows=100))
    with pytest.raises(NotPackableError, match="several classes"):
        pack_model(FittedModel("any", "multiclass", "own", own=own))
