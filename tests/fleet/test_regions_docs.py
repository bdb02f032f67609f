"""The commands of `docs/regions.md` do what the page says."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fleet.conftest import write_landing

pytestmark = pytest.mark.slow

COMMANDS = Path("docs/regions.md").read_text().split("## Try it")[1].split("```sh\n")[1]
PAGE_SCRIPT = "set -euo pipefail\n" + COMMANDS.split("```")[0]


@pytest.fixture
def checkout(tmp_path, landing, small_flights):
    """A folder that looks like a checkout after `make setup demo-data`: its airlines' flights."""
    shutil.copytree("tenant_specs", tmp_path / "tenant_specs")
    write_landing(tmp_path / "demo/landing", landing, small_flights, None)
    command = tmp_path / "bin/tenantry"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tenantry "$@"\n')
    command.chmod(0o755)
    return tmp_path


def test_the_commands_give_each_region_its_own(checkout):
    here = Path.cwd()
    environ = {name: it for name, it in os.environ.items() if not name.startswith("TENANTRY_")}
    environ |= {
        "PATH": f"{checkout / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": f"{here / 'src'}:{here}",
    }
    done = subprocess.run(
        ["bash", "-c", PAGE_SCRIPT],
        cwd=checkout,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    stores = checkout / "try/stores"
    held = {
        region: sorted(path.name for path in (stores / region).glob("tenants/arrival-delay/*"))
        for region in ("east", "west")
    }
    assert held == {"east": ["fl", "ha"], "west": ["f9", "oo"]}
    pools = [
        sorted(path.name for path in (stores / region).glob("products/*/pooled/america/2013*"))
        for region in ("east", "west")
    ]
    assert pools[0] == pools[1] != []
    assert "region east, residency america" in done.stdout
