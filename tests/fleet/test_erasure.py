"""Erasure of a tenant and of a data subject, on real flights with planted values.

Every object is decoded, and on a bucket every version of it: what was planted is found before, so
that the search is known to work, and nowhere after.
"""

import shutil
from dataclasses import dataclass, fields

import pandas as pd
import pytest
from typer.testing import CliRunner

from tenantry.champions import read_champion
from tenantry.cli.app import app
from tenantry.erasure.tombstones import is_erased, read_tombstone
from tenantry.errors import ErasureError
from tenantry.ledger import STAGES
from tenantry.parquet import from_parquet
from tenantry.store.folder import FolderStore
from tenantry.store.minio import MinioStore
from tenantry.tasks import report_run, run_shard, train_pooled_run
from tests.fleet.canaries import all_objects, find_canaries, plant
from tests.fleet.harness import PRODUCT, Harness

OCTOBER, NOVEMBER, DECEMBER = "2013-10-01", "2013-11-01", "2013-12-03"
TOWN, MILES, TAIL, FLIGHT = "QQCANARY", 7654.328125, "NCANARYTAIL", 99017.0
"""A category that ends up in encoders, a number, what names the data subject, part of its key."""

BLENDED = """  candidates: # a stand-in that is quick to fit
    blended: {}
    prior: {}
"""


def quick(product: str) -> str:
    """Leave two candidates: one with an own and a pooled part, and the base rate."""
    head, _, rest = product.partition("  candidates:")
    return head + BLENDED + rest[rest.index("  metric:") :]


def planted(flights):
    return plant(flights, "F9", dest=TOWN, distance=MILES, tailnum=TAIL, flight=FLIGHT)


def call(fleet, *arguments):
    fleet.enter()
    command = ["erase", PRODUCT, "f9", "--why", "asked to", "--who", "ann", *arguments]
    return CliRunner().invoke(app, command)


def order(fleet, *arguments):
    result = call(fleet, *arguments)
    assert result.exit_code == 0, result.output + repr(result.exception)
    return result.output


def refused(fleet, *arguments):
    result = call(fleet, *arguments)
    assert isinstance(result.exception, ErasureError), result.output
    return str(result.exception)


def others(store, tenant="f9"):
    """What the store holds of other tenants."""
    return {
        place: content
        for place, content in all_objects(store)
        if f"tenants/{PRODUCT}/" in place and f"/{tenant}/" not in place
    }


def predictions(store, tenant="f9"):
    """Every file of predictions of a tenant, as rows."""
    found = store.list(f"tenants/{PRODUCT}/{tenant}/predictions/")
    keys = [info.key for info in found if info.key.endswith(".parquet")]
    return {key: from_parquet(store.get(key).content) for key in keys}


class LateRun:
    """A run that is stopped between two stages, and goes on later."""

    def __init__(self, fleet, as_of):
        fleet.enter()
        self.fleet, self.as_of = fleet, as_of
        self.folder = fleet.home / "files" / "late"
        self.folder.mkdir(parents=True)
        (self.shard,) = fleet.plan(as_of, "late", self.folder, max_shards=1)
        pooled = f"{self.folder}/pooled"
        train_pooled_run(f"{self.folder}/plan", pooled, f"{pooled}.md")
        self.left = list(STAGES)

    def run_until(self, last):
        while self.left and self._step() != last:
            pass

    def go_on(self):
        self.run_until(None)
        report_run("late", PRODUCT, "SUCCEEDED", f"{self.folder}/1", f"{self.folder}/2")

    def _step(self):
        stage = self.left.pop(0)
        after, place = f"{self.folder}/{stage}", len(STAGES) - len(self.left) - 2
        first = {"shard": self.shard, "pooled_path": f"{self.folder}/pooled"} if place < 0 else {}
        before = f"{self.folder}/{STAGES[place] if place >= 0 else 'plan'}"
        run_shard(stage, before, after, f"{after}.md", **first)
        return stage


@pytest.fixture(scope="module")
def made_store(tmp_path_factory):
    return tmp_path_factory.mktemp("made") / "store"


