import re

import pytest
import yaml
from kubernetes.utils.quantity import parse_quantity

from pipelines.fleet import PARALLEL_SHARDS
from pipelines.parameters import ClusterParameters
from pipelines.schedule_faults import find_spec_faults
from pipelines.schedules import read_schedules
from tenantry.settings import load_settings
from tenantry.specs.operation import Resources
from tests.manifests.documents import MANIFESTS, OVERLAYS, ROOT, golden, load, pod_specs

GOVERNED = ("dev", "kserve", "prod")
"""Overlays with a namespace of their own; in single-user mode that of Kubeflow is left alone."""
FILES = sorted(path for path in MANIFESTS.rglob("*.yaml"))


def containers(overlay):
    for owner, spec in pod_specs(golden(overlay)):
        for container in (*spec["containers"], *spec.get("initContainers", ())):
            yield f"{owner}/{container['name']}", spec, container


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_image_has_a_tag_that_stays(overlay):
    images = {place: container["image"] for place, _, container in containers(overlay)}
    assert images
    for place, image in images.items():
        assert re.fullmatch(r"[^:@]+(:[^:@]+)(@sha256:[0-9a-f]{64})?", image), place
        assert not image.endswith(":latest"), place


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_container_is_root_or_may_become_it_or_writes_its_image(overlay):
    for place, pod, container in containers(overlay):
        assert pod["securityContext"]["runAsNonRoot"] is True, place
        assert pod["securityContext"]["runAsUser"] > 0, place
        assert pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault", place
        own = container["securityContext"]
        assert own["allowPrivilegeEscalation"] is False, place
        assert own["readOnlyRootFilesystem"] is True, place
        assert own["capabilities"] == {"drop": ["ALL"]}, place
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys(), place
        assert not any("hostPath" in volume for volume in pod["volumes"]), place


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_container_says_what_it_needs(overlay):
    for place, _, container in containers(overlay):
        for kind in ("requests", "limits"):
            assert container["resources"][kind].keys() == {"cpu", "memory"}, place


@pytest.mark.parametrize("overlay", GOVERNED)
def test_nothing_may_talk_but_for_what_is_allowed(overlay):
    policies = {
        one["metadata"]["name"]: one for one in golden(overlay) if one["kind"] == "NetworkPolicy"
    }
    assert policies["default-deny"]["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
    }
    for name, policy in policies.items():
        for rule in policy["spec"].get("egress", []) + policy["spec"].get("ingress", []):
            assert rule.get("ports"), name
            assert rule.get("to") or rule.get("from"), name
            for peer in rule.get("to", []):
                assert peer.get("ipBlock", {}).get("cidr") != "0.0.0.0/0", name


@pytest.mark.parametrize("overlay", GOVERNED)
def test_the_namespace_enforces_restricted_pods(overlay):
    (namespace,) = [one for one in golden(overlay) if one["kind"] == "Namespace"]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_single_user_mode_leaves_kubeflows_own_namespace_alone():
    documents = golden("local")
    assert {one["metadata"].get("namespace", "kubeflow") for one in documents} == {"kubeflow"}
    governing = {"Namespace", "NetworkPolicy", "ResourceQuota", "LimitRange"}
    assert governing & {one["kind"] for one in documents} == set()
    assert all(one["metadata"]["name"].startswith("tenantry-") for one in documents)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_role_may_do_everything_or_read_all_secrets(overlay):
    for role in (one for one in golden(overlay) if one["kind"] in ("Role", "ClusterRole")):
        for rule in role["rules"]:
            assert "*" not in [*rule["verbs"], *rule["resources"], *rule["apiGroups"]]
            if "secrets" in rule["resources"]:
                assert rule["resourceNames"], role["metadata"]["name"]
                assert "list" not in rule["verbs"]
    assert not [one for one in golden(overlay) if one["kind"].startswith("Cluster")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(MANIFESTS)))
def test_no_secret_has_a_value(path):
    text = path.read_text()
    for one in yaml.safe_load_all(text):
        assert (one or {}).get("kind") != "Secret", "Secrets come by reference"
        assert "secretGenerator" not in (one or {})
    assert not re.search(r"://[^/\s:@]+:[^/\s@]+@", text), "a password in an address"
    assert not re.search(
        r"(?i)(password|secret_key|token)['\"]?\s*[:=]\s*['\"]?[A-Za-z0-9+/]{16,}", text
    )
    assert not re.search(r"AKIA[0-9A-Z]{16}|-----BEGIN", text)


