"""Prometheus' own checker of rules, out of Debian's package: nothing of it is installed."""

import fcntl
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.servers.minio import cache_folder


def find_promtool() -> Path | None:
    """Return promtool: the machine's, or the one that was fetched; None when there is none."""
    fetched = cache_folder() / "bin" / "promtool"
    found = shutil.which("promtool")
    return Path(found) if found else fetched if fetched.exists() else None


def install_promtool() -> Path | None:
    """Return promtool; take it out of Debian's package where it is missing and apt is there."""
    if (known := find_promtool()) or not (shutil.which("apt-get") and shutil.which("dpkg")):
        return known
    target = cache_folder() / "bin" / "promtool"
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        (target.parent / "promtool.lock").open("w") as lock,
        tempfile.TemporaryDirectory() as folder,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(["apt-get", "update", "-q"], check=False)
        subprocess.run(["apt-get", "download", "-q", "prometheus"], cwd=folder, check=True)
        (package,) = Path(folder).glob("*.deb")
        subprocess.run(["dpkg", "-x", package, folder], check=True)
        shutil.move(Path(folder) / "usr/bin/promtool", target)
    return target
