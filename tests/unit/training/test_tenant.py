"""A tenant's challenger: chosen, judged on the holdout, fitted on all that is known."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from tenantry.digests import sha256
from tenantry.errors import TrainingError
from tenantry.models.archive import pack
from tenantry.training.chain import Chain
from tenantry.training.lessons import Lessons
from tenantry.training.tenant import train_tenant
from tests.unit.models.pipelines import fitted
from tests.unit.tiny_fleet import AS_OF, make_spec, make_table
from tests.unit.training.chains import make_chain

HOLDOUT = AS_OF - timedelta(days=28)


@pytest.fixture(scope="module")
def chain():
    return make_chain()


@pytest.fixture(scope="module")
def table():
    return make_table("ua", rows=2000)


def train(table, chain, **changes):
    return train_tenant(Lessons(table, make_spec("ua", **changes), chain), AS_OF)


def identity(trained):
    model = trained.model
    parts = {name: getattr(model, name) for name in ("recipe", "weight", "slope", "intercept")}
    return sha256(pack(parts | {"own": model.own, "leaves": model.leaves}))


def test_the_holdout_is_predicted_by_models_that_never_saw_it(table, chain):
    trained = train(table, chain)
    evaluation = trained.evaluation
    assert list(evaluation) == [
        *("number", "event_time", "known_at", "label_known_at", "label"),
        *("challenger", "pooled", "prior"),
    ]
    assert evaluation["event_time"].between(pd.Timestamp(HOLDOUT), pd.Timestamp(AS_OF)).all()
    assert evaluation["label"].notna().all()
    lessons = Lessons(table, make_spec("ua"), chain)
    rows = table["number"].isin(evaluation["number"]).to_numpy()
    for column, recipe in (("challenger", trained.model.recipe), ("pooled", "pooled")):
        expected = lessons.predict(lessons.fit(recipe, HOLDOUT), rows)
        np.testing.assert_array_equal(evaluation[column], expected)
    assert evaluation["prior"].nunique() == 1
    assert set(trained.holdout) == {"challenger", "pooled", "prior"}


def test_labels_of_the_holdout_change_nothing_of_what_predicts_it(table, chain):
    flipped = table.copy()
    late = flipped["event_time"] >= HOLDOUT
    flipped.loc[late, "label"] = 1 - flipped.loc[late, "label"]
    one, other = train(table, chain).evaluation, train(flipped, chain).evaluation
    for column in ("challenger", "pooled", "prior"):
        np.testing.assert_array_equal(one[column], other[column])


def test_what_is_shipped_is_fitted_on_all_that_is_known(table, chain):
    trained = train(table, chain)
    again = Lessons(table, make_spec("ua"), chain).fit(trained.model.recipe, AS_OF)
    assert identity(trained) == sha256(
        pack(
            {"recipe": again.recipe, "weight": again.weight, "slope": 1.0, "intercept": 0.0}
            | {"own": again.own, "leaves": again.leaves}
        )
    )
    assert trained.rows == table["label"].notna().sum()
    assert trained.positives == table["label"].sum()


def test_training_twice_gives_one_model(table, chain):
    assert identity(train(table, chain)) == identity(train(table, chain))


@pytest.mark.parametrize("rows", [3, 99])
def test_few_rows_get_the_pooled_model_adapted_to_them_and_say_so(chain, rows):
    table = make_table("ua", rows=rows)
    trained = train(table, chain)
    assert (trained.model.recipe, trained.model.form, trained.fell_back) == (
        *("adapted", "pooled"),
        True,
    )
    count = int(table["label"].notna().sum())
    assert trained.selection.sentence == (
        f"the pooled model, adapted: {count} labelled rows, 100 needed (model.min_rows)"
    )


def test_a_newborn_is_judged_by_the_pooled_model_where_it_had_no_rows_yet(chain):
    late = make_table("ua", rows=60, days=20)
    evaluation = train(late, chain).evaluation
    assert len(evaluation)
    np.testing.assert_array_equal(evaluation["challenger"], evaluation["pooled"])


def test_what_cannot_be_adapted_serves_as_it_is():
    table = make_table("ua", rows=50)
    linear = Chain(((AS_OF - timedelta(days=90), fitted("logistic", make_table(rows=900))),))
    trained = train(table, linear)
    assert (trained.model.recipe, trained.fell_back) == ("pooled", True)


def test_few_rows_without_a_pooled_model_get_their_base_rate(table):
    trained = train(make_table("ua", rows=5), None)
    assert trained.model.recipe == "prior"
    assert trained.selection.sentence.startswith("the base rate, since there is no pooled model: ")


@pytest.mark.parametrize(("has_pool", "recipe"), [(True, "pooled"), (False, "prior")])
def test_one_class_falls_back_with_a_message(table, chain, has_pool, recipe):
    same = table.assign(label=table["label"].where(table["label"].isna(), 1.0))
    trained = train(same, chain if has_pool else None)
    assert (trained.model.recipe, trained.fell_back) == (recipe, True)
    assert trained.selection.sentence.endswith("labels are the same")


def test_without_labels_the_pooled_model_serves(chain):
    trained = train(make_table("ua", rows=50).assign(label=np.nan), chain)
    assert (trained.model.recipe, trained.rows, len(trained.evaluation)) == ("pooled", 0, 0)
    assert trained.holdout == {}


def test_without_labels_and_pooled_model_nothing_can_be_trained():
    with pytest.raises(TrainingError, match=r"0 labelled rows.*allow pooling\.receive or wait"):
        train(make_table("ua", rows=50).assign(label=np.nan), None)


def test_features_that_never_had_a_value_are_named(table, chain):
    trained = train(table.assign(wind=np.nan), chain)
    assert trained.dropped == ("wind",)


def test_slices_cover_categories_hours_and_months(table, chain):
    found = train(table, chain).slices
    assert {part.feature for part in found} == {"dest", "origin", "hour", "month"}
    told = [part for part in found if part.metrics]
    assert all(part.rows >= 30 and part.pooled is not None for part in told)
    assert all(part.gain_low < part.gain_high for part in told if part.rows > 100)
    assert {part.value for part in found if not part.metrics} >= {"ANC"}  # a hundredth of the rows
    origins = [part for part in found if part.feature == "origin"]
    assert [part.value for part in origins] == ["EWR", "JFK", "LGA"]
    assert {part.value for part in found if part.feature == "hour"} <= {
        *("00-05", "06-11", "12-17", "18-23"),
    }


def test_calibration_comes_from_the_validation_span(table, chain):
    only = {"candidates": {"logistic": {}}}
    plain = train(table, chain, **only)
    calibrated = train(table, chain, model={"calibration": "sigmoid"}, **only)
    assert (plain.model.slope, plain.model.intercept) == (1.0, 0.0)
    assert calibrated.model.slope != 1.0
    rows = plain.evaluation
    moved = calibrated.evaluation["challenger"]
    assert rows["challenger"].rank().equals(moved.rank())
    never = train(table, chain, model={"calibration": "auto", "margin": 50}, **only)
    assert (never.model.slope, never.model.intercept) == (1.0, 0.0)
    always = train(table, chain, model={"calibration": "auto", "margin": 0}, **only)
    assert always.model.slope in (1.0, calibrated.model.slope)


def test_regression_trains_and_is_judged(chain):
    spec = {"column": "arr_delay", "task": "regression"}
    table = make_table("ua", rows=2000, task="regression")
    candidates = {"prior": {}, "logistic": {}, "boosted": {"max_iter": 20}}
    lessons = Lessons(
        table, make_spec(label=spec, candidates=candidates, model={"metric": "rmse"}), None
    )
    trained = train_tenant(lessons, AS_OF)
    assert trained.model.recipe in ("logistic", "boosted")
    assert trained.positives is None
    assert trained.holdout["challenger"]["rmse"] < trained.holdout["prior"]["rmse"]
