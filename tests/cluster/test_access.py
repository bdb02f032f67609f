import pytest
import yaml

from tests.manifests.goldens import build

NAMESPACE = "tenantry"
RUNNER = f"system:serviceaccount:{NAMESPACE}:tenantry-runner"
SYNC = f"system:serviceaccount:{NAMESPACE}:tenantry-sync"
SERVE = f"system:serviceaccount:{NAMESPACE}:tenantry-serve"

ALLOWED = [
    (RUNNER, "create", "workflowtaskresults.argoproj.io"),
    (RUNNER, "patch", "workflowtaskresults.argoproj.io"),
    (RUNNER, "get", "workflows.argoproj.io"),
    (RUNNER, "get", "pods"),
    (RUNNER, "get", "configmaps/kfp-launcher"),
    (RUNNER, "get", "secrets/mlpipeline-minio-artifact"),
    *((SYNC, verb, "pipelines.pipelines.kubeflow.org") for verb in ("get", "list", "create")),
    *(
        (SYNC, verb, "pipelineversions.pipelines.kubeflow.org")
        for verb in ("get", "list", "create")
    ),
    *(
        (SYNC, verb, "jobs.pipelines.kubeflow.org")
        for verb in ("get", "list", "create", "delete", "enable", "disable")
    ),
    (SYNC, "create", "experiments.pipelines.kubeflow.org"),
]
DENIED = [
    *(
        (who, verb, what)
        for who in (RUNNER, SYNC, SERVE)
        for verb, what in (
            ("list", "secrets"),
            ("get", "secrets/tenantry-store"),
            ("get", "secrets/tenantry-sources"),
            ("get", "secrets/tenantry-serving-store"),
            ("get", "secrets/tenantry-serving-tokens"),
            ("get", "secrets/tenantry-alerts"),
            ("create", "pods"),
            ("create", "pods/exec"),
            ("delete", "pods"),
            ("create", "jobs.batch"),
            ("update", "configmaps/tenantry-settings"),
            ("create", "roles.rbac.authorization.k8s.io"),
            ("escalate", "roles.rbac.authorization.k8s.io"),
            ("bind", "rolebindings.rbac.authorization.k8s.io"),
            ("create", "serviceaccounts/token"),
            ("impersonate", "serviceaccounts"),
            ("delete", "networkpolicies.networking.k8s.io"),
            ("update", "resourcequotas"),
        )
    ),
    *((SERVE, verb, "pods") for verb in ("get", "list")),
    (SERVE, "get", "configmaps/tenantry-settings"),
    (RUNNER, "get", "configmaps/tenantry-settings"),
    (RUNNER, "create", "pipelines.pipelines.kubeflow.org"),
    (RUNNER, "delete", "workflows.argoproj.io"),
    (RUNNER, "create", "workflows.argoproj.io"),
    (SYNC, "get", "secrets/mlpipeline-minio-artifact"),
    *(
        (SYNC, verb, f"{what}.pipelines.kubeflow.org")
        for verb in ("update", "patch", "delete")
        for what in ("pipelines", "pipelineversions")
    ),
    (SYNC, "create", "runs.pipelines.kubeflow.org"),
    (SYNC, "delete", "runs.pipelines.kubeflow.org"),
    (SYNC, "delete", "experiments.pipelines.kubeflow.org"),
    (SYNC, "create", "workflows.argoproj.io"),
]


@pytest.fixture(scope="module")
def roles(cluster):
    """Production's accounts and what they may do."""
    kinds = ("Namespace", "ServiceAccount", "Role", "RoleBinding")
    documents = [one for one in yaml.safe_load_all(build("prod")) if one["kind"] in kinds]
    for kind in kinds:
        cluster.apply(yaml.safe_dump_all([one for one in documents if one["kind"] == kind]))
    return cluster


def may(cluster, who, verb, what, namespace=NAMESPACE):
    """Ask the API itself, as that account, by a review of its own access."""
    resource, _, rest = what.partition("/")
    name, subresource = ("", rest) if rest in ("exec", "token") else (rest, "")
    resource, _, group = resource.partition(".")
    attributes = {
        "namespace": namespace,
        "verb": verb,
        "group": group,
        "resource": resource,
        "subresource": subresource,
        "name": name,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    return cluster.post(path, review, user=who)["status"]["allowed"]


@pytest.mark.parametrize(("who", "verb", "what"), ALLOWED)
def test_allowed(roles, who, verb, what):
    assert may(roles, who, verb, what)


@pytest.mark.parametrize(("who", "verb", "what"), DENIED)
def test_denied(roles, who, verb, what):
    assert not may(roles, who, verb, what)


@pytest.mark.parametrize(("who", "verb", "what"), ALLOWED)
def test_allowed_here_is_denied_elsewhere(roles, who, verb, what):
    assert not may(roles, who, verb, what, namespace="kube-system")


def test_an_impersonated_account_is_refused_in_deed(roles):
    refused = roles.run("-n", NAMESPACE, "get", "secrets", user=SYNC, check=False)
    assert "forbidden" in refused.stderr
    read = roles.run("-n", NAMESPACE, "get", "pods", "some", user=RUNNER, check=False)
    assert "not found" in read.stderr
