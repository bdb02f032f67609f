"""`tenantry card` writes the page that the gate left, or makes one."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tenantry.cli.app import app
from tenantry.errors import TenantryError
from tenantry.report.model_card import card_page_key
from tenantry.store.folder import FolderStore
from tests.unit.stored_tenant import PRODUCT, StoredTenant
from tests.unit.tiny_fleet import AS_OF


@pytest.fixture
def stored(tmp_path):
    shutil.copytree("tenant_specs", tmp_path / "tenant_specs")
    return StoredTenant(FolderStore(tmp_path / "store"))


def run(stored, *arguments):
    home = Path(stored.store.url.removeprefix("file://")).parent
    environment = {
        "TENANTRY_STORE": stored.store.url,
        "TENANTRY_SPECS": str(home / "tenant_specs"),
    }
    return CliRunner().invoke(app, ["card", PRODUCT, *arguments], env=environment)


def test_the_champions_page_is_the_one_that_the_gate_left(stored, tmp_path):
    version = stored.train(AS_OF)
    stored.store.put(card_page_key(PRODUCT, "ua", version), b"<p>as it was")
    out = tmp_path / "ua.html"
    result = run(stored, "ua", "--out", str(out))
    assert (result.exit_code, result.output) == (0, f"{out}\n")
    assert out.read_bytes() == b"<p>as it was"


def test_a_model_without_a_page_gets_one_by_todays_spec(stored, tmp_path):
    champion = stored.train(AS_OF)
    kept = stored.train(AS_OF, promoted=False, turn=1)
    assert kept != champion
    out = tmp_path / "kept.html"
    assert run(stored, "ua", "--version", kept, "--out", str(out)).exit_code == 0
    page = out.read_text()
    assert kept in page
    assert "arrives more than 15 minutes late" in page


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("ux",), "has no such tenant"),
        (("ua",), "ua of arrival-delay has no champion"),
        (("ua", "--version", "20130101T000000Z-abc"), "missing; train again or restore it"),
    ],
)
def test_what_cannot_be_shown_is_told(stored, arguments, fault):
    result = run(stored, *arguments)
    assert isinstance(result.exception, TenantryError)
    assert fault in str(result.exception)
