"""What starts runs from Airflow, against Kubeflow's stand-in; Airflow itself is not needed."""

from datetime import UTC, datetime

import httpx
import kfp_server_api as api
import pytest

from tenantry_airflow.kubeflow import (
    Kubeflow,
    KubeflowBusyError,
    KubeflowError,
    Order,
    Run,
    Server,
    join_address,
    read_answer,
)
from tenantry_airflow.runs import Identity, explain, format_moment, is_ours_to_join, name_run
from tests.servers.certificates import make_certificates
from tests.servers.kfp import KfpState, kfp_running

NOW = datetime(2013, 10, 1, tzinfo=UTC)
ORDER = Order("a name", "tenantry-fleet", parameters={"as_of": "2013-10-01T00:00:00Z"})


@pytest.fixture(scope="module")
def state():
    return KfpState()


@pytest.fixture(scope="module")
def address(state):
    with kfp_running(state) as address:
        yield address


@pytest.fixture
def kubeflow(state, address):
    """A client of the stand-in, which holds the pipeline in two versions and nothing else."""
    fresh = KfpState(run_seconds=600)
    vars(state).update({**vars(fresh), "lock": state.lock})
    state.pipelines["p"] = api.V2beta1Pipeline(
        pipeline_id="p", name="tenantry-fleet", display_name="Tenantry", created_at=NOW
    )
    for day, name in enumerate(("old", "new"), start=1):
        state.versions[name] = api.V2beta1PipelineVersion(
            pipeline_id="p",
            pipeline_version_id=name,
            name=name,
            created_at=NOW.replace(day=day),
        )
    with Kubeflow(Server(address), waits=(0.0,)) as client:
        yield client


def test_a_run_is_of_the_newest_version_and_is_found_again_by_its_name(kubeflow, state):
    assert kubeflow.find_run("a name") is None
    started = kubeflow.start_run(ORDER)
    (run,) = state.runs.values()
    assert run.pipeline_version_reference.pipeline_version_id == "new"
    assert run.runtime_config.parameters == {"as_of": "2013-10-01T00:00:00Z"}
    assert state.experiments[run.experiment_id].display_name == "tenantry"
    kubeflow.start_run(Order("another", "tenantry-fleet"))
    assert kubeflow.find_run("a name") == started == Run(run.run_id, "RUNNING")
    assert len(state.experiments) == 1


def test_a_version_may_be_named(kubeflow, state):
    kubeflow.start_run(Order("a name", "tenantry-fleet", version="old", account="robot"))
    (run,) = state.runs.values()
    assert run.pipeline_version_reference.pipeline_version_id == "old"
    assert run.service_account == "robot"


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (Order("x", "no-such"), "no pipeline 'no-such'; `python -m pipelines sync` uploads it"),
        (Order("x", "tenantry-fleet", version="no"), "'tenantry-fleet' has no version 'no'"),
    ],
)
def test_what_is_missing_is_told(kubeflow, order, words):
    with pytest.raises(KubeflowError, match=words):
        kubeflow.start_run(order)


def test_the_newest_run_of_a_name_counts(kubeflow):
    kubeflow.start_run(ORDER)
    latest = kubeflow.start_run(ORDER)
    assert kubeflow.find_run("a name") == latest


def test_cancelling_a_run_that_has_ended_is_no_error(kubeflow, state):
    run = kubeflow.start_run(ORDER)
    kubeflow.cancel_run(run.run_id)
    assert kubeflow.run(run.run_id).state == "CANCELED"
    kubeflow.cancel_run(run.run_id)
    with pytest.raises(KubeflowError, match="404"):
        kubeflow.cancel_run("no-such")


def test_one_that_is_busy_is_asked_again_and_then_told(kubeflow, state):
    run = kubeflow.start_run(ORDER)
    state.is_away = True
    with pytest.raises(KubeflowBusyError, match="503: .*no database"):
        kubeflow.run(run.run_id)


