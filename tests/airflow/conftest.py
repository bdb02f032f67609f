"""The fixtures of Airflow's tests: one Airflow over PostgreSQL, Kubeflow's stand-in."""

import json
import os
import sys
from datetime import UTC, datetime

import kfp_server_api as api
import pytest

from tests.fleet.conftest import make_fleet, same_environment, small_flights
from tests.servers.airflow.install import is_built
from tests.servers.airflow.running import DAGS, ROOT, airflow_ready
from tests.servers.kfp import KfpState, kfp_running
from tests.servers.postgres import postgres_running

__all__ = ["make_fleet", "same_environment", "small_flights"]


@pytest.fixture(scope="session")
def kubeflow():
    """Kubeflow's stand-in with the pipeline uploaded; runs take half a second."""
    if os.environ.get("TENANTRY_AIRFLOW") != "1" or not is_built():
        pytest.skip("Airflow's tests take minutes; make airflow-test builds it and tests")
    state = KfpState(run_seconds=0.5)
    now = datetime.now(UTC)
    state.pipelines["p"] = api.V2beta1Pipeline(
        pipeline_id="p", name="tenantry-fleet", display_name="Tenantry", created_at=now
    )
    state.versions["v"] = api.V2beta1PipelineVersion(
        pipeline_id="p", pipeline_version_id="v", name="abc", display_name="abc", created_at=now
    )
    with kfp_running(state) as address:
        state.address = address
        yield state


@pytest.fixture(scope="session")
def airflow(tmp_path_factory, kubeflow):
    """A real Airflow whose DAGs are the examples and `impatient`, whose tasks are hasty."""
    home = tmp_path_factory.mktemp("airflow")
    dags = home / "dags"
    dags.mkdir()
    for path in (*DAGS.glob("*.py"), ROOT / "tests/airflow/impatient.py"):
        hasty = path.read_text().replace("timedelta(minutes=", "timedelta(seconds=")
        (dags / path.name).write_text(hasty)
    connection = {"conn_type": "http", "host": kubeflow.address, "password": "a-token"}
    environment = {
        "AIRFLOW_CONN_KUBEFLOW_DEFAULT": json.dumps(connection),
        "TENANTRY_PYTHON": str(tenantrys_python(home)),
        "TENANTRY_STORE_FOR_SUMMARIES": (home / "store").as_uri(),
    }
    with (
        postgres_running() as database,
        airflow_ready(home, database, dags, environment) as running,
    ):
        yield running


def tenantrys_python(home):
    """Return an interpreter that imports Tenantry from this checkout, and nothing of Airflow."""
    path = home / "python"
    path.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT / "src"} exec {sys.executable} "$@"\n')
    path.chmod(0o755)
    return path
