"""A command line in a folder of its own, over raw files of a small shop platform."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from tenantry.cli.app import app
from tests.unit.onboarding.orders import ASKED, make_orders


@dataclass
class Desk:
    """Where onboarding is tried.

    Attributes:
        home: Holds raw files, specs and store.
    """

    home: Path

    @property
    def specs(self):
        return self.home / "specs"

    def run(self, *arguments, **environment):
        """Run a command; what it says and how it ends."""
        environ = {
            "TENANTRY_SPECS": str(self.specs),
            "TENANTRY_STORE": (self.home / "store").as_uri(),
            "TENANTRY_CONNECTIONS": None,
            "COLUMNS": "300",
        }
        return CliRunner().invoke(app, list(arguments), env=environ | environment)

    def onboard(self, tenant, *arguments, product="orders", asked=ASKED, **environment):
        return self.run("onboard", product, tenant, *asked, *arguments, **environment)

    def write(self, name, content):
        """Write a raw file; return its path."""
        path = self.home / "raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, pd.DataFrame):
            content = content.to_csv(index=False)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def files(self):
        """Every file below home but the raw ones, with its content."""
        found = (path for path in self.home.rglob("*") if path.is_file())
        return {path: path.read_bytes() for path in found if "raw" not in path.parts}


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


@pytest.fixture(scope="session")
def orders():
    return make_orders()
