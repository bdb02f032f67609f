import numpy as np
import pandas as pd
import pytest

from tenantry.monitoring.drift import make_reference
from tenantry.monitoring.judge import Evidence, judge_unseen, judge_window
from tests.unit.monitoring.watched import (
    AS_OF,
    MODEL,
    TRAINED,
    WINDOWS,
    make_receipt,
    make_rows,
    make_spec,
    make_table,
)

SPEC = make_spec()
TABLE = make_table()
LEARNT = TABLE[TABLE["event_time"] < TRAINED]


def judge(rows=None, *, spec=SPEC, promised=0.51, learnt=LEARNT, is_revoked=False):
    rows = make_rows(TABLE, WINDOWS[0]) if rows is None else rows
    reference = make_reference(learnt, spec.features, spec.predict.window)
    evidence = Evidence(make_receipt(), rows, reference, promised, is_revoked)
    return judge_window(spec, AS_OF, evidence)


def rows_with(**columns):
    return make_rows(TABLE, WINDOWS[0]).assign(**columns)


def test_the_share_that_intervals_held_is_told():
    values = rows_with(label=np.arange(1008) % 10 + 0.0, prediction=4.5, low=0.5, high=np.inf)
    values.loc[:99, ["low", "high"]] = np.nan
    spec = make_spec(
        label={"column": "arr_delay", "task": "regression"},
        model={"candidates": {"logistic": {}}, "validation": "28d", "metric": "rmse"},
    )
    judged = judge(values, spec=spec, promised=3.0)
    assert judged.quality.coverage == pytest.approx(0.9, abs=0.001)
    assert "The intervals held 90% of the labels." in judged.sentence
    assert judge().quality.coverage is None


def test_a_window_as_promised():
    judged = judge()
    assert (judged.status, judged.action) == ("ok", "none")
    assert (judged.model, judged.window, judged.rows) == (MODEL, WINDOWS[0].id, 1008)
    assert judged.labelled == 1008
    assert judged.sentence.startswith("As promised: log loss .")
    assert judged.sentence.endswith("None of 3 features drifted.")


@pytest.mark.parametrize(
    ("rows", "status", "words"),
    [
        (rows_with(prediction=0.9), "decayed", "worse than the promised .510 by more than .020"),
        (rows_with(temp=95.0, distance=10.0), "drifted", "The inputs drifted: 2 of 3 features"),
        (rows_with(temp=95.0), "ok", "Some inputs moved: 1 of 3 features (temp"),
        (rows_with(label=np.nan), "no_labels", "None of the 1,008 rows has a label"),
        (rows_with().iloc[:3], "too_small", "3 labelled rows of 3, 100 are needed"),
        (rows_with().iloc[:0], "no_rows", "No row was predicted in this window."),
        (rows_with(label=0.0), "ok", "All labels are of one class, so there is no AUC."),
        (rows_with(prediction=np.nan), "no_labels", "None of the 1,008 rows has a label"),
        (rows_with(event_time=pd.Timestamp(TRAINED)), "too_small", "fall into one hour"),
        (rows_with(temp=np.nan), "ok", "Some inputs moved: 1 of 3 features (temp 1.00)"),
        (rows_with(temp=np.inf), "ok", "Some inputs moved: 1 of 3 features (temp 1.00)"),
        (rows_with(origin="ZZZ"), "ok", "Some inputs moved: 1 of 3 features (origin 1.00)"),
        (rows_with(temp="warm"), "ok", "Some inputs moved: 1 of 3 features (temp 1.00)"),
        (rows_with().drop(columns="temp"), "ok", "None of 2 features drifted."),
    ],
    ids=lambda value: "" if isinstance(value, pd.DataFrame) else str(value)[:24],
)
def test_every_kind_of_window_is_judged(rows, status, words):
    judged = judge(rows)
    assert judged.status == status
    assert words in judged.sentence


def test_nothing_follows_from_how_good_a_model_was_that_is_rolled_back():
    judged = judge(rows_with(prediction=0.9), is_revoked=True)
    assert (judged.status, judged.action) == ("decayed", "none")
    assert judged.sentence.endswith("The model was rolled back since.")


def test_what_is_done_about_it_is_the_specs_policy():
    bad = rows_with(prediction=0.9)
    assert judge(bad).action == "retrain"
    assert judge(bad, spec=make_spec(monitor={"on_decay": "tell"})).action == "tell"


@pytest.mark.parametrize(
    ("promised", "words"),
    [(0.51, "As promised: log loss .4"), (0.45, "Not clearly worse than promised: log loss")],
)
def test_worse_but_not_clearly_so_is_told_as_it_is(promised, words):
    judged = judge(promised=promised)
    assert judged.status == "ok"
    assert words in judged.sentence


def test_decay_is_told_before_drift():
    judged = judge(rows_with(prediction=0.9, temp=95.0, distance=10.0))
    assert judged.status == "decayed"
    assert judged.drifted_features == ("distance", "temp")


def test_no_promise_is_no_decay():
    judged = judge(promised=None)
    assert (judged.status, judged.quality.promised) == ("no_promise", None)
    assert "the model's card promises no log loss" in judged.sentence


def test_drift_needs_enough_rows_to_compare_with():
    assert judge(learnt=LEARNT.iloc[:50]).drift == ()


def test_regression_has_no_auc_and_says_nothing_of_classes():
    spec = make_spec(label={"column": "arr_delay", "task": "regression"}, model=RMSE)
    judged = judge(spec=spec, promised=0.4)
    assert judged.quality.metric == "rmse"
    assert "class" not in judged.sentence


RMSE = {"candidates": {"logistic": {}}, "validation": "28d", "metric": "rmse"}


@pytest.mark.parametrize(
    ("receipt", "status"), [(None, "not_predicted"), (make_receipt(in_sample=True), "in_sample")]
)
def test_without_evidence_it_says_why(receipt, status):
    judged = judge_unseen(SPEC, AS_OF, WINDOWS[0], receipt)
    assert (judged.status, judged.action, judged.quality) == (status, "none", None)
    assert judged.sentence
