"""The notebook under docs/ runs as it stands, and what is kept of it names no machine."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOK = Path("docs/workbench.ipynb")


def outputs(path):
    """What each cell printed: kind of output and, of streams, which."""
    cells = json.loads(path.read_text())["cells"]
    return [
        [(one["output_type"], one.get("name", "")) for one in cell.get("outputs", [])]
        for cell in cells
    ]


@pytest.mark.slow
def test_it_runs_from_top_to_bottom(landing, tmp_path):
    (tmp_path / "landing").symlink_to(landing)
    (tmp_path / "specs").mkdir()
    connections = Path("tenant_specs/connections.yaml").read_text()
    file = tmp_path / "specs/connections.yaml"
    file.write_text(connections.replace("../demo/landing", "../landing"))
    out = tmp_path / "ran.ipynb"
    command = [sys.executable, "-m", "tools.run_notebook", str(NOTEBOOK), "--out", str(out)]
    environ = os.environ | {"TENANTRY_CONNECTIONS": str(file)}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environ)
    assert done.returncode == 0, done.stderr[-3000:]
    assert outputs(out) == outputs(NOTEBOOK)


def test_what_is_kept_is_small_and_names_neither_machine_nor_time():
    text = NOTEBOOK.read_text()
    assert len(text) < 60_000
    assert re.findall(r"/(?:tmp|home|root|work|Users)/", text) == []
    notebook = json.loads(text)
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert [cell["metadata"] for cell in notebook["cells"] if cell["metadata"]] == []
    assert not any(
        kind == "error" or name == "stderr" for cell in outputs(NOTEBOOK) for kind, name in cell
    )
    assert all(cell["outputs"] for cell in notebook["cells"] if cell["cell_type"] == "code")
