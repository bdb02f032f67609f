"""The fleet without Kubeflow: what a DAG of stages leaves is what the pipeline leaves."""

import os

from tenantry import layout
from tenantry.fleet import read_fleet
from tenantry.ledger import STAGES, Ledger
from tests.fleet.conftest import OCTOBER
from tests.fleet.harness import without_costs

POISON = {"pa": "pooling: {contribute: false}\n"}


def run_dag(airflow, fleet, share, *, fails=False):
    """Run the example as of October; return the id of Tenantry's run and what was printed."""
    before = runs(fleet)
    fleet.enter()
    own = ("STORE", "SPECS", "CONNECTIONS", "WORKERS", "CODE_VERSION")
    environment = {name: os.environ[name] for name in (f"TENANTRY_{one}" for one in own)}
    environment |= {"TENANTRY_MAX_SHARDS": "2", "TENANTRY_MAX_FAILED_SHARE": share}
    said = airflow.command("dags", "test", "tenantry_stages", OCTOBER, fails=fails, **environment)
    (run,) = runs(fleet) - before
    return run, said


def runs(fleet):
    return {path.name for path in fleet.store_folder.glob("runs/*")}


def comparable(fleet):
    return {key: one for key, one in fleet.objects().items() if not key.endswith(".html")}


def test_a_dag_of_stages_leaves_what_the_pipeline_leaves(airflow, make_fleet):
    driven = make_fleet("driven", tenants=POISON)
    run, _ = run_dag(airflow, driven, "0.5")
    state = read_fleet(driven.store, run)
    assert [one.tenant for one in state.having("failed")] == ["pa"]
    page = (driven.store_folder / "runs" / run / "report.html").read_text()
    assert "no row" in page or "there is none" in page

    piped = make_fleet("piped", tenants=POISON)
    expected = piped.run(OCTOBER, run)
    assert comparable(driven) == comparable(piped)
    for shard, ledger in expected.ledgers.items():
        key = layout.ledger(run, shard, STAGES[-1])
        found = Ledger.from_lines(driven.store.get(key).content, key)
        assert without_costs(found) == without_costs(ledger)

    again, said = run_dag(airflow, driven, "0", fails=True)  # only the poisoned one is due again
    assert "1 of 1 tenants failed" in said
    assert (driven.store_folder / "runs" / again / "report.html").exists()
