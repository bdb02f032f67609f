from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from tenantry.monitoring.feed import Delivery
from tenantry.monitoring.judge import judge_unseen
from tenantry.monitoring.memory import Arrival, Memory
from tests.unit.monitoring.judged import LEARNT, MEMORY, RMSE, SPEC, judge, rows_with, stream
from tests.unit.monitoring.watched import (
    AS_OF,
    MODEL,
    TRAINED,
    WINDOWS,
    make_receipt,
    make_spec,
)


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
    assert judged.sentence.endswith("Nothing drifted.")
    assert [one.name for one in judged.drift] == [
        *SPEC.features,
        "label",
        "prediction",
        "rows",
        "freshness",
        "late",
        "schema",
    ]


@pytest.mark.parametrize(
    ("rows", "status", "words"),
    [
        (rows_with(prediction=0.9), "decayed", "against the promised .510 (evidence "),
        (rows_with(temp=95.0, distance=10.0), "drifted", "distance by 1.00, temp by 1.00, of 7"),
        (rows_with(temp=95.0), "drifted", "Drifted: temp by 1.00, of 7 that are watched."),
        (rows_with(label=np.nan), "drifted", "None of the 1,008 rows has a label"),
        (rows_with().iloc[:3], "drifted", "3 labelled rows of 3, 50 are needed"),
        (rows_with().iloc[:0], "drifted", "No row was predicted in this window. Drifted: rows"),
        (rows_with(label=0.0), "drifted", "All labels are of one class, so there is no AUC."),
        (rows_with(prediction=np.nan), "drifted", "None of the 1,008 rows has a usable prediction"),
        (rows_with(event_time=pd.Timestamp(TRAINED)), "drifted", "fall into one hour"),
        (rows_with(temp=np.nan), "drifted", "Drifted: temp by 1.00"),
        (rows_with(temp=np.inf), "drifted", "Drifted: temp by 1.00"),
        (rows_with(origin="ZZZ"), "drifted", "Drifted: origin by 1.00"),
        (rows_with(temp="warm"), "drifted", "Drifted: temp by 1.00"),
        (rows_with().drop(columns="temp"), "drifted", "Drifted: temp by 1.00"),
    ],
    ids=lambda value: "" if isinstance(value, pd.DataFrame) else str(value)[:24],
)
def test_every_kind_of_window_is_judged(rows, status, words):
    judged = judge(rows)
    assert judged.status == status
    assert words in judged.sentence


@pytest.mark.parametrize(
    ("rows", "status"),
    [(0, "no_rows"), (3, "too_small")],
)
def test_without_a_past_few_rows_are_just_too_few(rows, status):
    recent = LEARNT[LEARNT["event_time"] >= TRAINED - timedelta(days=28)]
    assert judge(rows_with().iloc[:rows], learnt=recent).status == status


@pytest.mark.parametrize(
    ("column", "status"), [("prediction", "too_small"), ("label", "no_labels")]
)
def test_labels_without_a_usable_prediction_are_labels_all_the_same(column, status):
    recent = LEARNT[LEARNT["event_time"] >= TRAINED - timedelta(days=28)]
    judged = judge(rows_with(**{column: np.nan}), learnt=recent)
    assert (judged.status, judged.labelled) == (status, 0)
    assert f"None of the 1,008 rows has a {WITHOUT[column]}" in judged.sentence


WITHOUT = {"prediction": "usable prediction", "label": "label"}


@pytest.mark.parametrize(
    ("column", "note"),
    [
        (np.nan, "all missing in the window"),
        ("warm", "text where numbers were"),
        (np.inf, ""),
    ],
)
def test_what_stands_out_is_noted(column, note):
    drift = judge(rows_with(temp=column)).drift
    notes = {one.name: one.note for one in drift if one.name != "late"}
    assert notes == dict.fromkeys(notes, "") | {"temp": note}


def test_a_missing_column_is_noted():
    notes = {one.name: one.note for one in judge(rows_with().drop(columns="temp")).drift}
    assert notes["temp"] == "not in the window"
    (temp,) = (one for one in judge(learnt=LEARNT.drop(columns="temp")).drift if one.name == "temp")
    assert (temp.effect, temp.note) == (None, "not in the reference")


