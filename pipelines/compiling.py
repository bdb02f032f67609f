"""Compile the pipeline: the spec for the Kubeflow UI, and the same as Kubernetes resources."""

from pathlib import Path

from kfp import compiler
from kfp.compiler.compiler_utils import KubernetesManifestOptions

from pipelines.cluster import SecretNames
from pipelines.fleet import NAME, build_fleet
from tenantry.digests import sha256


def compile_fleet(
    folder: Path, *, secrets: SecretNames | None = None, label: str = ""
) -> tuple[Path, Path]:
    """Write `fleet.yaml`, and `fleet-manifest.yaml` with Pipeline and PipelineVersion resources.

    The version's name ends in the digest of the spec, so that another spec is another version.

    Args:
        folder: Where they go.
        secrets: Which variables come from Secrets.
        label: The product of every run, for the pods' labels; empty where runs choose.

    Returns:
        The two paths.
    """
    folder.mkdir(parents=True, exist_ok=True)
    spec, manifest = folder / "fleet.yaml", folder / "fleet-manifest.yaml"
    fleet = build_fleet(secrets=secrets or SecretNames(), label=label)
    compiler.Compiler().compile(fleet, str(spec))
    options = KubernetesManifestOptions(
        pipeline_name=NAME,
        pipeline_display_name="Tenantry: the fleet",
        pipeline_version_name=version_name(spec),
        include_pipeline_manifest=True,
    )
    compiler.Compiler().compile(
        fleet,
        str(manifest),
        kubernetes_manifest_format=True,
        kubernetes_manifest_options=options,
    )
    return spec, manifest


def version_name(spec: Path) -> str:
    """Return the name of the pipeline version that this compiled spec is."""
    return f"{NAME}-{sha256(spec.read_bytes())[:12]}"
