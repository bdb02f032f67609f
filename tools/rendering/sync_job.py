"""The jobs that make Kubeflow Pipelines equal to what Git declares: after a push, and daily."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tenantry.digests import canonical_json, sha256
from tools.rendering.spec_maps import PLATFORM_MAP, map_name

SPECS = "/specs"
SCHEDULES = "/etc/tenantry/schedules"
TOKEN = "/var/run/secrets/kubeflow/pipelines"  # noqa: S105 - a folder
_USER = 10001


DAILY = "17 3 * * *"
_LABELS = {"app.kubernetes.io/component": "sync"}


@dataclass(frozen=True)
class Syncing:
    """What the jobs need to know.

    Attributes:
        image: The image of their container.
        images: `IMAGE_REGISTRY` and `IMAGE_TAG` of the stages' images.
        version: Name of the pipeline's version.
        secrets: Variables of all overlays' connections: the version that is rendered names them.
        products: Product → its parts, one ConfigMap each.
        platform: Files of the ConfigMap `tenantry-platform`.
    """

    image: str
    images: Mapping[str, str]
    version: str
    secrets: Sequence[str]
    products: Mapping[str, Sequence[object]]
    platform: Sequence[str]


def sync_jobs(syncing: Syncing) -> list[dict[str, Any]]:
    """Return the Job of a push, whose name ends in the digest of all it says, and the daily one.

    The daily one follows clocks that are changed, and heals what was changed by hand. It is not
    tried again: one that a push has overtaken would publish what it holds, which is older.
    """
    spec = {"backoffLimit": 6, "activeDeadlineSeconds": 1800, "template": _template(syncing)}
    metadata = {
        "name": f"tenantry-sync-{sha256(canonical_json(spec))[:12]}",
        "labels": _LABELS,
        "annotations": {
            "argocd.argoproj.io/hook": "Sync",
            "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
            "argocd.argoproj.io/sync-wave": "1",
            "kustomize.toolkit.fluxcd.io/force": "enabled",
        },
    }
    daily = {
        "schedule": DAILY,
        "concurrencyPolicy": "Forbid",
        "successfulJobsHistoryLimit": 1,
        "failedJobsHistoryLimit": 3,
        "jobTemplate": {"spec": _tried_once(spec)},
    }
    return [
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec},
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {"name": "tenantry-sync", "labels": _LABELS},
            "spec": daily,
        },
    ]


def _tried_once(spec: dict[str, Any]) -> dict[str, Any]:
    template = spec["template"]
    pod = {**template["spec"], "restartPolicy": "Never"}
    return {**spec, "backoffLimit": 0, "template": {**template, "spec": pod}}


def _template(syncing: Syncing) -> dict[str, Any]:
    pod = {
        "restartPolicy": "OnFailure",
        "serviceAccountName": "tenantry-sync",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(syncing)],
        "volumes": _volumes(syncing.products),
    }
    annotations = {"tenantry/pipeline-version": syncing.version}
    return {"metadata": {"labels": _LABELS, "annotations": annotations}, "spec": pod}


def _container(syncing: Syncing) -> dict[str, Any]:
    mounts = [
        {"name": "specs", "mountPath": SPECS},
        *(
            {"name": "platform", "mountPath": f"{SPECS}/{file}", "subPath": file, "readOnly": True}
            for file in syncing.platform
        ),
        *(
            {"name": f"specs-{product}", "mountPath": f"{SPECS}/{product}", "readOnly": True}
            for product in syncing.products
        ),
        {"name": "schedules", "mountPath": SCHEDULES, "readOnly": True},
        {"name": "ca", "mountPath": "/etc/tenantry/ca", "readOnly": True},
        {"name": "kfp-token", "mountPath": TOKEN, "readOnly": True},
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - an emptyDir
    ]
    return {
        "name": "sync",
        "image": syncing.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-m", "pipelines", "sync"],
        "args": [
            "--schedules",
            f"{SCHEDULES}/schedules.yaml",
            *(f"--secret={name}" for name in syncing.secrets),
        ],
        "env": [
            {"name": "TENANTRY_SPECS", "value": SPECS},
            {"name": "TENANTRY_CONNECTIONS", "value": f"{SPECS}/connections.yaml"},
            {"name": "KF_PIPELINES_SA_TOKEN_PATH", "value": f"{TOKEN}/token"},
            *({"name": name, "value": value} for name, value in syncing.images.items()),
        ],
        "envFrom": [
            {"configMapRef": {"name": "tenantry-settings"}},
            {"secretRef": {"name": "tenantry-store"}},
            {"secretRef": {"name": "tenantry-sync", "optional": True}},
        ],
        "resources": {
            "requests": {"cpu": "100m", "memory": "256Mi"},
            "limits": {"cpu": "1", "memory": "1Gi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": mounts,
    }


def _volumes(products: Mapping[str, Sequence[object]]) -> list[dict[str, Any]]:
    token = {"path": "token", "audience": "pipelines.kubeflow.org", "expirationSeconds": 7200}
    maps = [
        {
            "name": f"specs-{product}",
            "projected": {
                "sources": [
                    {"configMap": {"name": map_name(product, number)}}
                    for number in range(1, len(parts) + 1)
                ]
            },
        }
        for product, parts in products.items()
    ]
    return [
        {"name": "specs", "emptyDir": {"sizeLimit": "64Mi"}},
        {"name": "platform", "configMap": {"name": PLATFORM_MAP}},
        *maps,
        {"name": "schedules", "configMap": {"name": "tenantry-schedules"}},
        {"name": "ca", "configMap": {"name": "tenantry-ca", "optional": True}},
        {"name": "kfp-token", "projected": {"sources": [{"serviceAccountToken": token}]}},
        {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}},
    ]