@pytest.fixture
def fleet(make_fleet, made_store):
    """Two tenants after two runs; made once, copied for each test."""
    fleet = make_fleet(change=planted, product=quick, only=("f9", "ha"))
    if made_store.exists():
        shutil.copytree(made_store, fleet.store_folder)
        return fleet
    for date in (OCTOBER, NOVEMBER):
        assert fleet.run(date, f"run-{date}").failures() == {}
    shutil.copytree(fleet.store_folder, made_store)
    return fleet


def where(store, *canaries):
    return find_canaries(store, *(canaries or (TOWN, MILES, TAIL, FLIGHT)))


def nothing_left(store):
    return where(store) == {str(one): set() for one in (TOWN, MILES, TAIL, FLIGHT)}


def test_the_search_finds_what_was_planted(fleet):
    found = where(fleet.store)
    kinds = {"chunks", "features", "models", "pooled", "serving"}
    assert {kind for kind in kinds if any(f"/{kind}/" in key for key in found[TOWN])} == kinds
    assert any("/features/" in key for key in found[str(MILES)])
    assert any("/chunks/" in key for key in found[TAIL])
    assert any("/predictions/" in key for key in found[str(FLIGHT)])
    assert any("/evaluation.parquet" in key for key in found[str(FLIGHT)])


def test_without_yes_nothing_is_written_and_all_is_told(fleet):
    before = fleet.objects(runs=True)
    told = order(fleet, "--even-active")
    assert fleet.objects(runs=True) == before
    assert all(words in told for words in ("Would erase", "models", "predictions", "--yes does it"))
    assert "ha" in told.partition("stand on it")[0], "who stands on a pooled model it fed"


def test_a_tenant_that_was_not_retired_is_refused(fleet):
    assert "is not retired" in refused(fleet, "--yes")


def test_an_erased_tenant_leaves_nothing_once_the_next_run_has_replaced_the_pooled_model(fleet):
    before = others(fleet.store)
    order(fleet, "--even-active", "--yes")
    found = where(fleet.store)
    assert all("/pooled/" in key for key in found[TOWN]), "only the pooled model in use holds it"
    assert not any(key for name, key in found.items() if name != TOWN)
    assert others(fleet.store) == before
    done = fleet.run(NOVEMBER, "run-next")
    assert done.failures() == {}
    assert set(done.entries) == {"ha"}
    assert "rows of an erased tenant" in done.entries["ha"].due_for("train").reason
    assert nothing_left(fleet.store)
    assert read_tombstone(fleet.store, PRODUCT, "f9").status == "done"
    note = fleet.read_plan("run-next").tenants["f9"].note
    assert "f9.yaml: state: is active, but the tenant was erased" in note
    assert "remove the file or write state: retired, or lift" in note
    assert fleet.run(NOVEMBER, "run-last").shards == ["nothing_due"]


def test_now_leaves_nothing_at_once_and_the_next_run_mends_who_stood_on_it(fleet):
    before = others(fleet.store)
    order(fleet, "--even-active", "--yes", "--now")
    assert nothing_left(fleet.store)
    assert others(fleet.store) == before
    done = fleet.run(NOVEMBER, "run-next")
    assert done.failures() == {}
    champion = read_champion(fleet.store, PRODUCT, "ha")
    assert done.entries["ha"].fact("promote", "champion") == champion.current.version
    assert fleet.run(NOVEMBER, "run-last").shards == ["nothing_due"]


def test_a_run_that_goes_on_after_the_erasure_leaves_nothing(fleet):
    late = LateRun(fleet, DECEMBER)
    late.run_until("train")
    order(fleet, "--even-active", "--yes", "--now")
    late.go_on()
    assert nothing_left(fleet.store)
    assert not list(fleet.store.list(f"tenants/{PRODUCT}/f9/"))
    named = [key for key, content in fleet.objects(runs=True).items() if b'"f9"' in content]
    assert [key for key in named if "/erased/" not in key and "/erasures/" not in key] == []


