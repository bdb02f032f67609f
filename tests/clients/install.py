"""Build the environment of the clients that are not ours: KServe's, Triton's and schemathesis.

KServe needs an older pandas than Tenantry: its clients live by themselves, 300 MB in the cache.
"""

import subprocess
import sys
from pathlib import Path

from tests.servers.minio import cache_folder

PACKAGES = (
    "kserve==0.21.0",
    "scikit-learn==1.9.1",
    "tritonclient[http]==2.73.0",
)
FUZZER = ("schemathesis==4.32.5",)


def clients_python() -> Path:
    """Return the interpreter that has the clients, whether it is there or not."""
    return cache_folder() / "serving" / "kserve" / "bin" / "python"


def fuzzer_python() -> Path:
    """Return the interpreter that has schemathesis, whether it is there or not."""
    return cache_folder() / "serving" / "schemathesis" / "bin" / "python"


def install(python: Path, packages: tuple[str, ...]) -> None:
    """Build an environment, where it does not exist."""
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(python.parent.parent)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *packages], check=True)


def main() -> None:
    """Build both environments and say where they are."""
    for python, packages in ((clients_python(), PACKAGES), (fuzzer_python(), FUZZER)):
        install(python, packages)
        sys.stdout.write(f"{python}\n")


if __name__ == "__main__":
    main()