def test_nobody_there_is_told_without_the_token():
    server = Server("http://127.0.0.1:9", token="a-secret")
    with Kubeflow(server, waits=()) as client, pytest.raises(KubeflowBusyError) as told:
        client.run("x")
    assert str(told.value) == "http://127.0.0.1:9: no answer (ConnectError)"
    assert "a-secret" not in repr(server)


@pytest.mark.parametrize(
    ("host", "port", "path", "address"),
    [
        ("kfp.example", None, "", "https://kfp.example"),
        ("kfp.example/", 8443, "", "https://kfp.example:8443"),
        ("http://kfp.example/pipeline/", 8080, "", "http://kfp.example:8080/pipeline"),
        ("http://kfp.example:80/pipeline", 8080, "/v/", "http://kfp.example:80/pipeline/v"),
    ],
)
def test_a_port_goes_before_the_path(host, port, path, address):
    assert join_address(host, port, scheme="https", path=path) == address


def test_a_page_to_sign_in_is_told():
    page = httpx.Response(200, text="<html>Sign in</html>")
    with pytest.raises(KubeflowError, match="something else than JSON, perhaps a page to sign in"):
        read_answer(Server("https://kfp.example"), page)


def test_tokens_namespaces_and_authorities_go_with_each_request(tmp_path):
    ca_file = make_certificates(tmp_path)
    token = tmp_path / "token"
    token.write_text("first\n")
    state = KfpState(token="second", namespace="team")
    with kfp_running(state, tmp_path) as address:
        server = Server(address, "team", token_file=str(token), ca_file=str(ca_file))
        with Kubeflow(server, waits=()) as client:
            with pytest.raises(KubeflowError, match="401"):
                client.find_run("x")
            token.write_text("second")
            assert client.find_run("x") is None


def test_retries_share_a_run_and_a_cleared_task_has_another():
    identity = Identity("dag", "manual__1", "task")
    parameters = {"product": "arrival-delay", "region": "", "as_of": "2013-10-01T00:00:00Z"}
    name = name_run("tenantry-fleet", parameters, identity)
    assert name == f"tenantry-fleet arrival-delay 2013-10-01T00:00:00Z airflow-{identity.mark}"
    others = {"cleared": 2, "map_index": 1, "task_id": "t", "run_id": "r", "dag_id": "d"}
    marks = {Identity(**(vars(identity) | {one: others[one]})).mark for one in others}
    assert len(marks | {identity.mark}) == 6
    assert len(name_run("x" * 200, parameters, identity)) == 128


@pytest.mark.parametrize(
    ("state", "joins"),
    [("RUNNING", True), ("PENDING", True), ("SUCCEEDED", True), ("FAILED", False),
     ("CANCELED", False), ("SKIPPED", False), ("CANCELING", True)],
)  # fmt: skip
def test_a_retry_joins_what_goes_on_or_went_well(state, joins):
    assert is_ours_to_join(Run("r", state)) is joins
    assert not is_ours_to_join(None)


def test_a_moment_is_written_in_utc():
    assert format_moment(datetime.fromisoformat("2013-10-01T07:30:00+02:00")) == (
        "2013-10-01T05:30:00Z"
    )
    with pytest.raises(ValueError, match="no time zone"):
        format_moment(datetime(2013, 10, 1))


def test_a_failure_is_told_by_the_fleets_summary_or_else_by_kubeflow():
    answer = {
        "run_id": "r",
        "state": "FAILED",
        "error": {"message": "the run failed"},
        "run_details": {
            "task_details": [
                {"display_name": "Train", "error": {"message": "Error (exit code 137)"}},
                {"display_name": "Report"},
            ]
        },
    }
    run, server = Run.from_answer(answer), Server("https://kfp.example")
    page = "r ended as FAILED: https://kfp.example/#/runs/details/r"
    told = f"{page}\nthe run failed\nTrain: Error (exit code 137)"
    assert explain(run, server, "") == told
    assert explain(run, server, "# 2 failed") == f"{page}\n# 2 failed"
    assert Run.from_answer({}) == Run("", "PENDING")
