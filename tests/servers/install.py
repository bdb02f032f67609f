"""Install what the tests run against: PostgreSQL, Chromium and promtool from Debian, MinIO built.

Does nothing where all are there, and needs no package but the standard library: it may run while
the virtual environment is made. The fixtures would build MinIO too, but install no package; here
the slow part is done before the tests' own time limits apply.
"""

import sys

from tests.servers.chromium import install_chromium
from tests.servers.minio import cache_folder, install_minio
from tests.servers.postgres import install_postgres
from tests.servers.promtool import install_promtool


def main() -> None:
    """Install them and say where they are."""
    sys.stdout.write(f"PostgreSQL: {install_postgres()}\n")
    sys.stdout.write(f"Chromium: {install_chromium()}\n")
    sys.stdout.write(f"promtool: {install_promtool() or 'none'}\n")
    sys.stdout.write("MinIO (built once, some minutes): ")
    sys.stdout.flush()
    sys.stdout.write(f"{install_minio(cache_folder() / 'bin')}\n")


if __name__ == "__main__":
    main()
