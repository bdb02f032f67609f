import os
import signal
import time

import pytest

from tenantry import layout
from tenantry.at_work import find_at_work
from tenantry.cpu import process_seconds
from tenantry.errors import ContractError, Fault, ObjectMissingError
from tenantry.jobs import Result
from tenantry.ledger import Due, Entry, Header, Ledger, Outcome
from tenantry.openings import close_shard
from tenantry.settings import load_settings
from tenantry.shard import NEEDS, run_stage
from tenantry.specs.frozen import freeze_specs
from tenantry.store.folder import FolderStore
from tests.unit.tiny_fleet import AS_OF, make_spec

TRAIN = (Due(action="train", reason="no model yet"),)
HEADER = Header(run="r1", product="arrival-delay", as_of=AS_OF, shard="s")


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path / "store")


def entry(due, *failed):
    outcomes = tuple(Outcome(stage=stage, status="failed") for stage in failed)
    return Entry(
        tenant="ua", due=tuple(Due(action=one, reason="r") for one in due), outcomes=outcomes
    )


@pytest.mark.parametrize(
    ("stage", "due", "failed", "runs"),
    [
        ("ingest", ["predict"], [], True),
        ("ingest", ["retire"], [], False),
        ("train", ["predict"], [], False),
        ("train", ["train"], ["ingest"], False),
        ("promote", ["train"], ["train"], False),
        ("promote", ["retire"], [], True),
        ("predict", ["train", "predict"], ["train"], True),
        ("predict", ["predict"], ["build_features"], False),
        ("monitor", ["monitor"], ["train", "promote"], True),
        ("monitor", ["train"], [], False),
    ],
)
def test_a_stage_runs_for_what_is_due_and_not_past_what_it_builds_on(stage, due, failed, runs):
    assert NEEDS[stage].met_by(entry(due, *failed)) is runs


@pytest.fixture
def settings(tmp_path):
    connections = tmp_path / "connections.yaml"
    connections.write_text("connections: {}\n")
    return load_settings(
        {
            "TENANTRY_STORE": (tmp_path / "store").as_uri(),
            "TENANTRY_CONNECTIONS": str(connections),
            "TENANTRY_WORKERS": "2",
        }
    )


def planned(store, tenants):
    """Leave what plan leaves for a shard of `tenants`, and return its first ledger."""
    ledger = Ledger(header=HEADER, entries=tuple(Entry(tenant=name, due=TRAIN) for name in tenants))
    freeze_specs(store, HEADER.run, HEADER.shard, [make_spec(name) for name in tenants])
    store.put(layout.ledger(HEADER.run, HEADER.shard, "plan"), ledger.to_lines())
    return ledger


def use(monkeypatch, function):
    monkeypatch.setattr("tenantry.stages.ingest.ingest", function)


def test_every_tenant_of_a_shard_has_an_outcome_and_one_failure_is_its_own(
    store, settings, monkeypatch
):
    def ingest(job):
        if job.tenant == "bad":
            raise ContractError([Fault("rows", "none")])
        if job.tenant == "ugly":
            os.kill(os.getpid(), signal.SIGKILL)
        return Result(f"{job.tenant} with {job.pooled_version}")

    use(monkeypatch, ingest)
    before = planned(store, ["bad", "good", "ugly", "well"])
    after = run_stage("ingest", before, settings, pooled_versions={"default": "v1"})
    found = {entry.tenant: entry.outcome("ingest") for entry in after.entries}
    assert {tenant: outcome.status for tenant, outcome in found.items()} == {
        "bad": "failed",
        "good": "done",
        "ugly": "failed",
        "well": "done",
    }
    assert found["good"].message == "good with v1"
    assert found["ugly"].kind == "WorkerDiedError"
    assert after.header.zones == {"default": "v1"}
    key = layout.ledger("r1", "s", "ingest")
    assert store.get(key).content == after.to_lines()


