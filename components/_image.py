"""The one place that ties a stage to its image."""

import os
from importlib.metadata import version

GROUPS = {
    "plan": "plan",
    "train_pooled": "train",
    "ingest": "data",
    "build_features": "data",
    "train": "train",
    "promote": "train",
    "predict": "train",
    "monitor": "monitor",
    "check_fleet": "plan",
    "report": "plan",
}
"""Stage → target in `images/Dockerfile`; stages of a group need the same libraries."""


def image(stage: str) -> str:
    """Return the image that `stage` runs in, from `IMAGE_REGISTRY` and `IMAGE_TAG`."""
    return _tagged(GROUPS[stage])


def sync_image() -> str:
    """Return the image of the job that compiles the pipeline and tells Kubeflow about it."""
    return _tagged("sync")


def server_image() -> str:
    """Return the image of the servers that answer with predictions."""
    return _tagged("serve")


def _tagged(target: str) -> str:
    registry = os.environ.get("IMAGE_REGISTRY", "tenantry")
    tag = os.environ.get("IMAGE_TAG", version("tenantry"))
    return f"{registry}/{target}:{tag}"
