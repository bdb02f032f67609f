"""Any thing in the store is traced back to source files, spec, code and run; gaps are named."""

from typing import get_args

import pytest

from tenantry import layout
from tenantry.erasure.tombstones import Tombstone, write_tombstone
from tenantry.lineage.backward import _TRACES, trace_back
from tenantry.lineage.shelf import Shelf
from tenantry.places import PlaceKind, parse_key
from tenantry.retention.collected import Collection, write_collection
from tenantry.serving.records import write_record
from tests.unit.answered import answer
from tests.unit.serving.served import make_record
from tests.unit.small_store import PRODUCT, START, SmallStore, day, week


@pytest.fixture
def made():
    """Two tenants: `ua` with a champion on the pooled model and two predictions of one window."""
    small = SmallStore()
    small.old = small.snapshot("ua", 10, run="run-0")
    small.snapshot("aa", 10)
    small.pooled = small.pool(10, ["aa", "ua", "zz"], denied=["b6"])
    small.card = small.model("ua", 10, small.old, pooled=small.pooled)
    small.crown(small.card)
    small.new = small.snapshot("ua", 30, months=("a", "b", "c"), run="run-2")
    small.first = small.predict(small.card, week(2), small.old, number=21)
    small.second = small.predict(small.card, week(2), small.new, number=30, run="run-2")
    small.judgement = small.judge(small.second, small.new, number=30)
    return small


def back(made, key):
    return trace_back(Shelf(made.store), parse_key(key))


def find(node, kind, relation=""):
    return [one for one in node.walk() if one.kind == kind and relation in one.relation]


@pytest.mark.parametrize(
    "part", ["receipt.json", "part-0.parquet", "part-0123456789ab.parquet", ""]
)
def test_a_prediction_leads_to_model_rows_files_spec_code_and_run(made, part):
    node = back(made, made.second.folder + part)
    assert (node.kind, node.state, node.facts["run"]) == ("prediction", "there", "run-2")
    (model,) = find(node, "model", "predicted by")
    assert model.name == made.card.version
    assert model.facts["spec_digest"] == made.spec_digest
    assert (model.facts["code_version"], model.facts["run"]) == ("image@1", "run-1")
    trained, scored = find(node, "snapshot")
    assert (trained.name, trained.relation) == (made.old, "trained on")
    assert (scored.name, scored.relation) == (made.new, "rows from")
    assert [one.facts["run"] for one in find(node, "ingest")] == ["run-0", "run-2"]
    files = find(trained, "file")
    assert [one.name for one in files] == ["ewr:part-0.parquet"]
    assert {"size", "sha256", "modified"} == set(files[0].facts)
    (pooled,) = find(node, "pooled", "stands on")
    assert [one.name for one in pooled.below] == ["aa", "ua", "zz"]


def test_a_prediction_says_whether_it_is_in_force_and_who_reigned_and_why(made):
    old, new = back(made, made.first.key), back(made, made.second.key)
    assert (old.facts["in_force"], old.facts["instead"]) == (False, made.second.key)
    assert (new.facts["in_force"], new.facts["in_sample"]) == (True, False)
    (reign,) = find(new, "reign")
    assert reign.facts["why"] == "promoted: better"
    assert reign.facts["current"] is True


@pytest.mark.parametrize("part", ["key", "file"])
def test_logged_answers_lead_to_the_model_that_gave_them(made, part):
    receipt = answer(made.store, PRODUCT, "ua", week(2), model=made.card.version)
    node = back(made, receipt.key if part == "key" else receipt.file.key)
    assert (node.kind, node.state, node.facts["rows"]) == ("answers", "there", 5)
    (model,) = find(node, "model", "answered by")
    assert model.name == made.card.version
    made.store.delete(receipt.file.key)
    assert back(made, receipt.key).state == "missing"


