import io
from datetime import timedelta

import kfp_server_api as api
import pytest
from kfp import compiler, dsl
from rich.console import Console
from typer.testing import CliRunner

from pipelines.__main__ import app
from pipelines.kubeflow import Kubeflow
from pipelines.watching import (
    Patience,
    Progress,
    ShardProgress,
    as_table,
    read_progress,
    watch,
    watch_in_terminal,
)
from tenantry.errors import StoreUnavailableError
from tests.servers.kfp import KfpState, kfp_running
from tests.unit.memory_store import MemoryStore
from tests.unit.report.made_fleet import RUN, make_fleet

TRAINED = ShardProgress("default_01", "train", 3, 0)


class Time:
    """A clock that moves when somebody sleeps."""

    def __init__(self):
        self.now = 0.0

    def patience(self, minutes=10):
        return Patience(timedelta(minutes=minutes), 60.0, lambda: self.now, self.sleep)

    def sleep(self, seconds):
        self.now += seconds


def looking(*found):
    """Look at `found` one after the other, at the last for ever."""
    left = list(found)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


@pytest.mark.parametrize(
    ("state", "ending"),
    [("SUCCEEDED", "succeeded"), ("FAILED", "failed"), ("CANCELED", "failed")],
)
def test_it_ends_as_the_run_does(state, ending):
    shown = []
    look = looking(Progress("PENDING"), Progress("RUNNING", (TRAINED,)), Progress(state))
    assert watch(look, shown.append, Time().patience()) == ending
    assert [one.state for one in shown] == ["PENDING", "RUNNING", state]


def test_a_run_that_does_not_move_is_stalled():
    time, shown = Time(), []
    assert watch(looking(Progress("RUNNING")), shown.append, time.patience(10)) == "stalled"
    assert time.now == 600
    assert len(shown) == 1


def test_ledgers_that_move_are_progress_whatever_kubeflow_says():
    time = Time()
    found = [
        Progress("RUNNING", (ShardProgress("s", stage, 3, 0),))
        for stage in ("ingest", "train", "predict", "monitor")
        for _ in range(8)
    ]
    ending = watch(looking(*found, Progress("SUCCEEDED")), lambda _: None, time.patience(10))
    assert ending == "succeeded"
    assert time.now > 1200


def test_progress_is_read_from_the_ledgers():
    state = KfpState()
    state.runs[RUN] = api.V2beta1Run(run_id=RUN, state="RUNNING")
    with kfp_running(state) as address:
        found = read_progress(Kubeflow(address), make_fleet(), RUN)
        nothing = read_progress(Kubeflow(address), MemoryStore(), RUN)
    assert found.state == "RUNNING"
    assert found.shards
    assert len(found.failures) == 2
    assert sum(one.failed for one in found.shards) == 2
    assert nothing == Progress("RUNNING")


def test_a_store_that_is_away_is_noted(monkeypatch):
    def fail(*_):
        raise StoreUnavailableError("the store is away")

    store = MemoryStore()
    monkeypatch.setattr(store, "get", fail)
    state = KfpState()
    state.runs[RUN] = api.V2beta1Run(run_id=RUN, state="RUNNING")
    with kfp_running(state) as address:
        assert read_progress(Kubeflow(address), store, RUN).note == "the store is away"


@pytest.mark.parametrize("terminal", [True, False])
def test_shards_failures_and_a_stall_are_shown(terminal):
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=100)
    failed = ShardProgress("default_02", "predict", 4, 1)
    found = Progress("RUNNING", (TRAINED, failed), (("ua", "train: no rows"),))
    ending = watch_in_terminal(looking(found), Time().patience(), console)
    assert ending == "stalled"
    for words in ("RUNNING", "default_01", "train", "ua: train: no rows", "stalled", "10 minutes"):
        assert words in out.getvalue()


def test_a_run_without_a_plan_says_so():
    out = io.StringIO()
    Console(file=out).print(as_table(Progress("PENDING")))
    assert "no plan yet" in out.getvalue()


@pytest.mark.parametrize(("state", "code"), [("SUCCEEDED", 0), ("FAILED", 1)])
def test_submit_and_watch_end_as_the_run_does_and_print_its_page(
    tmp_path, monkeypatch, state, code
):
    monkeypatch.setattr("pipelines.submitting.compile_fleet", small_spec)
    monkeypatch.setenv("TENANTRY_STORE", (tmp_path / "store").as_uri())
    held = KfpState(run_state=state)
    with kfp_running(held) as address:
        call = ["submit", "--host", address, "--as-of", "2013-10-01", "--watch"]
        done = CliRunner().invoke(app, call, catch_exceptions=False)
    (run,) = held.runs.values()
    assert done.exit_code == code, done.output
    assert f"{address}/#/runs/details/{run.run_id}" in done.output
    assert run.runtime_config.parameters["as_of"] == "2013-10-01"


def small_spec(folder, **_):
    """Write the smallest pipeline that the client takes."""

    @dsl.component(base_image="python:3.11")
    def nothing() -> None:
        pass

    @dsl.pipeline(name="tenantry-fleet")
    def small(as_of: str = "") -> None:
        nothing()

    compiler.Compiler().compile(small, str(folder / "fleet.yaml"))
    return folder / "fleet.yaml", None
