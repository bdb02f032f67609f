"""What a judgement says of how the rows came, and in what form."""

import numpy as np
import pytest

from tenantry.monitoring.feed import Delivery
from tenantry.monitoring.memory import Arrival
from tests.unit.monitoring.judged import MEMORY, SPEC, TABLE, judge, rows_with, stream
from tests.unit.monitoring.watched import (
    WINDOWS,
    make_rows,
    make_spec,
)


def judge_delivery(rows=None, *, late=0, memory=MEMORY, spec=SPEC, table=TABLE, **delivered):
    rows = make_rows(table, WINDOWS[0]) if rows is None else rows
    delivery = Delivery(Arrival(rows=len(rows) + late, late=late), **delivered)
    return judge(rows, memory=memory, spec=spec, delivery=delivery)


def test_how_rows_came_is_told():
    feed = judge_delivery(rows_with().iloc[:504], late=7, unscored=5).feed
    assert (feed.rows, feed.late, feed.unscored, feed.changes) == (511, 7, 5, ())
    assert feed.silence == pytest.approx(84.17, abs=0.01), "hours, from the last row to the end"
    assert judge_delivery(rows_with().iloc[:0]).feed.silence is None


def test_a_feed_that_stopped_in_the_middle_of_a_window_drifted():
    judged = judge_delivery(rows_with().iloc[:504], spec=make_spec(monitor={"on_drift": "retrain"}))
    assert stream(judged, "freshness").drifted
    assert (judged.status, judged.action) == ("drifted", "tell")
    assert judged.sentence.endswith("a feed is mended, not learnt from.")


def test_late_rows_are_compared_with_the_windows_judged_before():
    memory = MEMORY
    for _ in range(8):
        judged = judge_delivery(late=3, memory=memory)
        memory = judged.memory
    assert stream(judged, "late").note == "7 windows judged before, 8 are needed"
    assert not stream(judge_delivery(late=3, memory=memory), "late").drifted
    judged = judge_delivery(late=600, memory=memory)
    assert stream(judged, "late").drifted
    assert stream(judged, "late").note == "600 of 1,608 rows came late"
    assert judged.memory.arrivals == memory.arrivals, "it is not what is usual"


def test_what_is_known_of_the_feed_outlives_the_model():
    memory = judge_delivery(late=3, kinds={"rows.temp": "number"}, faults={"a: b": 1}).memory
    assert memory.of("other").arrivals == (Arrival(rows=1011, late=3),)
    assert memory.of("other").kinds == {"rows.temp": "number"}
    assert memory.of("other").faults == {"a: b": 1}


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ({"kinds": {"rows.temp": "text"}}, "rows.temp was number, is text"),
        ({"faults": {"temp: below 0": 300}}, "temp: below 0 in 300 rows more"),
    ],
    ids=["type", "faults"],
)
def test_another_form_is_an_event_without_a_p_value(now, words):
    before = judge_delivery(kinds={"rows.temp": "number"}, faults={})
    assert not stream(before, "schema").drifted
    judged = judge_delivery(memory=before.memory, **now)
    form = stream(judged, "schema")
    assert (form.drifted, form.effect, form.p_value, form.note) == (True, 1.0, None, words)
    assert (judged.status, judged.action) == ("drifted", "tell")
    assert f"Their form changed: {words}." in judged.sentence
    again = judge_delivery(memory=judged.memory, **now)
    assert not stream(again, "schema").drifted, "it is told once"


def test_a_window_can_break_the_contract_that_its_history_keeps():
    columns = {"number": {"type": "integer"}, "temp": {"type": "number", "max_null_share": 0.2}}
    rows = rows_with()
    rows.loc[:503, "temp"] = np.nan
    judged = judge_delivery(rows, spec=make_spec(contract={"columns": columns}))
    words = "temp is missing in 50% of the rows, the contract allows 20%"
    assert stream(judged, "schema").note == words
    assert (stream(judged, "temp").missing, stream(judged, "temp").missing_before) == (0.5, 0.0)
    few = judge_delivery(rows.iloc[:40], spec=make_spec(contract={"columns": columns}))
    assert not stream(few, "schema").drifted, "40 rows are too few to say"