def test_nothing_follows_from_how_good_a_model_was_that_is_overtaken():
    judged = judge(rows_with(prediction=0.9), overtaken="The model was rolled back since.")
    assert (judged.status, judged.action) == ("decayed", "none")
    assert judged.sentence.endswith("The model was rolled back since.")


@pytest.mark.parametrize(
    ("rows", "policy", "action", "words"),
    [
        (rows_with(prediction=0.9), {}, "retrain", "trained again (monitor.on_decay: retrain)."),
        (rows_with(prediction=0.9), {"on_decay": "tell"}, "tell", "(monitor.on_decay: tell)."),
        (
            rows_with(prediction=0.9),
            {"on_decay": "rollback"},
            "rollback",
            "It is to be rolled back (monitor.on_decay: rollback).",
        ),
        (rows_with(temp=95.0), {}, "tell", "It is told, nothing is done (monitor.on_drift: tell)."),
        (rows_with(temp=95.0), {"on_drift": "retrain"}, "retrain", "(monitor.on_drift: retrain)."),
    ],
)
def test_what_is_done_about_it_is_the_specs_policy(rows, policy, action, words):
    judged = judge(rows, spec=make_spec(monitor=policy))
    assert judged.action == action
    assert judged.sentence.endswith(words)


# --- from window to window ------------------------------------------------------------------------


def judge_all(rows, **changes):
    """Judge the same rows in four windows, each with what the one before remembered."""
    memory, judgements = MEMORY, []
    for window in WINDOWS:
        judged = judge(rows, window=window, memory=memory, **changes)
        judgements.append(judged)
        memory = judged.memory
    return judgements


def test_what_lasts_is_asked_for_once():
    judged = judge_all(rows_with(prediction=0.9))
    assert [one.action for one in judged] == ["retrain", "none", "none", "none"]
    assert {one.status for one in judged} == {"decayed"}
    since = "it was in the window from 2013-10-01T00:00:00Z (monitor.pause: 28d)."
    assert judged[-1].sentence.endswith(f"Not asked for again: {since}")


def test_it_is_asked_for_again_after_the_pause():
    spec = make_spec(monitor={"pause": "14d"})
    judged = judge_all(rows_with(prediction=0.9), spec=spec)
    assert [one.action for one in judged] == ["retrain", "none", "retrain", "none"]


def test_having_told_of_drift_does_not_keep_from_retraining():
    told = judge(rows_with(temp=95.0))
    decayed = judge(rows_with(prediction=0.9), window=WINDOWS[1], memory=told.memory)
    assert (told.action, decayed.action) == ("tell", "retrain")
    again = judge(rows_with(temp=95.0), window=WINDOWS[2], memory=decayed.memory)
    assert again.action == "none"


def test_another_model_starts_anew_but_the_pause_goes_on():
    first = judge(rows_with(prediction=0.9))
    second = judge(window=WINDOWS[1], memory=first.memory, model="other")
    assert (second.memory.model, second.quality.evidence < 1) == ("other", True)
    assert second.memory.asked == {"retrain": WINDOWS[0].start}
    assert second.memory.windows == 1


def test_a_model_that_was_gone_back_to_is_not_called_back_within_the_pause():
    spec = make_spec(monitor={"on_decay": "rollback"})
    first = judge(rows_with(prediction=0.9), spec=spec)
    second = judge(
        rows_with(prediction=0.9), spec=spec, window=WINDOWS[1], memory=first.memory, model="old"
    )
    assert (first.action, second.action) == ("rollback", "none")
    assert second.status == "decayed"
    assert "Not asked for again" in second.sentence


def test_slight_decay_is_found_after_some_windows():
    rows = rows_with(prediction=0.33)
    spec = make_spec(monitor={"label_threshold": 1.0})
    judged = judge_all(rows, promised=0.46, spec=spec)
    assert judged[0].status == "ok"
    evidence = [one.quality.evidence for one in judged]
    assert evidence == sorted(evidence)


def test_before_labels_come_the_predictions_say_what_they_expect():
    quiet = make_spec(monitor={"label_threshold": 1.0})
    first = judge(rows_with(label=np.nan), spec=quiet)
    assert first.expected == pytest.approx(0.5004, abs=1e-4)
    assert "By its own probabilities a log loss of .500 is expected. " in first.sentence
    known = judge(memory=first.memory, window=WINDOWS[1])
    assert known.memory.surprise == pytest.approx(known.quality.realised - known.expected)
    later = judge(rows_with(label=np.nan), spec=quiet, memory=known.memory, window=WINDOWS[2])
    assert "expected; over 1 window it was .0" in later.sentence


