"""Reads what is tested: built overlays, examples, and the resource definitions of others."""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "manifests"
GOLDEN = Path(__file__).with_name("golden")
PREDICTOR_FIELDS = {
    *("labels", "minReplicas", "maxReplicas", "scaleMetric", "scaleTarget", "timeout"),
    "deploymentStrategy",
}
"""Of a predictor's fields those that are KServe's; all others are a pod's."""
OVERLAYS = tuple(sorted(path.name for path in (MANIFESTS / "overlays").iterdir()))


def load(path: Path) -> list[dict[str, Any]]:
    """Return a file's documents."""
    return [one for one in yaml.load_all(path.read_text(), yaml.CSafeLoader) if one]


@cache
def golden(overlay: str) -> list[dict[str, Any]]:
    """Return what an overlay builds to; not to be changed."""
    return load(GOLDEN / f"{overlay}.yaml")


def crd_folder() -> Path | None:
    """Return the folder of the resource definitions that other projects publish.

    TENANTRY_CRDS says where it is; they are not ours to ship.
    """
    named = os.environ.get("TENANTRY_CRDS")
    return Path(named) if named else None


def pod_specs(documents: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every pod's spec with the name of what makes it."""
    for one in documents:
        spec = one.get("spec") if isinstance(one.get("spec"), dict) else {}
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
        name = f"{one['kind']}/{one['metadata']['name']}"
        if isinstance(template, dict) and "spec" in template:
            yield name, template["spec"]
        if one["kind"] == "InferenceService":
            own = spec["predictor"].keys() - PREDICTOR_FIELDS
            yield name, {key: spec["predictor"][key] for key in own}
