"""The Job that makes Kubeflow Pipelines equal to what Git declares."""

from collections.abc import Mapping, Sequence
from typing import Any

from tenantry.digests import canonical_json, sha256
from tools.rendering.spec_maps import PLATFORM_MAP, map_name

SPECS = "/specs"
SCHEDULES = "/etc/tenantry/schedules"
TOKEN = "/var/run/secrets/kubeflow/pipelines"  # noqa: S105 - a folder
_USER = 10001


def sync_job(
    image: str, version: str, products: Mapping[str, Sequence[object]], platform: Sequence[str]
) -> dict[str, Any]:
    """Return the Job; its name ends in the digest of all it says.

    Args:
        image: The image of its container.
        version: Name of the pipeline's version.
        products: Product → its parts, one ConfigMap each.
        platform: Files of the ConfigMap `tenantry-platform`.
    """
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
        "containers": [_container(image, products, platform)],
        "volumes": _volumes(products),
    }
    labels = {"app.kubernetes.io/component": "sync"}
    spec = {
        "backoffLimit": 6,
        "activeDeadlineSeconds": 1800,
        "template": {
            "metadata": {"labels": labels, "annotations": {"tenantry/pipeline-version": version}},
            "spec": pod,
        },
    }
    digest = sha256(canonical_json(spec))[:12]
    metadata = {
        "name": f"tenantry-sync-{digest}",
        "labels": labels,
        "annotations": {
            "argocd.argoproj.io/hook": "Sync",
            "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
            "argocd.argoproj.io/sync-wave": "1",
            "kustomize.toolkit.fluxcd.io/force": "enabled",
        },
    }
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


def _container(
    image: str, products: Mapping[str, Sequence[object]], platform: Sequence[str]
) -> dict[str, Any]:
    mounts = [
        {"name": "specs", "mountPath": SPECS},
        *(
            {"name": "platform", "mountPath": f"{SPECS}/{file}", "subPath": file, "readOnly": True}
            for file in platform
        ),
        *(
            {"name": f"specs-{product}", "mountPath": f"{SPECS}/{product}", "readOnly": True}
            for product in products
        ),
        {"name": "schedules", "mountPath": SCHEDULES, "readOnly": True},
        {"name": "ca", "mountPath": "/etc/tenantry/ca", "readOnly": True},
        {"name": "kfp-token", "mountPath": TOKEN, "readOnly": True},
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - an emptyDir
    ]
    return {
        "name": "sync",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-m", "pipelines", "sync"],
        "args": ["--schedules", f"{SCHEDULES}/schedules.yaml"],
        "env": [
            {"name": "TENANTRY_SPECS", "value": SPECS},
            {"name": "TENANTRY_CONNECTIONS", "value": f"{SPECS}/connections.yaml"},
            {"name": "KF_PIPELINES_SA_TOKEN_PATH", "value": f"{TOKEN}/token"},
            {"name": "KFP_NAMESPACE", "valueFrom": _field("metadata.namespace")},
        ],
        "envFrom": [
            {"configMapRef": {"name": "tenantry-settings"}},
            {"secretRef": {"name": "tenantry-store"}},
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


def _field(path: str) -> dict[str, Any]:
    return {"fieldRef": {"fieldPath": path}}
