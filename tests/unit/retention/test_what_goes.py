"""What goes when it is old, and what stays for what reason: a table of cases."""

from datetime import timedelta

import pytest

from tenantry import layout
from tenantry.digests import sha256
from tenantry.events import Event, write_event
from tenantry.serving.entries import Entry, Trial
from tenantry.serving.index import write_entries
from tests.unit.answered import answer
from tests.unit.retention.specs import collect, find, make_fleet
from tests.unit.small_store import PRODUCT, SmallStore, day, week

FOLDER = layout.tenant_folder(PRODUCT, "ua")


def model_files(card, *, card_too=False):
    names = (
        "evaluation.parquet",
        "metrics.json",
        "model.skops",
        *(["card.json"] if card_too else []),
    )
    return {f"{FOLDER}models/{card.version}/{name}" for name in names}


def test_by_default_only_feature_tables_and_leftovers_go(made):
    found = find(made.store, make_fleet(), 400)
    assert set(found) == {"features"}
    assert len(found["features"]) == 5


@pytest.mark.parametrize(("number", "count"), [(31, 0), (32, 1), (46, 1), (47, 4), (49, 5)])
def test_feature_tables_go_some_time_after_they_were_last_used(made, number, count):
    # the challenger's on day 25, that of week 5 on day 42, the others on day 40 to judge
    assert len(find(made.store, make_fleet(features="7d"), number).get("features", ())) == count


@pytest.mark.parametrize(
    ("rules", "number", "gone"),
    [
        ({"models": "10d", "champions": 1}, 45, {25}),
        ({"models": "10d", "champions": 1, "predictions": "5d"}, 45, {10, 20, 25}),
        ({"models": "10d", "champions": 2, "predictions": "5d"}, 60, {10, 20, 25}),
        ({"models": "10d", "champions": 4, "predictions": "5d"}, 60, {25}),
        ({"models": "100d", "champions": 1, "predictions": "5d"}, 60, set()),
        ({"champions": 1, "predictions": "5d"}, 600, set()),
    ],
)
def test_models_go_that_neither_reigned_lately_nor_made_a_kept_prediction(
    made, rules, number, gone
):
    found = find(made.store, make_fleet(features=None, **rules), number)
    wanted = {key for n in gone for key in model_files(made.cards[n])}
    assert found.get("model", set()) == wanted


def test_a_pinned_model_stays(made):
    made.pin(made.cards[10])
    rules = {"models": "1d", "champions": 1, "predictions": "1d", "features": None}
    found = find(made.store, make_fleet(**rules), 400)
    assert not found["model"] & model_files(made.cards[10])
    assert found["model"] >= model_files(made.cards[20])


def test_the_model_that_was_decided_on_last_stays(made):
    last = made.model("ua", 50, made.shas[40])
    made.decide(last)
    rules = {"models": "1d", "champions": 1, "predictions": "1d"}
    assert not find(made.store, make_fleet(**rules), 400).get("model", set()) & model_files(last)


def test_the_model_of_a_window_that_is_yet_to_be_predicted_stays(made):
    rules = {"models": "1d", "champions": 1, "predictions": "1d", "features": None}
    assert find(made.store, make_fleet(**rules), 60)["model"] >= model_files(made.cards[20])
    for key in made.receipts[3].files[0].key, made.receipts[3].key:
        made.store.delete(key)
    found = find(made.store, make_fleet(**rules), 60)["model"]
    assert found >= model_files(made.cards[10])
    assert found.isdisjoint(model_files(made.cards[20])), "it reigned when week 3 began"


@pytest.mark.parametrize(
    ("change", "goes"),
    [
        ({}, True),
        ({"judged": False}, False),
        ({"judged": False, "in_sample": True}, True),
        ({"judged": False, "state": "retired"}, True),
    ],
)
def test_old_predictions_go_once_they_were_judged_if_ever_they_will_be(change, goes):
    small = SmallStore()
    sha = small.snapshot("ua", 10)
    card = small.model("ua", 10, sha)
    small.crown(card)
    in_sample = change.get("in_sample", False)
    receipt = small.predict(card, week(2), sha, number=21, in_sample=in_sample)
    if change.get("judged", True):
        small.judge(receipt, sha, number=30)
    fleet = make_fleet(states={"ua": change.get("state", "active")}, predictions="30d")
    found = find(small.store, fleet, 100)
    assert found.get("prediction", set()) == ({receipt.files[0].key} if goes else set())
    assert find(small.store, fleet, 50).get("prediction") is None


@pytest.mark.parametrize(("judged", "goes"), [(True, True), (False, False)])
def test_logged_answers_go_with_the_predictions_of_their_window(judged, goes):
    small = SmallStore()
    sha = small.snapshot("ua", 10)
    receipt = small.predict(small.model("ua", 10, sha), week(2), sha, number=21)
    if judged:
        small.judge(receipt, sha, number=30)
    logged = answer(small.store, PRODUCT, "ua", week(2))
    fleet = make_fleet(predictions="30d")
    found = find(small.store, fleet, 100)
    assert found.get("served", set()) == ({logged.key, logged.file.key} if goes else set())
    assert find(small.store, fleet, 50).get("served") is None
    assert find(small.store, make_fleet(), 400).get("served") is None


