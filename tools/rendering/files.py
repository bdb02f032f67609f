"""All rendered files: what they hold, and where they go."""

import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from components._image import image as stage_image
from components._image import server_image, sync_image
from pipelines.cluster import SecretNames, read_secret_names
from pipelines.compiling import compile_fleet, version_name
from pipelines.resources import OWNER_LABEL
from tenantry.settings import Settings, load_settings
from tools.rendering.spec_maps import platform_files, spec_kustomization, split_products
from tools.rendering.sync_job import Syncing, sync_jobs

OWNER = "tenantry"
"""By what the sync job knows its own: its default."""
BUCKET_JOB = Path("manifests/overlays/local/bucket-job.yaml")
SERVERS = (
    Path("manifests/components/serving/deployment.yaml"),
    Path("manifests/components/serving-kserve/inference-service.yaml"),
)
"""These and the bucket's job are written by hand, but for their image."""
_IMAGE = re.compile(r"^( +image: ).+$", re.MULTILINE)
_HEADER = "# Made by `make render`; do not edit.\n"


def render(root: Path, environ: Mapping[str, str] = os.environ) -> dict[Path, str]:
    """Return every rendered file: path below `root` → text.

    Args:
        root: The repository.
        environ: The environment, for `IMAGE_REGISTRY` and `IMAGE_TAG`.
    """
    specs = root / "tenant_specs"
    settings = load_settings({**environ, "TENANTRY_SPECS": str(specs)})
    secrets = all_secret_names(root, settings)
    with tempfile.TemporaryDirectory() as folder:
        spec, manifest = compile_fleet(Path(folder), secrets=secrets)
        version, resources = version_name(spec), manifest.read_text(encoding="utf-8")
    image = sync_image()
    registry, _, rest = image.rpartition("/")
    images = {"IMAGE_REGISTRY": registry, "IMAGE_TAG": rest.partition(":")[2]}
    products, platform = split_products(specs), platform_files(specs)
    jobs = sync_jobs(Syncing(image, images, version, secrets.sources, products, platform))
    return {
        Path("tenant_specs/kustomization.yaml"): _text([spec_kustomization(specs)]),
        Path("manifests/components/kubernetes-store/pipeline.yaml"): _text(
            _owned(yaml.safe_load_all(resources))
        ),
        Path("manifests/base/sync-job.yaml"): _text(jobs),
        BUCKET_JOB: _with_image(root / BUCKET_JOB, stage_image("plan")),
        **{path: _with_image(root / path, server_image()) for path in SERVERS},
    }


def all_secret_names(root: Path, settings: Settings) -> SecretNames:
    """Return the secret variables that the specs name, or any overlay's own connections."""
    overlays = sorted((root / "manifests/overlays").glob("*/connections.yaml"))
    named = [
        read_secret_names(replace(settings, connections=path))
        for path in (settings.specs / "connections.yaml", *overlays)
    ]
    return SecretNames(
        store=tuple(sorted({name for one in named for name in one.store})),
        sources=tuple(sorted({name for one in named for name in one.sources})),
    )


def _owned(documents: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave the namespace to kustomize; say that the sync job may change them."""
    found = list(documents)
    for document in found:
        document["metadata"].pop("namespace", None)
        document["metadata"]["labels"] = {OWNER_LABEL: OWNER}
    return found


def _with_image(file: Path, image: str) -> str:
    """Return the text of a file of one container, with its image named."""
    return _IMAGE.sub(rf"\g<1>{image}", file.read_text(encoding="utf-8"))


def _text(documents: Iterable[dict[str, Any]]) -> str:
    return f"{_HEADER}{yaml.safe_dump_all(documents, sort_keys=False, width=100)}"
