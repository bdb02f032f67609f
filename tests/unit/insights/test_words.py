import pandas as pd
import pytest

from tenantry.insights.drivers import weigh_reasons
from tenantry.insights.record import Drivers, Segments
from tenantry.insights.words import (
    number,
    share,
    tell_acting,
    tell_drivers,
    tell_peers,
    tell_performance,
    tell_segments,
)
from tests.unit.insights.told import make_insights, spec_of, with_peers


@pytest.fixture(scope="module")
def told():
    return with_peers(make_insights())


def test_how_good_in_words(told):
    text = " ".join(tell_performance(told))
    assert "4,193 predictions of 70 days have an outcome." in text
    assert "% better than always saying the share that came true (log loss ." in text
    assert "times of 100; 50 would be guessing." in text


@pytest.mark.parametrize(("rows", "few"), [(50, True), (4_000, False)])
def test_how_good_is_not_sure_of_few_that_came_true(told, rows, few):
    found = told.performance.model_copy(update={"rows": rows})
    text = " ".join(tell_performance(told.model_copy(update={"performance": found})))
    assert ("so how good they are is far from sure" in text) is few


def test_acting_in_words(told):
    (now,) = [one for one in told.acting if one.is_current]
    first, second = tell_acting(told)
    assert first.startswith(f"At 40%, the threshold in use: {now.acted:,} acted on, {now.hits:,} ")
    lower = next(one for one in told.acting if one.threshold == 0.3)
    assert f"{lower.hits - now.hits:,} more hits and" in second


def test_segments_in_words(told):
    text = " ".join(tell_segments(told))
    assert "EWR → ORD (from and to): " in text
    assert "On average, at most 10% of such findings are chance." in text
    none = told.model_copy(update={"segments": Segments(tested=7)})
    (words,) = tell_segments(none)
    assert words == "7 segments were tested; none differs from the rest beyond chance."


def test_drivers_in_words(told):
    text = " ".join(tell_drivers(told))
    assert "The reasons of 840 predictions of the last 28 days: wind (" in text
    assert "Wind grew from 20% to" in text
    few = told.model_copy(update={"drivers": Drivers(note="Too few.")})
    assert [*tell_drivers(few)] == ["Too few."]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("decided", "only those at or above the threshold in use get some"),
        ("all", "all get some, but few were made in the last 28 days"),
        ("none", "the spec asks for none"),
    ],
)
def test_why_there_are_no_reasons_is_told_in_words(rows, words):
    none = pd.DataFrame({"row": [], "day": [], "feature": [], "contribution": []})
    predict = {"window": "7d", "start": "2013-10-01", "explain": {"rows": rows}}
    note = weigh_reasons(none, none, spec_of(predict=predict)).note
    assert note == f"Too few predictions have reasons to tell: {words}."


def test_peers_in_words(told):
    head, outcome, auc = tell_peers(told)
    assert head == "7 comparable tenants that allow it, without names:"
    assert outcome == "share that came true: 0.25, above the middle half (0.17 to 0.23)."
    assert auc == "ROC AUC: 0.71, within the middle half (0.66 to 0.74)."
    assert not [*tell_peers(told.model_copy(update={"peers": None}))]


def test_what_is_not_known_is_said(told):
    nothing = told.model_copy(update={"performance": None, "acting": (), "segments": Segments()})
    assert [*tell_performance(nothing)] == [
        "Too few outcomes are known of 4,200 predictions to say how good."
    ]
    assert not [*tell_acting(nothing)]
    assert [*tell_segments(nothing)] == ["No segment had enough rows and days to be tested."]


def test_nobody_acts_where_no_probability_is_high_enough(told):
    quiet = told.acting[0].model_copy(
        update={"is_current": True, "threshold": 0.99, "acted": 0, "hits": 0, "precision": None}
    )
    told = told.model_copy(update={"acting": (quiet,)})
    assert [*tell_acting(told)] == [
        "At 99%, the threshold in use, nothing would have been acted on."
    ]


def test_figures_are_short():
    assert [share(one) for one in (0, 0.004, 0.25, 1)] == ["0%", "0.4%", "25%", "100%"]
    assert [number(one) for one in (0.256, 12.3, 1234.5)] == ["0.26", "12.30", "1,234"]
