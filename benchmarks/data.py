"""Fetch the benchmark's larger data set by package name: `make bench-data`."""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.servers.minio import cache_folder

PACKAGE = "vega-datasets@3.2.1"
MEMBER = "package/data/flights-3m.parquet"
SHA256 = "dbeb920c90f59b6ccaff823dcc3d08f25a97fa1ce128d93f40be4e931f5900b0"


def flights_3m() -> Path:
    """Return where the file of three million flights lies, fetched or not."""
    return cache_folder() / "data" / Path(MEMBER).name


def fetch() -> Path:
    """Fetch the file with npm, unless it is there.

    Raises:
        ValueError: The package holds another file than it did.
    """
    place = flights_3m()
    if place.exists():
        return place
    npm = shutil.which("npm")
    if npm is None:
        msg = f"npm is not there; install Node.js, or put {MEMBER} of {PACKAGE} at {place}"
        raise FileNotFoundError(msg)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([npm, "pack", "--silent", PACKAGE], cwd=folder, check=True)  # noqa: S603
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as file:
            file.extract(MEMBER, folder, filter="data")
        found = Path(folder) / MEMBER
        if hashlib.sha256(found.read_bytes()).hexdigest() != SHA256:
            msg = f"{PACKAGE}: {MEMBER} is not the file that it was"
            raise ValueError(msg)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(found, place)
    return place


if __name__ == "__main__":
    sys.stdout.write(f"{fetch()}\n")
