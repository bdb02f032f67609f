"""Write what follows from the rest of the repository: `make render`; `--check` only compares."""

import sys
from pathlib import Path

from tools.rendering.files import render

ROOT = Path(__file__).parents[1]


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Write the files, or name those that are stale; return the exit code."""
    stale = 0
    for path, text in render(root).items():
        file = root / path
        if file.exists() and file.read_text(encoding="utf-8") == text:
            continue
        if "--check" in arguments:
            stale += 1
            sys.stdout.write(f"{path} is stale; run: make render\n")
        else:
            file.write_text(text, encoding="utf-8")
            sys.stdout.write(f"{path}\n")
    return min(stale, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
