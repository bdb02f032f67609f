import pytest

from pipelines.kubeflow import Kubeflow
from tests.servers.kfp import KfpState, kfp_running


@pytest.mark.parametrize(("account", "sent"), [("tenantry-runner", "tenantry-runner"), ("", None)])
def test_a_run_runs_as_the_account_that_is_named(tmp_path, account, sent):
    spec = tmp_path / "fleet.yaml"
    spec.write_text("pipelineInfo: {name: tenantry-fleet}\n")
    state = KfpState()
    with kfp_running(state) as address:
        kubeflow = Kubeflow(address)
        kubeflow.create_experiment("tenantry")
        run_id = kubeflow.create_run("fleet", spec, {}, "tenantry", account)
    assert state.runs[run_id].service_account == sent
