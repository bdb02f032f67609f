"""The pods that Kubeflow's backend makes of the compiled spec, as 2.17's driver and compiler do.

Read in KFP's source: `argocompiler/container.go`, `argocompiler/security_context.go` and
`driver/k8s.go`.
"""

from collections.abc import Mapping
from typing import Any

_DROPPED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
_FIELDS = {
    "resourceCpuRequest": ("requests", "cpu"),
    "resourceCpuLimit": ("limits", "cpu"),
    "resourceMemoryRequest": ("requests", "memory"),
    "resourceMemoryLimit": ("limits", "memory"),
}


def executor_pod(
    name: str, container: Mapping[str, Any], asked: Mapping[str, Any], values: Mapping[str, str]
) -> dict[str, Any]:
    """Return the pod of a task.

    Args:
        name: The pod's name.
        container: The executor of the compiled spec.
        asked: What the platform's part of the spec says of it.
        values: The run's parameters.
    """
    security = asked.get("securityContext", {})
    numbers = {field: int(value) for field, value in security.items() if field != "runAsNonRoot"}
    flags = {"runAsNonRoot": security["runAsNonRoot"]} if "runAsNonRoot" in security else {}
    volumes, mounts = _volumes(asked)
    main = {
        "name": "main",
        "image": container["image"],
        "imagePullPolicy": asked["imagePullPolicy"],
        "command": ["sh", "-c", "true"],
        "env": [*_env(asked)],
        "resources": _resources(container["resources"], values),
        "securityContext": {**_DROPPED, **numbers, **flags},
        "volumeMounts": mounts,
    }
    launcher = {
        "name": "kfp-launcher",
        "image": "kfp-launcher:2.17.0",
        "securityContext": {**_DROPPED, "runAsNonRoot": True},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": asked["podMetadata"]["labels"]},
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": int(asked["activeDeadlineSeconds"]),
            "serviceAccountName": "tenantry-runner",
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            "initContainers": [launcher],
            "containers": [main],
            "volumes": volumes,
        },
    }


def _resources(asked: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {"requests": {}, "limits": {}}
    for field, (kind, name) in _FIELDS.items():
        value = str(asked[field])
        for parameter, given in values.items():
            value = value.replace(
                f"{{{{$.inputs.parameters['pipelinechannel--{parameter}']}}}}", given
            )
        found[kind][name] = value
    return found


def _env(asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    for kind, key, where in (
        ("secretAsEnv", "secretKey", "secretKeyRef"),
        ("configMapAsEnv", "configMapKey", "configMapKeyRef"),
    ):
        for one in asked.get(kind, ()):
            name = one.get("secretName") or one.get("configMapName")
            for pair in one["keyToEnv"]:
                reference = {"name": name, "key": pair[key], "optional": one["optional"]}
                found.append({"name": pair["envVar"], "valueFrom": {where: reference}})
    return found


def _volumes(asked: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    volumes, mounts = [], []
    for one in asked.get("emptyDirMounts", ()):
        volumes.append({"name": one["volumeName"], "emptyDir": {"sizeLimit": one["sizeLimit"]}})
        mounts.append({"name": one["volumeName"], "mountPath": one["mountPath"]})
    for one in asked.get("configMapAsVolume", ()):
        name = one["configMapName"]
        volumes.append({"name": name, "configMap": {"name": name, "optional": one["optional"]}})
        mounts.append({"name": name, "mountPath": one["mountPath"]})
    return volumes, mounts