def test_no_secret_is_made_by_any_overlay():
    assert not [one for name in OVERLAYS for one in golden(name) if one["kind"] == "Secret"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_object_says_whose_it_is(overlay):
    for one in golden(overlay):
        labels = one["metadata"].get("labels", {})
        assert labels.get("app.kubernetes.io/part-of") == "tenantry", one["metadata"]["name"]
        if one["kind"] not in ("Namespace", "PriorityClass"):
            assert one["metadata"]["namespace"], one["metadata"]["name"]


@pytest.mark.parametrize("path", sorted(MANIFESTS.rglob("schedules.yaml")), ids=str)
def test_schedules_are_sound_and_of_products_there_are(path):
    connections = path.with_name("connections.yaml")
    own = {"TENANTRY_CONNECTIONS": str(connections)} if connections.exists() else {}
    settings = load_settings({"TENANTRY_SPECS": str(ROOT / "tenant_specs"), **own})
    assert [*find_spec_faults(read_schedules(path), settings)] == []


def server(overlay):
    (found,) = [
        container
        for _, _, container in containers(overlay)
        if container["command"] == ["tenantry", "serve"]
    ]
    return found


def servers(overlay):
    """Those that the autoscaler may ask for, and one that takes another's place."""
    scalers = ("HorizontalPodAutoscaler", "InferenceService")
    (scaler,) = [one["spec"] for one in golden(overlay) if one["kind"] in scalers]
    return scaler.get("predictor", scaler)["maxReplicas"] + 1


@pytest.mark.parametrize("overlay", GOVERNED)
@pytest.mark.parametrize("kind", ["cpu", "memory"])
@pytest.mark.parametrize("bound", ["request", "limit"])
def test_the_quota_holds_all_schedules_and_servers_at_once(overlay, kind, bound):
    (quota,) = [one for one in golden(overlay) if one["kind"] == "ResourceQuota"]
    folder = {"kserve": "prod"}.get(overlay, overlay)
    schedules = read_schedules(MANIFESTS / "overlays" / folder / "schedules.yaml")
    runs = [ClusterParameters(**one.parameters) for one in schedules] or [ClusterParameters()]
    unit = 1 if kind == "cpu" else 2**30
    needed = sum(
        min(PARALLEL_SHARDS, run.max_shards) * parse_quantity(getattr(run, f"{kind}_{bound}"))
        + unit
        for run in runs
    )
    needed += servers(overlay) * parse_quantity(server(overlay)["resources"][f"{bound}s"][kind])
    assert parse_quantity(quota["spec"]["hard"][f"{bound}s.{kind}"]) >= needed


def test_memory_limits_hold_all_workers():
    """By the formula of docs/operations.md; a worker a core, of the default memory_mib."""
    schedules = read_schedules(MANIFESTS / "overlays/prod/schedules.yaml")
    worker = Resources().memory_mib * 2**20
    for given in ({}, *(one.parameters for one in schedules)):
        run = ClusterParameters(**given)
        needed = 2**30 + parse_quantity(run.cpu_limit) * worker
        assert parse_quantity(run.memory_limit) >= needed


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_is_the_whole_clusters_is_pruned_with_no_overlay(overlay):
    (shared,) = [one for one in golden(overlay) if one["kind"] == "PriorityClass"]
    assert shared["metadata"]["annotations"] == {
        "argocd.argoproj.io/sync-options": "Prune=false",
        "kustomize.toolkit.fluxcd.io/prune": "disabled",
    }


@pytest.mark.parametrize("overlay", GOVERNED)
def test_sources_lie_where_pods_can_reach_them(overlay):
    (platform,) = [one for one in golden(overlay) if one["metadata"]["name"] == "tenantry-platform"]
    connections = yaml.safe_load(platform["data"]["connections.yaml"])["connections"]
    assert all("://" in one["url"] and "/../" not in one["url"] for one in connections.values())


def test_argo_looks_again_within_two_seconds():
    (patch,) = load(MANIFESTS / "examples/argo-requeue-time/workflow-controller.yaml")
    (container,) = patch["spec"]["template"]["spec"]["containers"]
    assert {"name": "DEFAULT_REQUEUE_TIME", "value": "2s"} in container["env"]


def test_gitops_prunes_and_waits_for_health():
    (application,) = load(MANIFESTS / "examples/argocd-application.yaml")
    assert application["spec"]["syncPolicy"]["automated"] == {"prune": True, "selfHeal": True}
    _, kustomization = load(MANIFESTS / "examples/flux.yaml")
    assert kustomization["spec"]["prune"]
    assert kustomization["spec"]["wait"]
    for path in (application["spec"]["source"]["path"], kustomization["spec"]["path"]):
        assert (ROOT / path / "kustomization.yaml").exists()
