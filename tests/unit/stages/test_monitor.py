from datetime import timedelta

import numpy as np
import pytest

from tenantry import layout
from tenantry.champions import Restored
from tenantry.crowning import crown
from tenantry.digests import sha256
from tenantry.errors import RecordError
from tenantry.features.tables import write_features
from tenantry.insights.files import read_insights
from tenantry.insights.record import Insights
from tenantry.jobs import Job
from tenantry.ledger import Due, Entry, Outcome
from tenantry.manifests import Manifest
from tenantry.models.card import Card, read_card
from tenantry.monitoring import evidently
from tenantry.monitoring.judgements import read_judgements
from tenantry.origins import Origin, SourceRead, write_origin
from tenantry.planner import plan_tenant
from tenantry.quality import Quality as RowQuality
from tenantry.sources.connections import Connections
from tenantry.stages.monitor import monitor
from tenantry.stages.promote import promote
from tenantry.truth import read_state
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
from tests.unit.registry.made import decide, make_model, make_reign

DAY = timedelta(days=1)
SPEC = make_spec()
QUIET = make_spec(monitor={"report": False})
TABLE = make_table()
CARD = f"{layout.model_folder('arrival-delay', 'ua', MODEL)}card.json"


@pytest.fixture
def store():
    store = MemoryStore()
    card = Card(
        product="arrival-delay",
        tenant="ua",
        version=MODEL,
        as_of=TRAINED,
        trained_until=TRAINED,
        recipe="logistic",
        task="classification",
        form="own",
        weight=0.0,
        training_digest="t",
        spec_digest="s",
        snapshot="5" * 64,
        features="f" * 64,
        seed=7,
        code_version="0.1.0",
        rows=1000,
        metric="log_loss",
        scores={"logistic": {"log_loss": 0.4}},
        holdout={"challenger": {"log_loss": 0.51}},
    )
    store.put(CARD, card.to_json())
    return store


def watch(store, *, spec=QUIET, table=TABLE, windows=WINDOWS, ingested=None):
    sha = write_features(store, spec, "5" * 64, table)
    due = Due(action="monitor", reason="labels are known", windows=tuple(w.id for w in windows))
    done = Outcome(stage="build_features", status="done", facts={"features": sha})
    before = (ingested,) if ingested else ()
    entry = Entry(tenant="ua", due=(due,), outcomes=(*before, done))
    return monitor(Job("run-1", AS_OF, spec, entry, store, Connections()))


def judged(store):
    return list(read_judgements(store, "arrival-delay", "ua"))


def inside(table, window):
    return (table["event_time"] >= window.start) & (table["event_time"] < window.end)


def test_rows_that_came_too_late_to_be_scored_are_counted(store):
    first = TABLE[inside(TABLE, WINDOWS[0])]
    predict(store, TABLE.drop(first.index[:3]), WINDOWS[0])
    result = watch(store, windows=WINDOWS[:1])
    assert result.facts["too_late"] == 3
    assert result.facts["rows"] == len(first) - 3
    assert "3 rows came too late to be scored." in result.message


def ingest(store, types, **reasons):
    """Store a snapshot's manifest and its origin; return the outcome that tells of both."""
    manifest = Manifest(rows=9, chunks=(), quality=RowQuality(rows=9, labelled=9, reasons=reasons))
    snapshot = sha256(manifest.to_json())
    place = layout.snapshot("arrival-delay", "ua", snapshot)
    store.put(place, manifest.to_json())
    read = SourceRead(
        source="rows", connection="here", kind="csv", path="rows.csv", rows=9, types=types
    )
    origin = Origin(
        product="arrival-delay",
        tenant="ua",
        snapshot=snapshot,
        as_of=AS_OF,
        run="run-1",
        spec_digest="s",
        code_version="1",
        rows=9,
        fingerprint="f",
        reads=(read,),
    )
    keys = (place, write_origin(store, origin))
    return Outcome(stage="ingest", status="done", facts={"snapshot": snapshot}, keys=keys)


def test_how_rows_came_is_judged_by_what_ingest_left(store):
    predict(store, TABLE, WINDOWS[0], late=4)
    predict(store, TABLE, WINDOWS[1])
    watch(store, windows=WINDOWS[:1], ingested=ingest(store, {"temp": "number"}))
    watch(store, windows=WINDOWS[1:2], ingested=ingest(store, {"temp": "text"}, bad=500))
    first, second = judged(store)
    assert (first.feed.rows, first.feed.late, first.feed.changes) == (1008, 4, ())
    changes = ("rows.temp was number, is text", "bad in 500 rows more")
    assert second.feed.changes == changes
    assert (second.status, second.action) == ("drifted", "tell")


