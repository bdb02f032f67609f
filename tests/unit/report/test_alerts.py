from dataclasses import replace

import pytest

from tenantry import layout
from tenantry.fleet import FleetState, read_fleet
from tenantry.report.alerts import make_alert
from tenantry.settings import load_settings
from tenantry.stages.report import report
from tests.servers.webhook import webhook_running
from tests.unit.memory_store import MemoryStore
from tests.unit.report.made_fleet import PRODUCT, RUN, make_fleet
from tests.unit.report.test_alarms import member


def alert(state, status="SUCCEEDED", **environ):
    return make_alert(state, status, load_settings(environ))


def fleet(*members):
    return FleetState("run-1", "arrival-delay", None, members)


def test_nothing_to_alert_of_is_no_message():
    assert alert(fleet(member("aa"))) is None


def test_the_worst_come_first_and_the_rest_is_counted():
    bad = [member(f"t{n:02}", status="decayed", realised=0.5 + n / 100) for n in range(14)]
    lines = alert(fleet(*bad))["text"].split("\n")
    assert lines[0] == "*arrival-delay: run run-1*"
    assert lines[2].startswith("🔴 *t13* (2013-10-01 to 2013-10-08): decayed.")
    assert lines[-2:] == ["… and 4 more.", "The fleet's page: `runs/run-1/report.html`"]


def test_blocks_say_what_the_text_says_within_slacks_limits():
    message = alert(read_fleet(make_fleet(), RUN), "FAILED")
    header, *sections, context = message["blocks"]
    said = [one["text"]["text"] for one in sections] + [context["elements"][0]["text"]]
    assert message["text"].split("\n")[1:] == said
    assert header["text"]["type"] == "plain_text"
    assert len(message["blocks"]) <= 50
    assert all(len(text) <= 3000 for text in said)


def test_a_link_leads_to_the_page_where_the_platform_says_where_pages_are():
    bad = fleet(member("aa", status="decayed"))
    text = alert(bad, TENANTRY_PAGES="https://pages.example/store/")["text"]
    assert text.endswith("<https://pages.example/store/runs/run-1/report.html|The fleet's page>")


def test_text_of_others_is_no_mention_link_or_markup():
    one = member("aa", status="decayed")
    words = "<!channel> <https://x.example|click> & *bold* `code` \x1b[31m\n# x"
    changed = one.ran.model_copy(update={"sentence": words + "y" * 5000})
    text = alert(fleet(replace(one, ran=changed)))["text"]
    assert "&lt;!channel&gt; &lt;https://x.example|click&gt; &amp; " in text
    assert "*bold*" not in text
    assert "\x1b" not in text
    assert len(text.split("\n")) == 4
    assert len(text) < 1000


# --- sent by the report -------------------------------------------------------------------------


@pytest.fixture
def webhook():
    with webhook_running() as running:
        yield running


@pytest.fixture
def settings(tmp_path, webhook):
    file = tmp_path / "connections.yaml"
    file.write_text("connections:\n  people: {url: '${HOOK}'}\n")
    environ = {"TENANTRY_CONNECTIONS": str(file), "HOOK": webhook.url}
    return load_settings(environ | {"TENANTRY_WEBHOOK": "people"})


def test_a_run_sends_its_alerts_once(webhook, settings):
    store = make_fleet()
    first = report(RUN, "FAILED", PRODUCT, store, settings)
    again = report(RUN, "FAILED", PRODUCT, store, settings)
    assert len(webhook.messages) == 1
    assert "Of 16 tenants with work due, 2 failed" in webhook.messages[0]["text"]
    assert "Alerts were sent to people." in first.page
    assert "Alerts were sent to people." in first.markdown
    assert "Alerts were sent to people before." in again.page
    stored = b"".join(one.content for one in store.objects.values()).decode()
    assert "secret-token" not in stored


def test_a_webhook_that_fails_fails_no_run_and_is_told(webhook, settings):
    webhook.answers[:] = [404]
    store = make_fleet()
    made = report(RUN, "FAILED", PRODUCT, store, settings)
    words = "Alerts were not sent to people: the webhook answered 404; check its address."
    assert words in made.page
    assert store.find(layout.alerted(RUN)) is None
    report(RUN, "FAILED", PRODUCT, store, settings)
    assert len(webhook.messages) == 2, "the next report tries again"


def test_a_webhook_that_is_not_set_up_well_is_told(tmp_path):
    environ = {"TENANTRY_WEBHOOK": "people", "TENANTRY_CONNECTIONS": str(tmp_path / "none.yaml")}
    made = report(RUN, "FAILED", PRODUCT, make_fleet(), load_settings(environ))
    assert "Alerts were not sent to people: none.yaml" in made.page


def test_a_quiet_run_sends_nothing(webhook, settings):
    store = MemoryStore()
    made = report("next", "SUCCEEDED", PRODUCT, store, settings)
    assert webhook.messages == []
    assert "Alerts" not in made.page
    assert store.objects == {}
