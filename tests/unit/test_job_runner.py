from contextlib import suppress

import pytest

from tenantry.errors import ContractError, Fault, RecordError, StoreUnavailableError
from tenantry.job_runner import run_assignment, run_job
from tenantry.jobs import Assignment, Job, Result
from tenantry.ledger import Entry
from tenantry.sources.connections import Connections
from tenantry.store.folder import FolderStore
from tenantry.store.metered import MeteredStore
from tests.unit.tiny_fleet import AS_OF, make_spec


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path / "store")


def job(store, tenant="ua"):
    spec = make_spec(tenant)
    return Job("r1", AS_OF, spec, Entry(tenant=tenant), store, Connections())


def run(store, function):
    metered = MeteredStore(store)
    return run_job("train", function, job(metered), metered)


def failing(error):
    def function(_job):
        raise error

    return function


def test_a_result_becomes_an_outcome_with_its_cost(store):
    def function(job):
        job.store.put("a/b", b"12345")
        job.store.get("a/b")
        return Result("fine", facts={"rows": 3}, keys=("a/b",))

    outcome = run(store, function)
    assert (outcome.status, outcome.message, outcome.facts, outcome.keys) == (
        "done",
        "fine",
        {"rows": 3},
        ("a/b",),
    )
    assert (outcome.cost.bytes_written, outcome.cost.bytes_read, outcome.cost.tries) == (5, 5, 1)
    assert outcome.cost.peak_mib > 1


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (
            ContractError([Fault("rows", "no label", "wait")]),
            "ContractError",
            "rows: no label; wait",
        ),
        (RecordError("a/b is not a C"), "RecordError", "a/b is not a C"),
        (MemoryError(), "MemoryError", "needed more than 4096 MiB; raise resources.memory_mib"),
        (
            KeyError("a secret value"),
            "KeyError",
            "KeyError in train: this is a fault of ours; see the stage's log",
        ),
    ],
)
def test_a_failure_becomes_an_outcome(store, error, kind, message):
    outcome = run(store, failing(error))
    assert (outcome.status, outcome.kind, outcome.message) == ("failed", kind, message)


def test_what_is_not_ours_is_logged_without_its_message(store, caplog):
    run(store, failing(ValueError("a secret value")))
    assert "ValueError in train" in caplog.text
    assert "secret" not in caplog.text


def test_transient_failures_are_tried_again(store, monkeypatch):
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)
    tries = []

    def function(_job):
        tries.append(1)
        if len(tries) < 3:
            raise StoreUnavailableError("busy")
        return Result()

    outcome = run(store, function)
    assert (outcome.status, outcome.cost.tries) == ("done", 3)


def test_transient_failures_that_last_are_failures(store, monkeypatch):
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)
    outcome = run(store, failing(StoreUnavailableError("busy")))
    assert (outcome.status, outcome.kind, outcome.cost.tries) == (
        "failed",
        "StoreUnavailableError",
        4,
    )


class Pipe:
    """To a shard whose answers do not fit into a worker's memory."""

    def send_bytes(self, message):
        pass

    def recv_bytes(self):
        raise MemoryError


def test_who_misses_an_answer_of_the_shard_fails_whatever_it_makes_of_it(store, monkeypatch):
    def function(job):
        with suppress(MemoryError):
            list(job.store.list("tenants/arrival-delay/ua/"))
        return Result("fine")

    monkeypatch.setattr("tenantry.stages.ingest.ingest", function)
    assignment = Assignment("ingest", "ua", lambda spec: job(store), None, 512)
    outcome = run_assignment(assignment, Pipe(), {"ua": make_spec("ua")})
    assert (outcome.status, outcome.kind) == ("failed", "MemoryError")
    assert outcome.message == "needed more than 512 MiB; raise resources.memory_mib"