def test_labels_that_are_not_known_yet_are_counted():
    rows = rows_with()
    rows.loc[:99, "label"] = np.nan
    assert "908 of the 1,008 rows have a label." in judge(rows).sentence


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
    assert [one.name for one in judged.drifted] == ["distance", "temp", "prediction"]


def test_no_promise_is_no_decay():
    judged = judge(promised=None)
    assert (judged.status, judged.quality.promised) == ("no_promise", None)
    assert "the model's card promises no log loss" in judged.sentence


def test_drift_needs_enough_windows_to_compare_with():
    judged = judge(learnt=LEARNT[LEARNT["event_time"] >= TRAINED - timedelta(days=28)])
    assert "Drift is not judged: 3 whole past windows are known, 8 needed." in judged.sentence
    notes = {one.note for one in judged.drift if one.name not in ("late", "schema")}
    assert notes == {"3 whole past windows, 8 are needed"}


@pytest.mark.parametrize(("days", "told"), [(87, True), (88, False)])
def test_it_is_told_when_a_model_is_too_old_for_its_past_to_be_read(days, told):
    """It learnt until 31 days ago; eight weeks before that are needed, the oldest is not whole."""
    recent = LEARNT[LEARNT["event_time"] >= TRAINED - timedelta(days=28)]
    spec = make_spec(train={"every": "28d", "history": f"{days}d"})
    words = f"learnt until 2013-10-01T00:00:00Z; rows are read {days}d back (train.history)."
    assert (words in judge(spec=spec, learnt=recent).sentence) is told
    assert words not in judge(spec=spec).sentence, "where drift is judged it does not matter"


def test_a_stream_of_the_feed_does_not_hide_that_drift_is_not_judged():
    """Eight windows judged before are enough to judge late rows, not what is in the rows."""
    recent = LEARNT[LEARNT["event_time"] >= TRAINED - timedelta(days=28)]
    memory = MEMORY.model_copy(update={"arrivals": (Arrival(rows=1008, late=3),) * 8})
    for late in (3, 600):
        delivery = Delivery(arrival=Arrival(rows=1008, late=late))
        judged = judge(learnt=recent, memory=memory, delivery=delivery)
        assert stream(judged, "late").p_value is not None
        assert ("Drifted: late" in judged.sentence) == (late == 600)
        assert "Drift is not judged: 3 whole past windows are known, 8 needed." in judged.sentence
        assert "Nothing drifted" not in judged.sentence


def test_another_form_alone_is_not_said_to_be_nothing():
    memory = MEMORY.model_copy(update={"kinds": {"rows.temp": "number"}})
    judged = judge(memory=memory, delivery=Delivery(kinds={"rows.temp": "text"}))
    assert judged.status == "drifted"
    assert "Nothing drifted" not in judged.sentence


def test_regression_has_no_auc_and_says_nothing_of_classes():
    spec = make_spec(label={"column": "arr_delay", "task": "regression"}, model=RMSE)
    judged = judge(spec=spec, promised=0.4)
    assert judged.quality.metric == "rmse"
    assert "class" not in judged.sentence


@pytest.mark.parametrize(
    ("receipt", "status"), [(None, "not_predicted"), (make_receipt(in_sample=True), "in_sample")]
)
def test_without_evidence_it_says_why(receipt, status):
    judged = judge_unseen(SPEC, AS_OF, WINDOWS[0], receipt, Memory(degrees=6))
    assert (judged.status, judged.action, judged.quality) == (status, "none", None)
    assert judged.sentence
    assert judged.memory == Memory(degrees=6), "it is passed on"


# --- whatever a stream holds ----------------------------------------------------------------------

_STREAMS = ("temp", "origin", "label", "prediction")
VALUES = {"column": "arr_delay", "task": "regression"}


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, "text", 1e308, 0.5, True, None])
@pytest.mark.parametrize("name", _STREAMS)
def test_nothing_that_a_stream_holds_is_an_exception(name, value, task):
    changes = {} if task == "classification" else {"label": VALUES, "model": RMSE}
    rows = rows_with(**{name: pd.Series([value] * 1008)})
    judged = judge(rows, spec=make_spec(**changes))
    assert judged.sentence
    judged.to_json()