def test_what_can_be_told_lies_beside_the_latest_judgement(store):
    for window in WINDOWS:
        predict(store, TABLE, window)
    result = watch(store)
    place = ("arrival-delay", "ua", WINDOWS[-1])
    keys = (layout.insights(*place), layout.insights_page(*place))
    assert set(keys) <= {*result.keys}
    told = Insights.from_json(store.get(keys[0]).content, keys[0])
    assert (told.as_of, told.windows, told.model) == (AS_OF, 4, MODEL)
    assert store.get(keys[1]).content.startswith(b"<!DOCTYPE html>")
    assert read_insights(store, "arrival-delay", "ua", AS_OF) == told
    assert read_insights(store, "arrival-delay", "ua", AS_OF - DAY) is None


def test_every_due_window_is_judged(store):
    for window in WINDOWS:
        predict(store, TABLE, window)
    result = watch(store)
    assert result.message == "4 windows: 4 as promised."
    assert result.facts["judged"] == 4
    assert (result.facts["decayed"], result.facts["drifted"]) == (0, 0)
    assert result.facts["promised"] == 0.51
    assert 0.4 < result.facts["realised"] < 0.6
    assert {one.quality.promised for one in judged(store)} == {0.51}
    place = ("arrival-delay", "ua", WINDOWS[-1])
    pages = (layout.monitoring_page, layout.insights, layout.insights_page)
    assert list(result.keys) == [*(page(*place) for page in pages), *map(judgement_key, WINDOWS)]


def judgement_key(window):
    return layout.judgement("arrival-delay", "ua", window)


@pytest.mark.parametrize(("since", "action"), [(AS_OF, "none"), (AS_OF + DAY, "retrain")])
def test_a_rolled_back_models_decay_asks_for_nothing_once_that_is_known(store, since, action):
    predict(store, TABLE, WINDOWS[0], probability=0.9)
    first = make_reign(make_model(store, 0))
    bad = first.model_copy(update={"version": MODEL, "turn": 1})
    restored = Restored(since=first.since, version=first.version, who="a", why="b", when=AS_OF)
    for reign in (first, bad, first.model_copy(update={"since": since, "restores": restored})):
        crown(store, "arrival-delay", "ua", reign)
    watch(store, windows=WINDOWS[:1])
    (one,) = judged(store)
    assert (one.status, one.action) == ("decayed", action)


def test_windows_of_every_kind_get_a_judgement_or_a_reason(store):
    table = TABLE.copy()
    table.loc[inside(table, WINDOWS[0]), "label"] = np.nan
    table.loc[inside(table, WINDOWS[1]), "label"] = 0.0
    predict(store, table, WINDOWS[0])
    predict(store, table, WINDOWS[1], probability=0.01)
    table = table.drop(table.index[inside(table, WINDOWS[2])][3:])
    predict(store, table, WINDOWS[2])
    result = watch(store, table=table)
    assert [one.status for one in judged(store)] == ["drifted", "drifted", "drifted"]
    assert result.message == "4 windows: 3 drifted, 1 not predicted."


def test_a_window_that_was_not_predicted_stays_due(store):
    result = watch(store, windows=WINDOWS[:1])
    assert (judged(store), result.keys) == ([], ())
    assert result.message == "1 window: 1 not predicted."


def test_an_empty_window_and_one_in_sample_are_judged_for_good(store):
    predict(store, TABLE.iloc[:0], WINDOWS[0])
    predict(store, TABLE, WINDOWS[1], in_sample=True)
    watch(store, windows=WINDOWS[:2])
    assert [one.status for one in judged(store)] == ["drifted", "in_sample"]


def test_predictions_made_later_than_as_of_are_not_read(store):
    predict(store, TABLE, WINDOWS[0], as_of=AS_OF.replace(year=2014))
    assert watch(store, windows=WINDOWS[:1]).message == "1 window: 1 not predicted."


def test_rows_that_left_the_source_have_no_label(store):
    predict(store, TABLE, WINDOWS[0])
    left = TABLE[TABLE["event_time"] < WINDOWS[0].end].iloc[:-8]
    watch(store, table=left, windows=WINDOWS[:1])
    (one,) = judged(store)
    assert (one.rows, one.labelled, one.status) == (1008, 1000, "ok")


def test_decay_is_found_and_counted(store):
    predict(store, TABLE, WINDOWS[0], probability=0.9)
    result = watch(store, windows=WINDOWS[:1])
    (one,) = judged(store)
    assert (one.status, one.action, result.facts["decayed"]) == ("decayed", "retrain", 1)


def test_a_model_without_a_card_promises_nothing(store):
    store.delete(CARD)
    predict(store, TABLE, WINDOWS[0])
    watch(store, windows=WINDOWS[:1])
    assert [one.status for one in judged(store)] == ["no_promise"]


