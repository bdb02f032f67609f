"""Build the environment that the tests' Airflow runs in, once for each state of its lock file."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tenantry.digests import sha256
from tests.servers.minio import cache_folder

LOCK = Path("requirements/airflow.lock")


def environment_folder() -> Path:
    """Return where the environment of this lock file is, or will be."""
    return cache_folder() / "airflow" / sha256(LOCK.read_bytes())[:12]


def airflow_program() -> Path:
    """Return the `airflow` command, whether it is there or not."""
    return environment_folder() / "bin" / "airflow"


def is_built() -> bool:
    """Whether the environment is whole."""
    return (environment_folder() / "ready").exists()


def install_airflow() -> Path:
    """Build the environment where it is missing; return the `airflow` command."""
    folder = environment_folder()
    if not is_built():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
        python = str(folder / "bin" / "python")
        command = [uv, "pip", "sync", "-q", "--python", python, "--require-hashes", str(LOCK)]
        subprocess.run(command, check=True, env={**os.environ, "UV_LINK_MODE": "copy"})
        (folder / "ready").touch()
    return airflow_program()


if __name__ == "__main__":
    sys.stdout.write(f"Airflow (built once, a minute): {install_airflow()}\n")
