"""Explanations add up, are Shapley values, and are the same packed, at once and row by row."""

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shap import TreeExplainer

from tenantry.columns import POOLED_SCORE
from tenantry.explain import contributions, drivers
from tenantry.features.recipe import own_frame, pooled_columns, pooled_frame
from tenantry.models.attribution import expect_rows, pipeline_parts
from tenantry.models.fitted import FittedModel, link_scores
from tenantry.models.leaves import node_values
from tenantry.packed.forest import Forest
from tenantry.packed.make import pack_model, pack_pipeline
from tenantry.packed.paths import TABLED, weigh
from tenantry.packed.shapley import mean_score, row_parts, tree_parts
from tenantry.training.lessons import Lessons
from tenantry.training.pipelines import Trees, fit_linear, fit_trees
from tests.unit.models.pipelines import CATEGORIES, NUMBERS, RECIPES, fitted
from tests.unit.tiny_fleet import AS_OF, CANDIDATES, FEATURES, make_spec, make_table
from tests.unit.training.chains import CUTS, make_chain

TABLE = make_table(rows=800)
SPEC = make_spec()
CLASSIFIERS = ["logistic", "trees", "encoded", "base"]
REGRESSORS = ["ridge", "tree_values", "encoded_values", "mean"]


def strange_rows() -> pd.DataFrame:
    """Rows with what training never saw: unknown categories, missing and far-away numbers."""
    rows = make_table(rows=60, seed=5)
    rows.loc[::3, "dest"] = "<script>"
    rows.loc[::4, "origin"] = ""
    rows.loc[::5, NUMBERS] = np.nan
    rows.loc[::7, "distance"] = 1e9
    return rows.iloc[::-1]


ROWS = strange_rows()


def stacked(name: str, pooled: object) -> object:
    """Fit a pipeline of that recipe on own features and the pooled score."""
    frame = TABLE.assign(**{POOLED_SCORE: link_scores(pooled, TABLE)})
    base = fitted(name, TABLE)
    first, *rest = base["columns"].transformers
    base["columns"].transformers = [(first[0], first[1], [*NUMBERS, POOLED_SCORE]), *rest]
    known = frame[frame["label"].notna()]
    return base.fit(known[[*NUMBERS, POOLED_SCORE, *CATEGORIES]], known["label"])


def model(form: str, own: str, pooled: str, **parts: float) -> FittedModel:
    is_value = own in REGRESSORS
    shared = None if form == "own" else fitted(pooled, TABLE)
    mine = None if form == "pooled" else fitted(own, TABLE)
    if form == "stack":
        mine = stacked(own, shared)
    return FittedModel(
        recipe="any",
        task="regression" if is_value else "classification",
        form=form,
        own=mine,
        pooled=shared,
        **parts,
    )


def assert_sums(fitted_model: FittedModel, rows: pd.DataFrame, spec=SPEC) -> None:
    base, parts = contributions(fitted_model, rows, spec)
    total = base + parts.to_numpy().sum(axis=1)
    scores = fitted_model.score(rows, spec)
    np.testing.assert_allclose(total, scores, rtol=0, atol=1e-9 * np.abs(scores).max())
    assert parts.index.equals(rows.index)
    assert np.isfinite(parts.to_numpy()).all()


def test_every_recipe_is_covered():
    assert {*CLASSIFIERS, *REGRESSORS} == set(RECIPES)


@pytest.mark.parametrize("calibration", [{}, {"slope": 0.7, "intercept": -0.2}], ids=["", "cal"])
@pytest.mark.parametrize("form", ["own", "pooled", "blend", "stack"])
@pytest.mark.parametrize("kinds", [CLASSIFIERS, REGRESSORS], ids=["classes", "values"])
def test_contributions_sum_to_the_score(kinds, form, calibration):
    for own in kinds[:3] if form == "stack" else kinds:
        for pooled in kinds[:1] if form == "own" else kinds:
            assert_sums(model(form, own, pooled, weight=0.3, **calibration), ROWS)