def test_a_stage_tells_what_starting_and_importing_took(store, settings, monkeypatch):
    use(monkeypatch, lambda job: Result())
    after = run_stage("ingest", planned(store, ["good"]), settings, started=1.5)
    assert 1.5 <= after.header.imports["ingest"] <= after.header.processes["ingest"] + 1.5


def test_the_last_stage_tells_what_it_took_to_close_the_shard(store, settings, monkeypatch):
    def close(store, ledger):
        close_shard(store, ledger)
        before = time.process_time()
        while time.process_time() < before + 0.2:
            pass

    ledger = planned(store, ["good"])
    key = layout.ledger(HEADER.run, HEADER.shard, "predict")
    header = HEADER.model_copy(update={"stage": "predict"})
    store.put(key, Ledger(header=header, entries=ledger.entries).to_lines())
    before = process_seconds()
    monkeypatch.setattr("tenantry.shard.close_shard", close)
    run_stage("monitor", Ledger(header=header, entries=ledger.entries), settings)
    key = layout.ledger(HEADER.run, HEADER.shard, "monitor")
    told = Ledger.from_lines(store.get(key).content, key)
    assert told.header.processes["monitor"] >= before + 0.2
    assert told.entries == ledger.entries


def test_only_who_took_a_worker_down_stays_named(store, settings, monkeypatch):
    def ingest(job):
        assert job.tenant in at_work(store).tenants
        if job.tenant == "ugly":
            os.kill(os.getpid(), signal.SIGKILL)
        return Result()

    use(monkeypatch, ingest)
    after = run_stage("ingest", planned(store, ["good", "ugly"]), settings)
    assert after.entries[0].outcome("ingest").status == "done"
    assert at_work(store).tenants == ("ugly",)


def test_after_a_stage_nobody_is_at_work(store, settings, monkeypatch):
    use(monkeypatch, lambda job: Result())
    run_stage("ingest", planned(store, ["good", "well"]), settings)
    assert at_work(store) is None


def at_work(store):
    return find_at_work(store, layout.at_work("arrival-delay", HEADER.run, HEADER.shard))


def test_the_ledger_in_the_store_is_the_truth(store, settings, monkeypatch):
    use(monkeypatch, lambda job: Result())
    true = planned(store, ["a", "b"])
    handed = true.model_copy(update={"entries": (Entry(tenant="x", due=TRAIN),)})
    after = run_stage("ingest", handed, settings)
    assert [entry.tenant for entry in after.entries] == ["a", "b"]


def test_a_shard_without_work_touches_nothing(tmp_path, settings):
    after = run_stage("ingest", Ledger(header=HEADER, entries=()), settings)
    assert after.entries == ()
    assert not (tmp_path / "store").exists()


def test_the_machinery_failing_is_raised(settings):
    handed = Ledger(header=HEADER, entries=(Entry(tenant="a", due=TRAIN),))
    with pytest.raises(ObjectMissingError, match="runs/r1/ledgers/s/plan.jsonl"):
        run_stage("ingest", handed, settings)


def test_who_took_a_worker_down_is_told_of_through_its_later_stages(store, settings, monkeypatch):
    died = Outcome(stage="train", status="failed", kind="WorkerDiedError")
    entry = Entry(
        tenant="ugly",
        due=(*TRAIN, Due(action="predict", reason="open")),
        outcomes=(Outcome(stage="ingest", status="done"), died),
    )
    before = Ledger(header=HEADER, entries=(entry,))
    freeze_specs(store, HEADER.run, HEADER.shard, [make_spec("ugly")])
    store.put(layout.ledger(HEADER.run, HEADER.shard, "plan"), before.to_lines())
    monkeypatch.setattr("tenantry.stages.predict.predict", lambda job: Result())
    after = run_stage("predict", before, settings)
    assert after.entries[0].outcome("predict").status == "done"
    assert at_work(store).tenants == ("ugly",)