def test_a_file_that_a_kept_receipt_names_stays(made):
    late = made.receipts[0].model_copy(update={"snapshot": made.shas[40], "as_of": day(40)})
    made.store.put(late.key, late.to_json())
    found = find(made.store, make_fleet(predictions="30d"), 400)
    assert found["prediction"] == {one.files[0].key for one in made.receipts}
    assert find(made.store, make_fleet(), 400).get("prediction") is None


def test_rows_go_with_chunks_that_no_kept_snapshot_shares(made):
    rules = {"models": "1d", "champions": 1, "predictions": "1d", "snapshots": "1d"}
    found = find(made.store, make_fleet(**rules), 400)["snapshot"]
    gone = {n for n, sha in made.shas.items() if layout.snapshot(PRODUCT, "ua", sha) in found}
    kept = {
        name: layout.chunk(PRODUCT, "ua", sha256(f"ua {name}".encode()))
        for name in ("shared", "m40", "m25")
    }
    assert 40 not in gone, "the champion's"
    assert 25 in gone
    assert {kept["shared"], kept["m40"]}.isdisjoint(found)
    assert kept["m25"] in found
    assert any("/sources/" in key for key in found)


def test_where_a_kept_snapshots_manifest_is_gone_no_chunk_goes(made):
    made.store.delete(layout.snapshot(PRODUCT, "ua", made.shas[40]))
    rules = {"models": "1d", "champions": 1, "predictions": "1d", "snapshots": "1d"}
    found = find(made.store, make_fleet(**rules), 400)["snapshot"]
    assert not [key for key in found if "/chunks/" in key]


def test_reports_and_pages_go_and_judgements_stay(made):
    found = find(made.store, make_fleet(monitoring="30d"), 400)["monitoring"]
    pages = (layout.monitoring_page, layout.insights, layout.insights_page)
    kinds = (layout.drift_report, *pages)
    assert found == {key(PRODUCT, "ua", week(n)) for n in range(6) for key in kinds}


LEFTOVERS = (
    f"snapshots/chunks/{'a' * 64}.parquet",
    "models/20130101T000000Z-00/model.skops",
    f"served/{week(0)}/20130101T000000Z-00/{'a' * 64}.parquet",
    f"predictions/{week(0)}/20130101T000000Z-00-{'0' * 12}/part-0.parquet",
)


@pytest.mark.parametrize("name", LEFTOVERS)
def test_what_a_crash_left_without_a_record_goes_when_it_is_old(made, name):
    made.store.put(FOLDER + name, b"torn")
    fleet = make_fleet(features=None)
    assert collect(made.store, fleet, 400) == {FOLDER + name}
    made.store.put(FOLDER + name, b"torn")
    written = made.store.find(FOLDER + name).modified
    grace = timedelta(days=1)
    soon = written + timedelta(hours=23)
    assert find(made.store, fleet, 400, grace=grace, now=soon) == {}
    assert find(made.store, fleet, 400, grace=grace, now=written + grace) != {}


def test_what_nobody_knows_stays(made):
    for name in ("attempt.json", "notes/x.txt", "collections/x.json", "snapshots/readme"):
        made.store.put(FOLDER + name, b"{}")
    rules = dict.fromkeys(("models", "snapshots", "features", "predictions", "monitoring"), "1d")
    gone = find(made.store, make_fleet(champions=1, **rules), 400)
    assert not [
        key
        for keys in gone.values()
        for key in keys
        if key.endswith(("t", "x.json", "me")) and not key.endswith("parquet")
    ]


def test_chunks_go_though_a_manifest_is_gone_where_rows_were_erased(made):
    made.store.delete(layout.snapshot(PRODUCT, "ua", made.shas[40]))
    event = Event(
        kind="rows_erased", as_of=day(41), product=PRODUCT, tenant="ua", sentence="erased"
    )
    write_event(made.store, event)
    rules = {"models": "1d", "champions": 1, "predictions": "1d", "snapshots": "1d"}
    found = find(made.store, make_fleet(**rules), 400)["snapshot"]
    assert layout.chunk(PRODUCT, "ua", sha256(b"ua m25")) in found


def test_of_what_was_published_only_what_servers_are_told_of_stays(made):
    shas = [digit * 64 for digit in "abcd"]
    keys = [layout.serving_record(PRODUCT, "ua", sha) for sha in shas[:2]]
    keys += [layout.online_features(PRODUCT, "ua", sha) for sha in shas[2:]]
    for key in keys:
        made.store.put(key, b"{}")
    assert find(made.store, make_fleet(), 400)["serving"] == {*keys}
    entry = Entry(version="v", record=shas[0], online=shas[2], spec="s", published=day(1),
                  as_of=day(1), counter=1)  # fmt: skip
    write_entries(made.store, PRODUCT, {"ua": entry})
    assert find(made.store, make_fleet(), 400)["serving"] == {keys[1], keys[3]}
    trial = Trial(version=made.cards[25].version, record=shas[1], share=0.1, mode="shadow")
    write_entries(made.store, PRODUCT, {"ua": entry.model_copy(update={"trial": trial})})
    found = find(made.store, make_fleet(models="10d", champions=1), 45)
    assert found["serving"] == {keys[3]}
    assert "model" not in found, "it is tried"