@pytest.mark.parametrize("form", ["pooled", "blend", "stack"])
@pytest.mark.parametrize("own", ["logistic", "ridge"])
def test_contributions_of_adapted_trees_sum_to_the_score(form, own):
    plain = model(form, own, "tree_values" if own == "ridge" else "encoded", weight=0.3)
    values = node_values(plain.pooled)
    noise = np.random.default_rng(1).normal(0, 0.1, len(values))
    adapted = replace(plain, leaves=values + noise)
    assert_sums(adapted, ROWS)
    assert not np.allclose(adapted.score(ROWS, SPEC), plain.score(ROWS, SPEC))


def test_a_linear_contribution_is_the_coefficient_times_the_encoded_value():
    one = model("own", "ridge", "ridge")
    seen = TABLE[TABLE["label"].notna()]
    parts = contributions(one, seen, SPEC).contributions
    assert parts["distance"].mean() == pytest.approx(0, abs=1e-9 * parts["distance"].abs().max())
    slope = np.polyfit(seen["distance"], parts["distance"], 1)[0]
    scale = one.own["columns"].named_transformers_["numbers"]["scale"].scale_[2]
    assert slope == pytest.approx(one.own["estimator"].coef_[2] / scale)


def test_what_a_model_ignores_contributes_nothing():
    trees = model("own", "trees", "trees")
    parts = contributions(trees, ROWS, SPEC).contributions
    moved = contributions(trees, ROWS.assign(origin="XXX"), SPEC).contributions
    unused = [name for name in parts if (parts[name] == 0).all()]
    pd.testing.assert_frame_equal(parts[unused], moved[unused])


def test_a_linear_stack_hands_the_pooled_score_on_to_its_features():
    linear = contributions(model("stack", "logistic", "trees"), ROWS, SPEC).contributions
    trees = contributions(model("stack", "trees", "trees"), ROWS, SPEC).contributions
    assert POOLED_SCORE not in linear
    assert POOLED_SCORE in trees


def test_a_pooled_feature_that_the_tenant_has_in_another_way_keeps_its_own_column():
    spec = make_spec(features=FEATURES | {"hour": {"kind": "calendar", "part": "minute_of_day"}})
    rows = ROWS.assign(**{"pooled.hour": ROWS["hour"], "hour": ROWS["hour"] * 60})
    both = model("blend", "logistic", "trees", weight=0.5)
    assert_sums(both, rows, spec)
    assert {"hour", "pooled.hour"} <= set(contributions(both, rows, spec).contributions)


def test_no_rows_have_no_contributions():
    base, parts = contributions(model("blend", "trees", "trees", weight=0.5), ROWS.iloc[:0], SPEC)
    assert (base, parts.shape) == (0.0, (0, 0))


def test_drivers_name_what_moves_the_predictions():
    blend = model("blend", "logistic", "trees", weight=0.5)
    found = drivers(blend, TABLE, SPEC)
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert set(list(found)[:3]) == {"hour", "wind", "dest"}
    assert found == drivers(blend, TABLE, SPEC)
    assert drivers(blend, TABLE.iloc[:0], SPEC) == {}


def test_drivers_of_few_rows_use_them_all():
    own = model("own", "logistic", "logistic")
    few = TABLE.iloc[:3]
    means = contributions(own, few, SPEC).contributions.abs().mean()
    assert drivers(own, few, SPEC) == pytest.approx(means.to_dict())


