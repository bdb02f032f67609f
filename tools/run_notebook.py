"""Run a notebook from top to bottom and write it with what it printed: `make notebook`.

What would differ from run to run or from machine to machine is left out: times, versions, counters
of the kernel. The store is an empty one, so that what stands in the notebook follows from it alone.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

SECONDS = 300
"""A cell that takes longer is stuck."""


def main(arguments: list[str] | None = None) -> int:
    """Run the notebook; one that fails ends in its error and is not written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--out", type=Path, help="where to write it; over itself when absent")
    chosen = parser.parse_args(arguments)
    notebook = nbformat.read(chosen.notebook, as_version=4)  # type: ignore[no-untyped-call]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TENANTRY_STORE"] = Path(folder).resolve().as_uri()
        NotebookClient(notebook, timeout=SECONDS, record_timing=False).execute(cwd=str(Path.cwd()))
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
        cell.metadata = {}
    text = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    (chosen.out or chosen.notebook).write_text(f"{text}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