def test_a_stage_that_the_erasure_comes_into_leaves_nothing(fleet, monkeypatch):
    late = LateRun(fleet, DECEMBER)
    late.run_until("build_features")
    put = FolderStore.put

    def erase_before_the_ledger(self, key, content):
        if key.endswith("/train.jsonl") and not is_erased(fleet.store, PRODUCT, "f9"):
            assert any("/f9/models/20131203" in one.key for one in fleet.store.list("tenants/"))
            order(fleet, "--even-active", "--yes", "--now")
        return put(self, key, content)

    monkeypatch.setattr(FolderStore, "put", erase_before_the_ledger)
    late.go_on()
    assert is_erased(fleet.store, PRODUCT, "f9")
    assert nothing_left(fleet.store)


def test_an_erased_data_subject_is_gone_once_the_next_run_has_replaced_the_models(fleet):
    before = predictions(fleet.store)
    order(fleet, "--key", f"tailnum={TAIL}", "--yes")
    found = where(fleet.store)
    assert found[TOWN]
    in_use = (
        "/pooled/",
        "model.skops",
        "packed.bin",
        "card.json",
        "card.html",
    )  # cards name categories, too
    assert [key for key in found[TOWN] if not any(part in key for part in in_use)] == []
    assert not any(key for name, key in found.items() if name != TOWN)
    after = predictions(fleet.store)
    assert before.keys() == after.keys()
    for key, rows in before.items():
        kept = rows[rows["flight"] != FLIGHT].reset_index(drop=True)
        pd.testing.assert_frame_equal(after[key], kept)
    assert sum(map(len, before.values())) > sum(map(len, after.values()))
    assert fleet.run(NOVEMBER, "run-next").failures() == {}
    assert nothing_left(fleet.store)
    assert fleet.run(NOVEMBER, "run-last").shards == ["nothing_due"]


@dataclass
class BucketHarness(Harness):
    """A fleet whose store is a bucket."""

    bucket: MinioStore | None = None

    @property
    def store(self):
        return self.bucket

    def enter(self):
        address = self.bucket._address
        self.environment = {
            "TENANTRY_STORE": self.bucket.url,
            "AWS_ACCESS_KEY_ID": address.access_key,
            "AWS_SECRET_ACCESS_KEY": address.secret_key,
            "TENANTRY_ISOLATION": "shared",
        }
        super().enter()


@pytest.fixture
def bucket_fleet(make_fleet, versioned_store):
    """Two tenants after one run in a bucket that keeps every version; the run's shard twice."""
    made = make_fleet(change=planted, product=quick, only=("f9", "ha"))
    places = {one.name: getattr(made, one.name) for one in fields(made)}
    fleet = BucketHarness(**places, bucket=versioned_store)
    assert fleet.run(OCTOBER, "run-1").failures() == {}
    for name in ("plan.json", "pooled.json"):
        key = f"runs/run-1/{name}"
        versioned_store.put(key, versioned_store.get(key).content + b"\n")
    return fleet


def test_no_version_of_any_object_is_left_in_a_bucket_that_keeps_them(bucket_fleet):
    store = bucket_fleet.store
    before, found = others(store), where(store)
    assert all(found.values())
    order(bucket_fleet, "--even-active", "--yes", "--now")
    assert nothing_left(store)
    assert others(store) == before
    own = [place for place, _ in all_objects(store) if f"/{PRODUCT}/f9/" in place]
    assert all("/erasures/" in place for place in own), "no version and no delete marker"
    named = [place for place, content in all_objects(store) if b'"f9"' in content]
    assert [one for one in named if "/erased/" not in one and "/erasures/" not in one] == []


def test_no_version_of_an_erased_row_is_left_in_a_bucket_that_keeps_them(bucket_fleet):
    store = bucket_fleet.store
    before = others(store)
    order(bucket_fleet, "--key", f"tailnum={TAIL}", "--yes", "--now")
    assert nothing_left(store)
    assert others(store) == before
    assert bucket_fleet.run(OCTOBER, "run-2").failures() == {}
    assert nothing_left(store)
    assert bucket_fleet.run(OCTOBER, "run-3").shards == ["nothing_due"]
