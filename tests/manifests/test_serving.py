"""Servers: a Deployment, or the same as an InferenceService."""

import pytest
import typer.main

from tenantry.cli.app import app
from tests.manifests.documents import OVERLAYS, golden, pod_specs

CARRIERS = ("Deployment/tenantry-serve", "InferenceService/tenantry-serve")


def pod(overlay):
    (found,) = [spec for owner, spec in pod_specs(golden(overlay)) if owner in CARRIERS]
    return found


def container(overlay):
    (found,) = pod(overlay)["containers"]
    return found


def kinds(overlay):
    return {
        one["kind"]
        for one in golden(overlay)
        if one["metadata"]["name"] == "tenantry-serve" and one["kind"] != "ServiceAccount"
    }


def test_kserve_runs_the_very_pods_of_the_deployment():
    plain, kserve = pod("prod"), pod("kserve")
    plain["containers"][0]["name"] = kserve["containers"][0]["name"] = "serve"
    assert kserve == plain


def test_kserve_takes_the_place_of_deployment_service_and_autoscaler():
    shared = {"PodDisruptionBudget", "PodMonitor"}
    assert kinds("prod") == shared | {"Deployment", "Service", "HorizontalPodAutoscaler"}
    assert kinds("kserve") == shared | {"InferenceService"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_probes_ask_what_the_protocol_calls_health(overlay):
    probes = {
        name: container(overlay)[f"{name}Probe"]["httpGet"] for name in ("liveness", "readiness")
    }
    assert probes == {
        "liveness": {"path": "/v2/health/live", "port": "http"},
        "readiness": {"path": "/v2/health/ready", "port": "http"},
    }


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_options_are_those_of_the_command(overlay):
    command = typer.main.get_command(app).commands["serve"]
    known = {option for parameter in command.params for option in parameter.opts}
    given = [argument.partition("=")[0] for argument in container(overlay)["args"]]
    assert {*given} <= known
    assert "--tokens" in given  # others than loopback may ask


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_there_is_time_to_drain(overlay):
    options = dict(argument.split("=", 1) for argument in container(overlay)["args"])
    requests_end = 10
    assert pod(overlay)["terminationGracePeriodSeconds"] > float(options["--drain"]) + requests_end


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_is_written_is_bounded_and_a_restart_finds_it(overlay):
    spec = pod(overlay)
    options = dict(argument.split("=", 1) for argument in container(overlay)["args"])
    written = {
        one["mountPath"]: one["name"]
        for one in container(overlay)["volumeMounts"]
        if not one.get("readOnly")
    }
    assert written.keys() == {options["--cache"], "/tmp"}
    limits = {one["name"]: one.get("emptyDir", {}).get("sizeLimit") for one in spec["volumes"]}
    assert all(limits[name] for name in written.values())


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_servers_have_credentials_of_their_own_and_none_of_the_cluster(overlay):
    secrets = [one["secretRef"] for one in container(overlay)["envFrom"] if "secretRef" in one]
    assert secrets == [{"name": "tenantry-serving-store"}]
    assert not container(overlay).get("env")
    assert pod(overlay)["automountServiceAccountToken"] is False
    bound = {
        subject["name"]
        for one in golden(overlay)
        if one["kind"] == "RoleBinding"
        for subject in one["subjects"]
    }
    assert pod(overlay)["serviceAccountName"] == "tenantry-serve"
    assert "tenantry-serve" not in bound


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_replicas_are_spread_and_a_drain_takes_one_at_a_time(overlay):
    keys = [one["topologyKey"] for one in pod(overlay)["topologySpreadConstraints"]]
    assert keys == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    (budget,) = [
        one["spec"]
        for one in golden(overlay)
        if one["kind"] == "PodDisruptionBudget" and one["metadata"]["name"] == "tenantry-serve"
    ]
    assert budget["maxUnavailable"] == 1
    labels = {"app.kubernetes.io/component": "serve"}
    assert {k: v for k, v in budget["selector"]["matchLabels"].items() if k in labels} == labels


def test_metrics_are_read_with_a_token_from_a_secret():
    (monitor,) = [one["spec"] for one in golden("prod") if one["kind"] == "PodMonitor"]
    (endpoint,) = monitor["podMetricsEndpoints"]
    assert endpoint["path"] == "/metrics"
    assert endpoint["authorization"]["credentials"] == {
        "name": "tenantry-serving-metrics",
        "key": "token",
    }
