"""Install buildah and debootstrap from Debian, and make a base that stands in for Python's own.

The base is Debian bookworm with its Python 3.11, made once into the cache: the official image is
that, too, with a Python of its own. The tests hand it to `images/Dockerfile` as PYTHON_IMAGE.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.servers.minio import cache_folder

PACKAGES = ("buildah", "debootstrap")
INCLUDED = "python3,python3-venv,python3-pip,ca-certificates"
SUITE = "bookworm"


def install_packages() -> None:
    """Install what is missing.

    Raises:
        RuntimeError: Something is, and this is not root on Debian.
    """
    missing = [name for name in PACKAGES if shutil.which(name) is None]
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        msg = f"{' and '.join(missing)} missing; as root: apt-get install {' '.join(missing)}"
        raise RuntimeError(msg)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    quiet = ["-q", "-y", "--no-install-recommends"]
    subprocess.run(["apt-get", "update", "-q"], check=True, env=env)
    subprocess.run(["apt-get", "install", *quiet, *missing], check=True, env=env)


def base_archive() -> Path:
    """Return where the base's archive is, or would be."""
    return cache_folder() / "images" / f"{SUITE}-python.tar"


def make_base() -> Path:
    """Return the base as an archive; make it when it is not there."""
    archive = base_archive()
    archive.parent.mkdir(parents=True, exist_ok=True)
    with (archive.parent / "base.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not archive.exists():
            _bootstrap(archive)
    return archive


def _bootstrap(archive: Path) -> None:
    root, part = archive.with_suffix(".root"), archive.with_suffix(".part")
    shutil.rmtree(root, ignore_errors=True)
    command = ["debootstrap", "--variant=minbase", f"--include={INCLUDED}", SUITE, str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        msg = f"{command} failed:\n{done.stdout[-3000:]}"
        raise RuntimeError(msg)
    shutil.rmtree(root / "var/cache/apt", ignore_errors=True)
    shutil.rmtree(root / "var/lib/apt/lists", ignore_errors=True)
    subprocess.run(["tar", "-C", str(root), "-cf", str(part), "."], check=True)
    shutil.rmtree(root)
    part.replace(archive)


if __name__ == "__main__":
    install_packages()
    sys.stdout.write(f"base: {make_base()}\n")
