"""Fitted models score as their form says, whatever stands around their columns."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from tenantry.columns import POOLED_SCORE
from tenantry.models.fitted import (
    FittedModel,
    from_link,
    link_scores,
    source_features,
    to_link,
    with_pooled_score,
)

NUMBERS = ["distance", "wind"]
ROWS = 300


@pytest.fixture(scope="module")
def frame():
    random = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "distance": random.normal(size=ROWS),
            "wind": np.where(random.random(ROWS) < 0.1, np.nan, random.normal(size=ROWS)),
            "dest": random.choice(["LAX", "SFO", "ORD", "BOS"], ROWS, p=[0.5, 0.3, 0.19, 0.01]),
        }
    )


@pytest.fixture(scope="module")
def label(frame):
    noise = np.random.default_rng(2).normal(size=ROWS)
    return (frame["distance"] + noise > 0.5).astype("float64")


def linear(estimator, numbers=NUMBERS):
    scaled = Pipeline([("fill", SimpleImputer()), ("scale", StandardScaler())])
    levels = OneHotEncoder(min_frequency=10, handle_unknown="infrequent_if_exist")
    columns = [("numbers", scaled, list(numbers)), ("categories", levels, ["dest"])]
    return Pipeline([("columns", ColumnTransformer(columns)), ("estimator", estimator)])


def boosted():
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = [("numbers", "passthrough", NUMBERS), ("categories", codes, ["dest"])]
    trees = HistGradientBoostingClassifier(max_iter=5, early_stopping=False)
    return Pipeline([("columns", ColumnTransformer(columns)), ("estimator", trees)])


@pytest.fixture(scope="module")
def own(frame, label):
    return linear(LogisticRegression()).fit(frame, label)


@pytest.fixture(scope="module")
def pooled(frame, label):
    return boosted().fit(frame, label)


def model(form, **parts):
    return FittedModel(recipe="any", task="classification", form=form, **parts)


def test_own_and_pooled_score_in_log_odds(frame, own, pooled):
    for form, part in (("own", own), ("pooled", pooled)):
        scores = model(form, **{form: part}).score_frames(frame, frame)
        np.testing.assert_allclose(
            from_link(scores, "classification"), part.predict_proba(frame)[:, 1], atol=1e-12
        )


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_a_blend_weighs_log_odds(frame, own, pooled, weight):
    blend = model("blend", own=own, pooled=pooled, weight=weight)
    expected = (1 - weight) * link_scores(pooled, frame) + weight * link_scores(own, frame)
    np.testing.assert_array_equal(blend.score_frames(frame, frame), expected)


def test_a_stack_reads_the_pooled_score(frame, label, pooled):
    scores = link_scores(pooled, frame)
    fed = with_pooled_score(frame, scores)
    stacked = linear(LogisticRegression(), [*NUMBERS, POOLED_SCORE]).fit(fed, label)
    found = model("stack", own=stacked, pooled=pooled).score_frames(frame, frame)
    np.testing.assert_array_equal(found, stacked.decision_function(fed))
    assert POOLED_SCORE not in frame


def test_calibration_is_affine_in_log_odds(frame, own):
    plain = model("own", own=own).score_frames(frame, None)
    calibrated = model("own", own=own, slope=0.8, intercept=-0.1).score_frames(frame, None)
    np.testing.assert_allclose(calibrated, 0.8 * plain - 0.1, atol=1e-12)


def test_regression_scores_are_values(frame):
    pipeline = linear(Ridge()).fit(frame, frame["distance"] * 10)
    ridge = FittedModel(recipe="any", task="regression", form="own", own=pipeline)
    np.testing.assert_allclose(ridge.score_frames(frame, None), pipeline.predict(frame))


def test_a_base_rate_scores_every_row_alike(frame, label):
    base = Pipeline(
        [
            ("columns", ColumnTransformer([("numbers", "drop", NUMBERS)])),
            ("estimator", DummyClassifier(strategy="prior")),
        ]
    ).fit(frame[NUMBERS], label)
    found = from_link(model("own", own=base).score_frames(frame, None), "classification")
    np.testing.assert_allclose(found, label.mean())


@pytest.mark.parametrize("rows", [0, 1, 7])
def test_any_number_of_rows_is_scored(frame, own, pooled, rows):
    some = frame.iloc[:rows]
    blend = model("blend", own=own, pooled=pooled, weight=0.5)
    np.testing.assert_array_equal(
        blend.score_frames(some, some), blend.score_frames(frame, frame)[:rows]
    )


def test_columns_may_stand_in_any_order_among_others(frame, own):
    mixed = frame.assign(other="x")[["other", "dest", "wind", "distance"]]
    np.testing.assert_array_equal(link_scores(own, mixed), link_scores(own, frame))


def test_a_lacking_column_is_named(frame, own):
    with pytest.raises(ValueError, match=r"table lacks: wind$"):
        link_scores(own, frame.drop(columns="wind"))


@pytest.mark.parametrize(
    ("form", "lacks"), [("own", "own"), ("pooled", "pooled"), ("blend", "own"), ("stack", "own")]
)
def test_a_form_without_its_parts_is_refused(form, lacks):
    with pytest.raises(ValueError, match=f"needs its {lacks} part"):
        model(form)


def test_links_return_what_they_were_given():
    probabilities = np.array([0.01, 0.5, 0.97])
    np.testing.assert_allclose(from_link(to_link(probabilities), "classification"), probabilities)
    extremes = to_link(np.array([0.0, 1.0]))
    assert np.isfinite(extremes).all()
    assert np.isfinite(from_link(np.array([-800.0, 800.0]), "classification")).all()


def test_each_column_of_the_estimator_has_its_source_feature(frame, label, own, pooled):
    levels = own["columns"].named_transformers_["categories"]
    assert levels.infrequent_categories_[0].tolist() == ["BOS"]
    assert source_features(own) == ("distance", "wind", "dest", "dest", "dest", "dest")
    assert len(source_features(own)) == own["estimator"].coef_.shape[1]
    assert source_features(pooled) == ("distance", "wind", "dest")
    plain = linear(LogisticRegression()).set_params(columns__categories__min_frequency=None)
    plain.set_params(columns__categories__handle_unknown="ignore").fit(frame, label)
    assert len(source_features(plain)) == plain["estimator"].coef_.shape[1]
