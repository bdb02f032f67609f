"""Any estimator becomes a model of the tenant's own, with the library's encoding or its own."""

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tenantry.errors import TrainingError
from tenantry.explain import contributions
from tenantry.metrics import measure
from tenantry.training.estimators import fit_estimator
from tenantry.training.lessons import Lessons
from tests.unit.tiny_fleet import AS_OF, make_spec, make_table
from tests.unit.training.chains import make_chain

SPEC = make_spec("ua")
LESSONS = Lessons(make_table("ua", rows=3000), SPEC, None)


def loss(model, lessons=LESSONS):
    known = lessons.table["label"].notna().to_numpy()
    label = lessons.table.loc[known, "label"].to_numpy()
    return measure("log_loss", label, lessons.predict(model, known))


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(C=0.1),
        HistGradientBoostingClassifier(max_iter=10, random_state=7),
        make_pipeline(StandardScaler(), LogisticRegression()),
        make_pipeline(
            ColumnTransformer([("hour", StandardScaler(), ["hour"])]), LogisticRegression()
        ),
    ],
    ids=["linear", "trees", "a pipeline", "its own columns"],
)
def test_it_learns_from_the_tenants_rows(estimator):
    model = fit_estimator("mine", LESSONS.until(AS_OF), estimator)
    prior = LESSONS.fit("prior", AS_OF)
    assert (model.recipe, model.form) == ("mine", "own")
    assert loss(model) < loss(prior) - 0.01
    assert not hasattr(estimator, "classes_"), "a clone is fitted"


def test_its_reasons_add_up_to_its_scores():
    model = fit_estimator("mine", LESSONS.until(AS_OF), LogisticRegression(C=0.1))
    rows = LESSONS.table.iloc[:50]
    base, parts = contributions(model, rows, SPEC)
    assert set(parts.columns) == set(SPEC.features)
    assert base + parts.sum(axis=1).to_numpy() == pytest.approx(model.score(rows, SPEC))


def test_stacked_it_also_sees_the_pooled_score():
    lessons = Lessons(LESSONS.table, SPEC, make_chain())
    material = lessons.until(AS_OF)
    model = fit_estimator("mine", material, LogisticRegression(C=0.1), stacked=True)
    assert model.form == "stack"
    assert "pooled_score" in model.own.feature_names_in_
    assert loss(model, lessons) < loss(lessons.fit("prior", AS_OF), lessons)


def test_without_a_pooled_model_nothing_is_stacked():
    with pytest.raises(TrainingError, match="fewer than 100 rows have a score"):
        fit_estimator("mine", LESSONS.until(AS_OF), LogisticRegression(), stacked=True)


def test_one_class_is_refused():
    lessons = Lessons(LESSONS.table.assign(label=0.0), SPEC, None)
    with pytest.raises(TrainingError, match="labels are the same"):
        fit_estimator("mine", lessons.until(AS_OF), LogisticRegression())


def test_regressors_predict_values():
    spec = make_spec(
        candidates={"prior": {}},
        model={"metric": "rmse"},
        label={"column": "arr_delay", "task": "regression"},
    )
    lessons = Lessons(make_table("ua", rows=1000, task="regression"), spec, None)
    model = fit_estimator("mine", lessons.until(AS_OF), Ridge())
    said = model.predict(lessons.table, spec)
    assert np.corrcoef(said, lessons.table["label"].fillna(said.mean()))[0, 1] > 0.3
