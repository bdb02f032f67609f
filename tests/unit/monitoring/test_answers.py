"""What servers answered and logged is counted once its labels are known."""

import asyncio
from datetime import timedelta

import numpy as np
import pytest

from tenantry import layout
from tenantry.columns import EVENT_TIME, LABEL
from tenantry.features.tables import write_features
from tenantry.jobs import Job
from tenantry.ledger import Due, Entry, Outcome
from tenantry.metrics import measure
from tenantry.monitoring.answers import measure_answers
from tenantry.monitoring.judgements import read_judgements
from tenantry.serving.app import ServerOptions, Serving
from tenantry.serving.entries import Trial
from tenantry.serving.index import write_entries
from tenantry.serving.records import Logging
from tenantry.sources.connections import Connections
from tenantry.specs.data import Column
from tenantry.stages.monitor import monitor
from tests.unit.memory_store import MemoryStore
from tests.unit.monitoring.watched import (
    AS_OF,
    MODEL,
    TRAINED,
    WINDOWS,
    make_spec,
    make_table,
    predict,
)
from tests.unit.serving.served import PRODUCT, Client, publish

SPEC = make_spec(
    monitor={"report": False}, serving={"enabled": True, "log": {"share": 1}}, key=["number"]
)
TABLE = make_table()
LOGGING = Logging(share=1.0, start=SPEC.predict.start, window=SPEC.predict.window)
COLUMNS = {
    "number": Column(type="integer"),
    "at": Column(type="time"),
    "distance": Column(type="number"),
    "origin": Column(type="category"),
}


def prepare(record, online):
    """Stands for the features of `serving.online`: the raw fields as they are."""
    return lambda raw, at: ({"distance": raw["distance"], "origin": raw["origin"]},) * 2


def serve(store, *requests, version=MODEL, role="champion", **fields):
    """Let a server answer for rows of the table and log them; return its probabilities."""
    known = {"log": LOGGING, "key": ("number",), "columns": COLUMNS}
    entry = publish(store, version=version, **(known | fields))
    trial = Trial(version=version, record=entry.record, share=1.0, mode="canary")
    if role == "challenger":
        write_entries(store, PRODUCT, {"ua": entry.model_copy(update={"trial": trial})})

    async def ask():
        serving = Serving(store, prepare, ServerOptions(poll_seconds=3600.0))
        async with serving.running():
            answers = [await Client(serving).predict(rows=raw(rows)) for rows in requests]
        return [[one["probability"] for one in answer.json["predictions"]] for answer in answers]

    return asyncio.run(ask())


def raw(rows):
    """What clients send of rows of the table."""
    fields = rows[["number", EVENT_TIME, "distance", "origin"]].rename(columns={EVENT_TIME: "at"})
    return fields.assign(at=[at.isoformat() for at in fields["at"]]).to_dict("records")


def rows_in(window, count):
    inside = (TABLE[EVENT_TIME] >= window.start) & (TABLE[EVENT_TIME] < window.end)
    return TABLE[inside].head(count)


def judge(store, spec=SPEC):
    """Judge the first window, as a run does."""
    sha = write_features(store, spec, "5" * 64, TABLE)
    due = Due(action="monitor", reason="labels are known", windows=(WINDOWS[0].id,))
    done = Outcome(stage="build_features", status="done", facts={"features": sha})
    entry = Entry(tenant="ua", due=(due,), outcomes=(done,))
    monitor(Job("run-1", AS_OF, spec, entry, store, Connections()))
    (judgement,) = read_judgements(store, "arrival-delay", "ua")
    return judgement


@pytest.fixture
def store():
    return MemoryStore()


def test_logged_answers_are_judged_beside_the_batchs_predictions(store):
    predict(store, TABLE, WINDOWS[0])
    rows = rows_in(WINDOWS[0], 120)
    (probabilities,) = serve(store, rows)
    judgement = judge(store)
    (served,) = judgement.served
    assert (served.model, served.role) == (MODEL, "champion")
    assert (served.answers, served.rows, served.labelled) == (120, 120, 120)
    assert served.realised == pytest.approx(
        measure("log_loss", rows[LABEL].to_numpy(), np.array(probabilities)), abs=1e-12
    )
    assert judgement.rows == judgement.labelled == 7 * 24 * 6  # the batch's, each row once
    assert "120 rows logged" in judgement.sentence


def damage(store, key):
    store.put(key, b"PAR1 something else")


def lose(store, key):
    store.purge(key)


@pytest.mark.parametrize("ending", [".parquet", ".json"])
@pytest.mark.parametrize("harm", [damage, lose])
def test_a_damaged_log_costs_no_window_its_judgement(store, harm, ending):
    predict(store, TABLE, WINDOWS[0])
    serve(store, rows_in(WINDOWS[0], 5))
    folder = layout.served_folder("arrival-delay", "ua")
    harm(store, next(one.key for one in store.list(folder) if one.key.endswith(ending)))
    judgement = judge(store)
    assert (judgement.labelled, judgement.served) == (7 * 24 * 6, ())


def test_a_challenger_is_measured_beside_the_champion(store):
    spec = make_spec(key=["number"], monitor={"report": False},
                     serving={"enabled": True, "challenger": {"share": 1}})  # fmt: skip
    predict(store, TABLE, WINDOWS[0])
    rows = rows_in(WINDOWS[0], 60)
    serve(store, rows)
    serve(store, rows, version="20131001T000000Z-bbbbbbbbbbbb", role="challenger")
    judgement = judge(store, spec)
    assert [one.role for one in judgement.served] == ["challenger", "champion"]
    assert {one.labelled for one in judgement.served} == {60}
    assert "The challenger 20131001T000000Z-bbbbbbbbbbbb " in judgement.sentence


def test_the_last_answer_counts_of_a_row_that_was_asked_for_twice(store):
    rows = rows_in(WINDOWS[0], 60)
    _, last = serve(store, rows, rows.assign(distance=0.0))
    (served,) = measure_answers(store, SPEC, TABLE, WINDOWS[0], AS_OF)
    assert (served.answers, served.rows) == (120, 60)
    assert served.mean_prediction == pytest.approx(sum(last) / 60)


def test_rows_that_the_model_may_have_learnt_from_prove_nothing(store):
    half = WINDOWS[0].start + timedelta(hours=5)
    serve(store, rows_in(WINDOWS[0], 60), trained_until=half)
    (served,) = measure_answers(store, SPEC, TABLE, WINDOWS[0], AS_OF)
    assert (served.answers, served.rows) == (60, 30)


def test_labels_that_are_not_known_are_not_counted(store):
    rows = rows_in(WINDOWS[0], 60)
    serve(store, rows)
    table = TABLE.assign(label=TABLE[LABEL].where(TABLE["number"] != rows["number"].iloc[0]))
    (served,) = measure_answers(store, SPEC, table, WINDOWS[0], AS_OF)
    assert (served.rows, served.labelled) == (60, 59)
    few = make_spec(key=["number"], monitor={"min_rows": 60})
    assert measure_answers(store, few, table, WINDOWS[0], AS_OF)[0].realised is None


def test_what_was_answered_later_than_the_run_is_not_read(store):
    serve(store, rows_in(WINDOWS[0], 60))
    assert measure_answers(store, SPEC, TABLE, WINDOWS[0], TRAINED - timedelta(days=1)) == ()


def test_nothing_is_looked_for_where_nothing_is_logged(store):
    predict(store, TABLE, WINDOWS[0])
    serve(store, rows_in(WINDOWS[0], 60))
    quiet = make_spec(key=["number"], monitor={"report": False})
    assert judge(store, quiet).served == ()
