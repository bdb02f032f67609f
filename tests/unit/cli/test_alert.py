import json

import pytest
import typer
from typer.testing import CliRunner

from tenantry import layout
from tenantry.cli.alert import alert
from tenantry.errors import SettingsError
from tenantry.plans import RunPlan
from tenantry.store.folder import FolderStore
from tests.servers.webhook import webhook_running
from tests.unit.report.made_fleet import AS_OF, PRODUCT, RUN, make_fleet

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


def test_a_run_that_went_well_has_nothing_to_alert_of(tmp_path):
    plan = RunPlan(run="quiet", product=PRODUCT, title="", as_of=AS_OF, shards=(), tenants={})
    FolderStore(tmp_path).put(layout.plan("quiet"), plan.to_json())
    assert run(tmp_path, "quiet", "--dry-run").output == "quiet: nothing to alert of\n"


def test_a_run_that_nobody_knows_is_an_error_that_names_those_there_are(folder):
    error = run(folder, "nosuch", "--dry-run").exception
    assert isinstance(error, SettingsError)
    assert "'nosuch' left nothing in the store" in str(error)
    assert RUN in str(error)


def test_no_product_gets_the_alerts_of_another(folder):
    environ = {"TENANTRY_STORE": folder.as_uri()}
    error = CliRunner().invoke(app, ["others", RUN, "--dry-run"], env=environ).exception
    assert isinstance(error, SettingsError)
    assert f"is a run of {PRODUCT}, not of others" in str(error)


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
