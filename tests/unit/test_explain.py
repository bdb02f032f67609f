import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tenantry.columns import POOLED_SCORE
from tenantry.explain import contributions, drivers
from tenantry.models.fitted import FittedModel, link_scores
from tenantry.models.leaves import node_values
from tests.unit.models.pipelines import CATEGORIES, NUMBERS, RECIPES, fitted
from tests.unit.tiny_fleet import FEATURES, make_spec, make_table

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


def test_shap_is_not_imported_before_trees_are_explained():
    code = "import sys, tenantry.explain, tenantry.reasons; print('shap' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
