"""Pipeline and PipelineVersion resources, for a Kubeflow that keeps pipelines in Kubernetes."""

from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

import yaml
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from pipelines.kubeflow import KubeflowError

_GROUP, _VERSION = "pipelines.kubeflow.org", "v2beta1"
_PLURALS = {"Pipeline": "pipelines", "PipelineVersion": "pipelineversions"}
OWNER_LABEL = "tenantry/sync-owner"


def read_manifest(path: Path) -> tuple[dict[str, Any], ...]:
    """Read the resources that `pipelines.compiling` wrote."""
    return tuple(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def connect_cluster() -> client.ApiClient:
    """Return a client for the cluster that this runs in, or that kubectl would talk to."""
    try:
        config.load_incluster_config()
    except config.ConfigException:
        config.load_kube_config()
    return client.ApiClient()


@dataclass(frozen=True)
class Resources:
    """The resources of a namespace.

    Attributes:
        cluster: The cluster.
        namespace: The namespace.
        owner: Whose they are; what bears another's label, or none, is not touched.
    """

    cluster: client.ApiClient
    namespace: str
    owner: str

    def find(self, resource: dict[str, Any]) -> dict[str, Any] | None:
        """Return a resource of that kind and name, or None."""
        try:
            found = client.CustomObjectsApi(self.cluster).get_namespaced_custom_object(
                *self._place(resource), resource["metadata"]["name"]
            )
        except ApiException as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise _fault(resource, error) from None
        return cast("dict[str, Any]", found)

    def is_ours(self, found: dict[str, Any]) -> bool:
        """Say whether a resource bears our label."""
        return bool(found["metadata"].get("labels", {}).get(OWNER_LABEL) == self.owner)

    def create(self, resource: dict[str, Any]) -> None:
        """Make a resource with our label; nothing when somebody has just made it."""
        metadata = resource["metadata"]
        labels = {**metadata.get("labels", {}), OWNER_LABEL: self.owner}
        body = {**resource, "metadata": {**metadata, "namespace": self.namespace, "labels": labels}}
        try:
            client.CustomObjectsApi(self.cluster).create_namespaced_custom_object(
                *self._place(resource), body
            )
        except ApiException as error:
            if error.status != HTTPStatus.CONFLICT:
                raise _fault(resource, error) from None

    def _place(self, resource: dict[str, Any]) -> tuple[str, str, str, str]:
        return _GROUP, _VERSION, self.namespace, _PLURALS[resource["kind"]]


def _fault(resource: dict[str, Any], error: ApiException) -> KubeflowError:
    name = f"{resource['kind']} {resource['metadata']['name']}"
    words = " ".join(str(error.body or error.reason).split())[:300]
    return KubeflowError(f"{name}: {error.status}: {words}")