# --- the method -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["trees", "tree_values", "encoded", "encoded_values"])
def test_parts_of_trees_are_those_of_an_independent_implementation(name):
    pipeline = fitted(name, TABLE)
    explainer = TreeExplainer(pipeline[-1], feature_perturbation="tree_path_dependent")
    wanted = explainer.shap_values(pipeline[0].transform(ROWS), check_additivity=False)
    base, parts = pipeline_parts(pipeline, ROWS)
    assert base == pytest.approx(float(np.ravel(explainer.expected_value)[0]), abs=1e-12)
    np.testing.assert_allclose(np.stack([*parts.values()]).T, wanted, rtol=0, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(share=st.lists(st.floats(0.01, 1), min_size=1, max_size=7), data=st.data())
def test_weights_are_the_shapley_values_of_the_game_that_they_claim(share, data):
    kept = data.draw(st.lists(st.booleans(), min_size=len(share), max_size=len(share)))
    found = weigh(np.array(share), np.array(kept))
    players = range(len(share))

    def chance(known):
        return math.prod(kept[k] if k in known else share[k] for k in players)

    for player in players:
        others = [k for k in players if k != player]
        wanted = sum(
            (chance({*known, player}) - chance({*known}))
            / (len(players) * math.comb(len(others), size))
            for size in range(len(players))
            for known in combinations(others, size)
        )
        assert found[player] == pytest.approx(wanted, abs=1e-14)


def test_linear_models_count_from_the_rows_of_their_fit():
    seen = TABLE[TABLE["label"].notna()]
    frame, label = seen[[*NUMBERS, *CATEGORIES]], seen["label"].to_numpy()
    own = fit_linear(frame, label, task="classification", c=0.05, min_frequency=20)
    made = FittedModel("any", "classification", "own", own=own)
    base, parts = contributions(made, seen, SPEC)
    assert np.allclose(parts.mean(), 0, atol=1e-12)
    assert base == pytest.approx(made.score(seen, SPEC).mean())
    assert_sums(made, ROWS)


def test_models_from_before_means_were_kept_count_from_no_category():
    old = model("own", "logistic", "logistic")
    base, _ = contributions(old, ROWS, SPEC)
    assert base == old.own["estimator"].intercept_[0]


def test_reasons_are_stable_from_one_version_to_the_next():
    """Two models of nearly the same rows give the same rows nearly the same parts."""
    first, second = (
        Lessons(table, SPEC, make_chain(cuts=CUTS[-1:], rows=500)).fit("blended", AS_OF)
        for table in (TABLE, TABLE.iloc[8:].reset_index(drop=True))
    )
    one, other = (contributions(each, TABLE, SPEC).contributions for each in (first, second))
    assert list(one) == list(other)
    assert (one - other).abs().max().max() < 0.1 * one.abs().max().max()


# --- packed ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped():
    """A model of every recipe, fitted; one of them calibrated."""
    spec = make_spec("ua", candidates=CANDIDATES | {"adapted": {}})
    lessons = Lessons(make_table("ua", rows=600), spec, make_chain(cuts=CUTS[::4], rows=500))
    found = {name: lessons.fit(name, AS_OF) for name in spec.model.candidates}
    return found | {"calibrated": replace(found["blended"], slope=0.8, intercept=-0.1)}


RECIPES_AND_MORE = (*CANDIDATES, "adapted", "calibrated")


@pytest.mark.parametrize("name", RECIPES_AND_MORE)
def test_packed_parts_are_those_of_the_fitted_model_and_add_up(shipped, name):
    fitted_model, packed = shipped[name], pack_model(shipped[name])
    base, parts = contributions(packed, ROWS, SPEC)
    wanted_base, wanted = contributions(fitted_model, ROWS, SPEC)
    assert base == pytest.approx(wanted_base, abs=1e-12)
    pd.testing.assert_frame_equal(parts[list(wanted)], wanted, rtol=0, atol=1e-12)
    total = base + parts.to_numpy().sum(axis=1)
    np.testing.assert_allclose(total, fitted_model.score(ROWS, SPEC), rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", RECIPES_AND_MORE)
def test_a_row_alone_has_the_same_parts(shipped, name):
    packed = pack_model(shipped[name])
    base, parts = contributions(packed, ROWS, SPEC)
    frames = own_frame(ROWS, SPEC), pooled_frame(ROWS, SPEC)
    rows = zip(*(frame.to_dict("records") for frame in frames), strict=True)
    for place, (own, pooled) in enumerate(rows):
        alone = packed.parts_row(own, pooled, pooled_columns(SPEC))
        assert alone.base == base
        assert alone.columns == pytest.approx(parts.iloc[place].to_dict(), abs=1e-12)


@pytest.mark.parametrize("name", ["logistic", "boosted", "adapted", "stacked"])
def test_what_parts_are_looked_up_in_is_built_beforehand_and_weighed(shipped, name):
    packed = pack_model(shipped[name])
    assert (packed.is_explained, packed.explained_bytes) == (False, 0)
    packed.prepare_parts()
    assert packed.is_explained
    tables = packed.own.forest.paths.tables if name == "boosted" else {}
    least = 2 * sum(table.nbytes for table in tables.values())
    assert packed.explained_bytes >= least
    assert (packed.explained_bytes > 0) == (name == "boosted")  # what is shared is nobody's own


@pytest.mark.parametrize("name", ["logistic", "boosted", "adapted", "stacked"])
def test_a_row_has_the_same_bits_whatever_rows_are_beside_it(shipped, name):
    """Else a repeated run that groups windows in another way would write other bytes."""
    packed = pack_model(shipped[name])
    many = pd.concat([TABLE] * 6, ignore_index=True)
    whole = contributions(packed, many, SPEC).contributions
    scores = packed.score(own_frame(many, SPEC), pooled_frame(many, SPEC))
    for rows in (3, 150, 200, 200, 3, 400):  # the fifth are looked up: few, of trees asked often
        some = many.iloc[:rows]
        pd.testing.assert_frame_equal(
            contributions(packed, some, SPEC).contributions, whole.iloc[:rows], check_exact=True
        )
        fewer = packed.score(own_frame(some, SPEC), pooled_frame(some, SPEC))
        np.testing.assert_array_equal(fewer, scores[:rows])
    frames = own_frame(some, SPEC), pooled_frame(some, SPEC)
    for place, (own, pooled) in enumerate(
        zip(*(frame.iloc[:3].to_dict("records") for frame in frames), strict=True)
    ):
        alone = packed.parts_row(own, pooled, pooled_columns(SPEC))
        assert alone.columns == whole.iloc[place].to_dict()


def test_leaves_behind_many_features_need_no_table():
    """A chain of splits, each on a feature of its own: too many patterns to keep."""
    random = np.random.default_rng(0)
    features = TABLED + 8
    steps, width = np.arange(features), 2 * features + 1
    node = np.arange(width)
    left, right, feature = node.copy(), node.copy(), np.zeros(width, dtype=np.int64)
    left[2 * steps], right[2 * steps], feature[2 * steps] = 2 * steps + 1, 2 * steps + 2, steps
    cover = np.empty(width)
    cover[2 * steps], cover[2 * steps + 1], cover[-1] = 100.0 - steps, 1.0, 100.0 - features
    forest = Forest(
        roots=np.zeros(1, dtype=np.int64),
        feature=feature,
        threshold=np.where(left == node, np.inf, -1.0),
        left=left,
        right=right,
        missing_left=np.zeros(width, dtype=bool),
        cover=cover,
    )
    values, rows = random.normal(size=width), random.normal(size=(300, features))
    rows[::2] = np.abs(rows[::2])
    parts = tree_parts(forest, values, rows.T)
    goes_left = rows <= -1.0
    reached = np.where(goes_left.any(axis=1), 2 * goes_left.argmax(axis=1) + 1, width - 1)
    total = mean_score(forest, values) + parts.sum(axis=0)
    np.testing.assert_allclose(total, values[reached], rtol=0, atol=1e-12)
    singly = np.stack([row_parts(forest, values, row) for row in rows], axis=1)
    np.testing.assert_array_equal(parts, singly)
    many = tree_parts(forest, values, np.tile(rows.T, 20))
    np.testing.assert_array_equal(many[:, :300], parts)


@pytest.mark.parametrize("splits", [True, False], ids=["the others do", "none does"])
def test_trees_that_ask_nothing_explain_nothing(splits):
    rows = pd.DataFrame({"wind": np.arange(100) % 2 * 1.0, "hour": 0.0})
    label = rows["wind"].to_numpy() * splits
    trees = Trees(max_iter=3, learning_rate=1.0, l2_regularization=0.0)
    pipeline = fit_trees(rows, label, task="regression", trees=trees, seed=0)
    expect_rows(pipeline, 1_000)
    packed = pack_pipeline(pipeline)
    assert np.count_nonzero(packed.forest.left == np.arange(len(packed.forest.left))) == 3 + splits
    for many in (rows, pd.concat([rows] * 3), pd.concat([rows] * 50)):
        parts = packed.parts(many)
        np.testing.assert_allclose(parts.total, packed.score(many), atol=1e-12)
        assert not parts.columns["hour"].any()
        assert parts.columns["wind"].any() == splits
