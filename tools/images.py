"""Build the images: `make images IMAGE_REGISTRY=… IMAGE_TAG=…`; with buildah, or docker buildx."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from components._image import GROUPS

ROOT = Path(__file__).parents[1]
TARGETS = (*dict.fromkeys(GROUPS.values()), "sync", "serve", "all")
SBOM = "/opt/tenantry/sbom.cdx.json"


@dataclass(frozen=True)
class Build:
    """How images are built.

    Attributes:
        builder: `buildah` or `docker`.
        registry: What their names begin with.
        tag: Their tag; never `latest`.
        revision: The commit.
        flags: More for the builder, e.g. `--build-arg PYTHON_IMAGE=…`.
    """

    builder: str
    registry: str
    tag: str
    revision: str
    flags: Sequence[str] = field(default=())

    def name(self, target: str) -> str:
        """Return a target's full name."""
        return f"{self.registry}/{target}:{self.tag}"

    def command(self, target: str) -> list[str]:
        """Return the command that builds a target."""
        start = ["buildah", "build"] if self.builder == "buildah" else ["docker", "buildx", "build"]
        load = [] if self.builder == "buildah" else ["--load"]
        arguments = [f"--build-arg=VERSION={self.tag}", f"--build-arg=REVISION={self.revision}"]
        where = ["--file", "images/Dockerfile", "--target", target, "--tag", self.name(target)]
        return [*start, *load, *arguments, *self.flags, *where, "."]


def read_build(environ: Mapping[str, str] = os.environ) -> Build:
    """Read `IMAGE_REGISTRY`, `IMAGE_TAG`, `IMAGE_REVISION`, `IMAGE_BUILDER` and `IMAGE_FLAGS`.

    Raises:
        SystemExit: There is no builder, or the tag is `latest`.
    """
    builder = environ.get("IMAGE_BUILDER") or next(
        filter(shutil.which, ("buildah", "docker")), None
    )
    if builder is None:
        sys.exit("neither buildah nor docker is installed; e.g. apt-get install buildah")
    tag = environ.get("IMAGE_TAG") or version("tenantry")
    if tag == "latest":
        sys.exit("IMAGE_TAG: latest names another image tomorrow; write a version")
    return Build(
        builder,
        environ.get("IMAGE_REGISTRY") or "tenantry",
        tag,
        environ.get("IMAGE_REVISION") or "unknown",
        shlex.split(environ.get("IMAGE_FLAGS", "")),
    )


def main(targets: Sequence[str]) -> None:
    """Build the targets named, or all of them."""
    build = read_build()
    for target in targets or TARGETS:
        subprocess.run(build.command(target), cwd=ROOT, check=True)  # noqa: S603 - ours
        sys.stdout.write(f"{build.name(target)}; its bill of materials: {SBOM}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