def test_one_report_over_the_due_windows_lies_at_the_latest(store):
    for window in WINDOWS[:2]:
        predict(store, TABLE, window)
    result = watch(store, spec=SPEC)
    key = layout.drift_report("arrival-delay", "ua", WINDOWS[1])
    assert key in result.keys
    assert b"Effect size" in store.get(key).content
    page = store.get(layout.monitoring_page("arrival-delay", "ua", WINDOWS[1])).content
    assert b'href="report.html"' in page


def test_a_report_that_fails_costs_no_judgement(store, monkeypatch):
    def stop(*_):
        raise KeyError("0")

    monkeypatch.setattr(evidently, "_render", stop)
    predict(store, TABLE, WINDOWS[0])
    result = watch(store, spec=SPEC, windows=WINDOWS[:1])
    assert [one.status for one in judged(store)] == ["ok"]
    assert result.message.endswith("There is no Evidently report: it stopped with KeyError.")


def test_what_the_report_lacks_is_in_the_judgement(store):
    table = TABLE.assign(temp=np.nan)
    predict(store, table, WINDOWS[0])
    watch(store, spec=SPEC, table=table, windows=WINDOWS[:1])
    (one,) = judged(store)
    assert one.report.startswith("left out of the Evidently report: temp (no usable value")


def test_a_judgement_that_was_damaged_fails_its_tenant_and_stays_as_evidence(store):
    predict(store, TABLE, WINDOWS[0])
    store.put(judgement_key(WINDOWS[0]), b"{}")
    with pytest.raises(RecordError, match=r"judgement\.json is not a Judgement"):
        watch(store, windows=WINDOWS[:1])
    assert store.get(judgement_key(WINDOWS[0])).content == b"{}"


def test_the_same_store_gives_the_same_judgements(store):
    for window in WINDOWS:
        predict(store, TABLE, window)
    again = MemoryStore()
    again.objects = dict(store.objects)
    watch(store)
    watch(again)
    assert {key: one.content for key, one in store.objects.items()} == {
        key: one.content for key, one in again.objects.items()
    }


def test_windows_judged_one_by_one_are_judged_as_together(store):
    """Each judgement starts from the one before, whether the same run made it or another."""
    other = MemoryStore()
    other.put(CARD, store.get(CARD).content)
    for window in WINDOWS:
        predict(store, TABLE, window, probability=0.3)
        predict(other, TABLE, window, probability=0.3)
    watch(store)
    for window in WINDOWS:
        watch(other, windows=[window])
    assert judged(other) == judged(store)
    assert judged(store)[-1].memory.degrees == 6 * len(WINDOWS)
    assert [one.span for one in judged(store)[-1].history] == list(WINDOWS[:-1])


def test_a_window_starts_from_the_last_one_judged_whichever_run_judged_it(store):
    """The first window's labels came last: by then the second and third had been judged."""
    for window in WINDOWS:
        predict(store, TABLE, window, probability=0.3)
    watch(store, windows=WINDOWS[1:3])
    watch(store, windows=[WINDOWS[0], WINDOWS[3]])
    first, _, third, last = judged(store)
    assert (first.history, first.memory.degrees) == ((), 6)
    assert last.history == (*third.history, third.in_short)
    assert last.memory.degrees == third.memory.degrees + 6


def test_a_model_that_another_has_replaced_is_not_trained_again(store):
    predict(store, TABLE, WINDOWS[0], probability=0.9)
    crown(store, "arrival-delay", "ua", make_reign(make_model(store, 0)))
    watch(store, windows=WINDOWS[:1])
    (one,) = judged(store)
    assert (one.status, one.action) == ("decayed", "none")
    assert one.sentence.endswith("Another model reigns by now.")


def test_decay_is_rolled_back_by_the_next_plan_and_only_once(store):
    rarely = {"every": "90d", "history": "365d"}
    spec = make_spec(monitor={"report": False, "on_decay": "rollback"}, train=rarely)
    first = make_reign(make_model(store, -9))
    crown(store, "arrival-delay", "ua", first)
    bad = {"since": TRAINED, "version": MODEL, "trained_until": TRAINED}
    crown(store, "arrival-delay", "ua", first.model_copy(update=bad))
    card = read_card(store, "arrival-delay", "ua", MODEL)
    decide(store, card.model_copy(update={"training_digest": spec.training_digest}))
    predict(store, TABLE, WINDOWS[0], probability=0.9)
    watch(store, spec=spec, windows=WINDOWS[:1])

    def plan(as_of):
        state = read_state(store, "arrival-delay", "ua").as_of(as_of)
        due = plan_tenant(spec, state, as_of).due
        return {one.action: one for one in due if one.action in ("rollback", "train")}

    later = AS_OF + DAY
    due = plan(later)
    assert due["rollback"].version == first.version
    entry = Entry(tenant="ua", due=(due["rollback"],))
    result = promote(Job("run-2", later, spec, entry, store, Connections()))
    assert result.message.startswith(f"rolled back from {MODEL} to {first.version}: decayed in")
    assert plan(later) == plan(later + DAY) == {}
