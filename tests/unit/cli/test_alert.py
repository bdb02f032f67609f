import json

import pytest
import typer
from typer.testing import CliRunner

from tenantry.cli.alert import alert
from tenantry.errors import SettingsError
from tenantry.store.folder import FolderStore
from tests.servers.webhook import webhook_running
from tests.unit.report.made_fleet import PRODUCT, RUN, make_fleet

app = typer.Typer()
app.command()(alert)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("store")
    make_fleet(FolderStore(path), rows={"vx": 400, "ua": 900}, failing=False, weeks=0)
    return path


def run(folder, *arguments, **environ):
    environ = {"TENANTRY_STORE": folder.as_uri()} | environ
    return CliRunner().invoke(app, [PRODUCT, *arguments], env=environ)


def test_a_dry_run_shows_the_message_and_sends_nothing(folder):
    shown = run(folder, RUN, "--dry-run")
    assert shown.exit_code == 0
    assert "🔴 *vx*" in json.loads(shown.output)["text"]


def test_a_run_that_did_nothing_has_nothing_to_alert_of(folder):
    assert run(folder, "next", "--dry-run").output == "next: nothing to alert of\n"


def test_without_a_webhook_it_says_what_is_missing(folder):
    assert isinstance(run(folder, RUN).exception, SettingsError)


def test_it_sends(folder, tmp_path):
    file = tmp_path / "connections.yaml"
    file.write_text("connections:\n  people: {url: '${HOOK}'}\n")
    with webhook_running() as webhook:
        environ = {"TENANTRY_CONNECTIONS": str(file), "TENANTRY_WEBHOOK": "people"}
        sent = run(folder, RUN, HOOK=webhook.url, **environ)
    assert sent.output == "sent to people\n"
    assert len(webhook.messages) == 1
