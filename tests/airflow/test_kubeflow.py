"""Airflow drives Kubeflow: right dates, little overhead, one run a task whatever happens."""

import sys
import time
from datetime import datetime
from pathlib import Path

import pytest

from tests.servers.airflow.running import DAGS

DAYS = [f"2013-03-0{day}T05:00:00Z" for day in range(1, 6)]
TASK = "run_the_fleet"


@pytest.fixture(scope="module")
def serving(airflow):
    with airflow.serving():
        wait_for(lambda: is_known(airflow, "tenantry_kubeflow") and is_known(airflow, "impatient"))
        for dag in ("tenantry_kubeflow", "impatient"):
            airflow.ask(f"/dags/{dag}", "PATCH", {"is_paused": False})
        yield airflow


@pytest.fixture(autouse=True)
def clean(kubeflow):
    kubeflow.runs.clear()
    kubeflow.run_seconds, kubeflow.run_state, kubeflow.is_away = 0.5, "SUCCEEDED", False
    kubeflow.looks = 0


def wait_for(holds, seconds=180):
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.2)
    return found


def is_known(airflow, dag):
    return any(one["dag_id"] == dag for one in airflow.ask("/dags")["dags"])


def start(airflow, name):
    body = {"dag_run_id": name, "logical_date": None}
    airflow.ask("/dags/impatient/dagRuns", "POST", body)
    return f"/dags/impatient/dagRuns/{name}"


def task(airflow, run):
    return airflow.ask(f"{run}/taskInstances/{TASK}")


def ended(airflow, run):
    return wait_for(lambda: (one := airflow.ask(run))["state"] in ("success", "failed") and one)


def log(airflow, run, attempt):
    found = airflow.home.glob(
        f"logs/dag_id=impatient/run_id={Path(run).name}/**/attempt={attempt}*"
    )
    return "".join(path.read_text() for path in found)


def test_a_backfill_of_five_days_starts_five_runs_as_of_their_dates(serving, kubeflow, capsys):
    started = time.monotonic()
    serving.command(
        *("backfill", "create", "--dag-id", "tenantry_kubeflow", "--max-active-runs", "5"),
        *("--from-date", "2013-03-01", "--to-date", "2013-03-05T23:00"),
    )
    path = "/dags/tenantry_kubeflow/dagRuns"

    def done():
        runs = [one for one in serving.ask(path)["dag_runs"] if one["run_type"] == "backfill"]
        return len(runs) == 5 and all(one["state"] == "success" for one in runs) and runs

    runs = wait_for(done)
    wall = time.monotonic() - started
    asked = [one.runtime_config.parameters for one in kubeflow.runs.values()]
    backfilled = sorted(one["as_of"] for one in asked if one["as_of"] < "2014")
    assert backfilled == DAYS  # today's slot may have started, too
    assert {one["product"] for one in asked} == {"arrival-delay"}
    begun, over = (
        [datetime.fromisoformat(one[name]) for one in runs] for name in ("start_date", "end_date")
    )
    lasted = (max(over) - min(begun)).total_seconds()
    with capsys.disabled():
        sys.stdout.write(f"\nfive runs: {lasted / 5:.1f} s each, {wall / 5:.1f} with the command\n")
    links = serving.ask(f"{path}/{runs[0]['dag_run_id']}/taskInstances/{TASK}/links")
    assert "/#/runs/details/run-" in links["extra_links"]["Kubeflow run"]


def test_a_manual_run_without_a_date_is_as_of_the_moment_it_may_run(serving, kubeflow):
    run = start(serving, "manual")
    assert ended(serving, run)["state"] == "success"
    (found,) = kubeflow.runs.values()
    run_after = datetime.fromisoformat(serving.ask(run)["run_after"])
    as_of = datetime.fromisoformat(found.runtime_config.parameters["as_of"])
    assert as_of == run_after.replace(microsecond=0)


def test_a_killed_task_cancels_its_run(serving, kubeflow):
    kubeflow.run_seconds = 600
    run = start(serving, "killed")
    wait_for(lambda: kubeflow.looks)  # from now on the triggerer knows of it
    body = {"new_state": "failed"}
    serving.ask(f"{run}/taskInstances/{TASK}", "PATCH", body)
    wait_for(lambda: [one.state for one in kubeflow.runs.values()] == ["CANCELED"])


def test_a_retry_joins_the_run_that_goes_on(serving, kubeflow):
    kubeflow.run_seconds = 600
    run = start(serving, "retried")
    wait_for(lambda: task(serving, run)["state"] == "deferred")
    kubeflow.is_away = True
    wait_for(lambda: task(serving, run)["try_number"] == 2)
    kubeflow.run_seconds, kubeflow.is_away = 0.0, False
    assert ended(serving, run)["state"] == "success"
    assert len(kubeflow.runs) == 1
    assert "Joined" in log(serving, run, 2) + log(serving, run, 3)


def test_a_cleared_task_starts_another_run(serving, kubeflow):
    run = start(serving, "cleared")
    assert ended(serving, run)["state"] == "success"
    serving.ask("/dags/impatient/clearTaskInstances", "POST", {
        "dag_run_id": Path(run).name, "task_ids": [TASK], "dry_run": False,
        "only_failed": False, "reset_dag_runs": True,
    })  # fmt: skip
    wait_for(lambda: len(kubeflow.runs) == 2)
    assert ended(serving, run)["state"] == "success"


def test_a_failure_tells_the_fleets_own_summary(serving, kubeflow):
    kubeflow.run_seconds, kubeflow.run_state = 600, "FAILED"
    run = start(serving, "failed")
    (started,) = wait_for(lambda: [*kubeflow.runs.values()])
    place = serving.home / "store" / "runs" / started.run_id
    place.mkdir(parents=True)
    (place / "report.md").write_text("# Flights\n\n2 of 16 tenants failed: ua, dl.\n")
    kubeflow.run_seconds = 0.0
    assert ended(serving, run)["state"] == "failed"
    assert len(kubeflow.runs) == 3  # a retry starts anew where the run failed
    assert "2 of 16 tenants failed: ua, dl." in log(serving, run, 1)


def test_the_examples_hold_no_secret():
    for path in DAGS.glob("*.py"):
        assert "password" not in path.read_text()
