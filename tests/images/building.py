"""Build images with buildah in a storage of the tests' own; look into them."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.images.install import base_archive
from tests.manifests.documents import ROOT
from tools.images import Build

BASE = "localhost/tenantry-base:bookworm"


@dataclass(frozen=True)
class Buildah:
    """Buildah with a storage below `folder`; no daemon, no overlay file system, no namespaces."""

    folder: Path

    def run(self, *arguments: str, check: bool = True) -> str:
        """Run a command of buildah's; return what it prints."""
        done = subprocess.run(
            ["buildah", *arguments],
            env=self.env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, f"{arguments}: {done.stderr[-3000:]}"
        return done.stdout.strip()

    @property
    def env(self) -> dict[str, str]:
        """Its environment."""
        places = {
            "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
            "TMPDIR": str(self.folder),
        }
        return {**os.environ, **places, "STORAGE_DRIVER": "vfs", "BUILDAH_ISOLATION": "chroot"}

    def prepare(self) -> None:
        """Make the storage and put the base into it, where it is new."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "storage.conf").write_text(
            f'[storage]\ndriver = "vfs"\n'
            f'graphroot = "{self.folder}/graph"\nrunroot = "{self.folder}/run"\n'
        )
        if self.run("images", "--quiet", BASE, check=False):
            return
        container = self.run("from", "scratch")
        self.run("add", container, str(base_archive()), "/")
        self.run("commit", "--rm", container, BASE)

    def find(self, target: str) -> str:
        """Return the name of a target that is built already; empty when it is not."""
        name = self._build.name(target)
        return name if self.run("images", "--quiet", name, check=False) else ""

    def build(self, target: str) -> str:
        """Build a target as `make images` does; return its name."""
        self.run(*self._build.command(target)[1:])
        return self._build.name(target)

    @property
    def _build(self) -> Build:
        certificates = "/etc/ssl/certs"
        flags = (
            f"--build-arg=PYTHON_IMAGE={BASE}",
            f"--volume={certificates}:{certificates}:ro",
            "--pull=never",
        )
        return Build("buildah", "localhost/tenantry", "tests", "0000000", flags)

    def config(self, image: str) -> dict[str, Any]:
        """Return an image's configuration, as OCI calls it."""
        found: dict[str, Any] = json.loads(self.run("inspect", "--type=image", image))
        return found["OCIv1"]["config"]
