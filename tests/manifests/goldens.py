"""What each overlay builds to: `python -m tests.manifests.goldens` writes it anew where it must.

Digests in names, tenants' files and the compiled pipeline are left out, so that the golden files
change with manifests/ alone. A digest of what overlays are built of stands beside them: a checkout
without kustomize sees by it that they are stale.
"""

import hashlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.manifests.documents import GOLDEN, MANIFESTS, OVERLAYS
from tests.servers.kubernetes.programs import install_program

DIGEST = GOLDEN / "manifests.sha256"
_NAMED_DIGEST = re.compile(r"(tenantry-(?:sync|fleet)-)[0-9a-f]{12}\b")
_NAMED_HASH = re.compile(r"(tenantry-specs-[a-z0-9-]+-\d+-)[a-z0-9]{10}\b")
_BUILT = ("base", "components", "overlays")
_COMPILED = "components/kubernetes-store/pipeline.yaml"


def build(overlay: str, manifests: Path = MANIFESTS) -> str:
    """Return what kustomize makes of an overlay."""
    command = [str(install_program("kustomize")), "build", str(manifests / "overlays" / overlay)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def normalised(built: str) -> str:
    """Leave out what changes without manifests/."""
    documents = [_without_content(one) for one in yaml.safe_load_all(_nameless(built))]
    return yaml.safe_dump_all(documents, sort_keys=True, width=100)


def digest_of(folder: Path = MANIFESTS) -> str:
    """Return the digest of all that overlays are built of, but for the compiled pipeline."""
    total = hashlib.sha256()
    for path in sorted(path for part in _BUILT for path in (folder / part).rglob("*")):
        if path.is_file() and not str(path).endswith(_COMPILED):
            total.update(f"{path.relative_to(folder)}\0{_nameless(path.read_text())}\0".encode())
    return total.hexdigest()


def main() -> None:
    """Write those that are stale."""
    if DIGEST.exists() and DIGEST.read_text().strip() == digest_of():
        return
    GOLDEN.mkdir(exist_ok=True)
    for overlay in OVERLAYS:
        (GOLDEN / f"{overlay}.yaml").write_text(normalised(build(overlay)))
        sys.stdout.write(f"{overlay}\n")
    DIGEST.write_text(f"{digest_of()}\n")


def _nameless(text: str) -> str:
    return _NAMED_HASH.sub(r"\g<1>0000000000", _NAMED_DIGEST.sub(r"\g<1>000000000000", text))


def _without_content(document: dict[str, Any]) -> dict[str, Any]:
    name = document["metadata"]["name"]
    if document["kind"] == "ConfigMap" and name.startswith("tenantry-specs-"):
        document["data"] = {}
    if document["kind"] == "PipelineVersion":
        document["spec"] |= {"pipelineSpec": {}, "platformSpec": {}}
    return document


if __name__ == "__main__":
    main()
