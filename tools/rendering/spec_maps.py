"""ConfigMaps that carry tenant_specs/ into a cluster, as many as a megabyte each needs."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tenantry.specs.load import list_products

LIMIT_BYTES = 900_000
"""A ConfigMap holds 1 MiB; this leaves room for names and for files to grow."""
PLATFORM_FILES = ("connections.yaml", "regions.yaml")
PLATFORM_MAP = "tenantry-platform"
_KEY_BYTES = 16


def platform_files(folder: Path) -> tuple[str, ...]:
    """Return those files of the platform's people that exist."""
    return tuple(name for name in PLATFORM_FILES if (folder / name).exists())


def split_products(folder: Path, limit: int = LIMIT_BYTES) -> dict[str, list[list[str]]]:
    """Return for each product its files, in parts that fit into a ConfigMap.

    Args:
        folder: The folder of specs.
        limit: Bytes at most in a part.
    """
    return {
        product: [*_split(sorted((folder / product).glob("*.y*ml")), limit)]
        for product in list_products(folder)
    }


def map_name(product: str, part: int) -> str:
    """Return the ConfigMap's name; parts count from 1."""
    return f"tenantry-specs-{product}-{part}"


def spec_kustomization(folder: Path) -> dict[str, Any]:
    """Return the kustomization that makes the ConfigMaps."""
    platform = {
        "name": PLATFORM_MAP,
        "options": {"disableNameSuffixHash": True},
        "files": list(platform_files(folder)),
    }
    maps = [
        {"name": map_name(product, number), "files": [f"{product}/{name}" for name in names]}
        for product, parts in split_products(folder).items()
        for number, names in enumerate(parts, 1)
    ]
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "configMapGenerator": [platform, *maps],
    }


def _split(files: Sequence[Path], limit: int) -> Iterator[list[str]]:
    part: list[str] = []
    filled = 0
    for file in files:
        size = file.stat().st_size + len(file.name) + _KEY_BYTES
        if part and filled + size > limit:
            yield part
            part, filled = [], 0
        part.append(file.name)
        filled += size
    if part:
        yield part