def test_what_servers_need_leads_to_the_model_that_answers(made):
    sha = write_record(made.store, make_record("ua", made.card.version))
    node = back(made, layout.serving_record(PRODUCT, "ua", sha))
    assert (node.kind, node.state) == ("serving record", "there")
    assert find(node, "model", "answers by")[0].name == made.card.version
    past = back(made, layout.online_features(PRODUCT, "ua", "0" * 64))
    assert (past.kind, past.state, past.below) == ("online features", "missing", ())


def test_every_kind_of_thing_can_be_followed_back():
    assert _TRACES.keys() == {*get_args(PlaceKind)}


def test_who_reigned_is_told_as_it_was_known_when_it_was_predicted(made):
    later = made.model("ua", 14, made.old)
    made.crown(later, why="promoted: fresher")
    (reign,) = find(back(made, made.first.key), "reign")
    assert reign.name == later.version
    assert find(back(made, made.first.key), "model")[0].name == made.card.version


def test_a_pooled_model_proves_each_contributor_by_a_snapshot_of_the_same_rows(made):
    node = back(made, f"{layout.pooled_folder(PRODUCT, 'default', made.pooled.version)}model.skops")
    states = {one.name: one.state for one in find(node, "contributor")}
    assert states == {"aa": "there", "ua": "there", "zz": "missing"}
    assert {one.name for one in find(node, "snapshot")} == {made.old, made.snapshot("aa", 10)}
    assert node.facts["denied"] == ["b6"]
    (zz,) = (one for one in node.below if one.name == "zz")
    assert zz.facts["note"].startswith("no snapshot")


def test_other_rows_prove_nothing(made):
    made.snapshot("zz", 10, months=("a",))
    node = back(made, layout.pooled_folder(PRODUCT, "default", made.pooled.version))
    assert [one.state for one in node.below if one.name == "zz"] == ["missing"]


@pytest.mark.parametrize(
    ("key", "kind", "leads_to"),
    [
        (lambda it: it.judgement, "judgement", {"prediction", "model", "snapshot", "file"}),
        (
            lambda it: layout.drift_report(PRODUCT, "ua", week(2)),
            "judgement",
            {"prediction", "model", "snapshot", "file"},
        ),
        (lambda it: layout.champion(PRODUCT, "ua"), "champion", {"reign", "model", "file"}),
        (lambda it: layout.snapshot(PRODUCT, "ua", it.old), "snapshot", {"ingest", "file"}),
        (lambda it: layout.features(PRODUCT, "ua", "f" * 64), "features", {"snapshot", "file"}),
        (
            lambda it: layout.model_folder(PRODUCT, "ua", it.card.version) + "model.skops",
            "model",
            {"snapshot", "pooled", "file"},
        ),
        (lambda it: layout.pooled(PRODUCT, "default"), "pooled models", {"pooled"}),
        (
            lambda it: layout.event(PRODUCT, "ua", f"20130111T000000Z-promoted-{it.card.version}"),
            "event",
            {"model", "file"},
        ),
    ],
)
def test_every_kind_of_thing_is_traced(made, key, kind, leads_to):
    node = back(made, key(made))
    assert node.kind == kind
    assert leads_to <= {one.kind for one in node.walk()}


def test_a_chunk_leads_to_the_snapshots_that_share_it(made):
    key = next(one for one in made.store.objects if "/ua/snapshots/chunks/" in one)
    assert {one.name for one in find(back(made, key), "snapshot")} <= {made.old, made.new}
    assert find(back(made, key), "file")


def test_an_origin_leads_to_its_files(made):
    key = next(one for one in made.store.objects if f"{made.old}/sources/" in one)
    node = back(made, key)
    assert (node.kind, node.key) == ("ingest", key)
    assert find(node, "file")


# --- what is gone ---------------------------------------------------------------------------------


def states(node):
    return {(one.kind, one.state) for one in node.walk()}


