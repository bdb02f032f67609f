"""Build what the cluster's tests run against; names of programs as arguments, all without."""

import sys

from tests.servers.kubernetes.programs import PACKAGES, install_program


def main(names: list[str]) -> None:
    """Build those named, or all, and say where they are."""
    for name in names or PACKAGES:
        sys.stdout.write(f"{name} (built once): ")
        sys.stdout.flush()
        sys.stdout.write(f"{install_program(name)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
