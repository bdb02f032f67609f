import json

import pytest
from typer.testing import CliRunner

from tenantry import layout
from tenantry.cli.stage import stage
from tenantry.errors import PlanError
from tests.unit.report.made_fleet import PRODUCT, RUN, make_fleet


@pytest.fixture
def run(monkeypatch):
    """Return a function that calls a command over the fleet of the report's tests."""
    store = make_fleet()
    for module in ("tenantry.cli.stage", "tenantry.tasks"):
        monkeypatch.setattr(f"{module}.open_store", lambda *_: store)

    def call(*arguments, code=0):
        done = CliRunner().invoke(stage, arguments)
        if isinstance(done.exception, Exception) and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, done.output
        return json.loads(done.stdout.splitlines()[-1]) if code == 0 else done.output

    call.store = store
    return call


def test_a_report_prints_its_figures_and_leaves_its_page(run):
    figures = run("report", PRODUCT, "--run", RUN, "--status", "FAILED")
    assert (figures["failed"], figures["unknown"]) == (2, 2)
    assert run.store.find(layout.fleet_report(RUN))


def test_a_verdict_is_printed_or_fails(run):
    told = run("check", "--run", RUN, "--max-failed-share", "1")
    assert "tenants failed or are unknown" in told["verdict"]


def test_a_run_that_planned_nothing_has_no_pooled_model(run):
    assert run("train-pooled", "--run", "another") == {"run": "another", "zones": {}}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "train", "--run", "another", "--shard", "x"), "another/x: no plan in the store"),
        (("run", "train", "--run", RUN, "--shard", "no-such"), "no plan in the store has this"),
        (("run", "train", "--run", "../x", "--shard", "x"), "'../x' is no run's id"),
        (("report", PRODUCT, "--run", ""), "'' is no run's id"),
    ],
)
def test_what_cannot_be_is_told(run, arguments, words):
    with pytest.raises(PlanError, match=words):
        run(*arguments)


def test_a_stage_that_there_is_not_is_told_with_those_that_there_are(run):
    told = run("run", "bogus", "--run", RUN, "--shard", "x", code=2)
    assert "build_features" in told