def test_what_is_gone_without_a_reason_is_missing_and_nothing_raises(made):
    keys = [key for key in made.store.objects if key.startswith("tenants/")]
    wanted = [made.second.key, made.judgement, layout.champion(PRODUCT, "ua")]
    for key in keys:
        kept = made.store.objects.pop(key)
        for one in wanted:
            assert back(made, one)
        made.store.objects[key] = kept


def test_what_retention_removed_is_collected(made):
    folder = layout.tenant_folder(PRODUCT, "ua")
    gone = [made.second.files[0].key, f"{folder}models/{made.card.version}/model.skops"]
    record = Collection(
        product=PRODUCT,
        tenant="ua",
        as_of=day(90),
        when=START,
        keys=tuple(gone),
        size=1,
    )
    write_collection(made.store, record)
    for key in gone:
        made.store.delete(key)
    found = states(back(made, made.second.key))
    assert ("prediction", "collected") in found
    assert ("model", "collected") in found
    assert ("snapshot", "there") in found
    assert ("features", "missing") in found
    write_collection(made.store, record.model_copy(update={"features": 1}))
    assert ("features", "collected") in states(back(made, made.second.key))


def test_pooled_models_and_runs_that_retention_removed_are_collected(made):
    model = f"{layout.pooled_folder(PRODUCT, 'default', made.pooled.version)}model.skops"
    record = Collection(
        product=PRODUCT,
        tenant="",
        as_of=day(90),
        when=START,
        keys=(model, layout.run_folder("run-0")),
        size=1,
    )
    made.store.delete(model)
    assert (back(made, model).state, back(made, "runs/run-0").state) == ("missing", "missing")
    write_collection(made.store, record)
    assert (back(made, model).state, back(made, "runs/run-0").state) == ("collected", "collected")


def test_what_an_erasure_removed_is_erased(made):
    for key in list(made.store.objects):
        if key.startswith("tenants/"):
            made.store.delete(key)
    write_tombstone(
        made.store, Tombstone(product=PRODUCT, tenant="ua", when=START, who="ann", why="left")
    )
    assert back(made, made.second.key).state == "erased"
    assert ("model", "erased") in states(back(made, made.second.key))
    node = back(made, layout.pooled_folder(PRODUCT, "default", made.pooled.version))
    told = {one.name: one.state for one in node.below}
    assert told == {"aa": "missing", "ua": "erased", "zz": "missing"}


@pytest.mark.parametrize("part", ["card.json", "receipt.json", "manifest.json", "champion.json"])
def test_records_that_cannot_be_read_are_named_so(made, part):
    for key in made.store.objects:
        if key.startswith("tenants/arrival-delay/ua/") and key.endswith(part):
            made.store.put(key, b"{torn")
    node = back(made, made.second.key)
    if part != "champion.json":
        assert "unreadable" in {one.state for one in node.walk()}


@pytest.mark.parametrize(
    "key",
    [
        "tenants/p/t/models/20130101T000000Z-abc",
        "tenants/p/t/predictions/20130101T000000Z-20130108T000000Z/20130101T000000Z-abc-0123/x",
        "tenants/p/t/monitoring/20130101T000000Z-20130108T000000Z/judgement.json",
        f"tenants/p/t/snapshots/{'a' * 64}/manifest.json",
        f"tenants/p/t/snapshots/{'a' * 64}/sources/x.json",
        f"tenants/p/t/snapshots/chunks/{'a' * 64}.parquet",
        f"tenants/p/t/features/{'a' * 64}.parquet",
        "tenants/p/t/events/20130101T000000Z-promoted.json",
        "tenants/p/t/collections/x.json",
        "tenants/p/t/champion.json",
        "products/p/pooled/default/20130101T000000Z-abc/model.skops",
        "products/p/pooled/default/pooled.json",
        "runs/run-9/report.html",
    ],
)
def test_what_never_was_is_missing(key):
    assert back(SmallStore(), key).state == "missing"
