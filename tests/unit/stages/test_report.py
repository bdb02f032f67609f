import csv
import subprocess
import sys

import pytest

from tenantry import layout
from tenantry.settings import load_settings
from tenantry.stages.report import report
from tests.servers.webhook import webhook_running
from tests.unit.memory_store import MemoryStore
from tests.unit.report.made_fleet import PRODUCT, RUN, make_fleet


def test_page_markdown_and_figures_of_a_run():
    store = make_fleet()
    made = report(RUN, "FAILED", PRODUCT, store)
    assert store.get(layout.fleet_report(RUN)).content.decode() == made.page
    assert store.get(layout.fleet_summary(RUN)).content.decode() == made.markdown
    assert made.page.startswith("<!DOCTYPE html>")
    assert made.markdown.startswith("# Flights that arrive")
    assert (made.metrics["failed"], made.metrics["unknown"]) == (2, 2)
    assert all(isinstance(value, int | float) for value in made.metrics.values())


def test_what_a_run_cost_each_tenant_is_on_the_page_and_in_a_file():
    store = make_fleet()
    page = report(RUN, "SUCCEEDED", PRODUCT, store).page
    lines = list(csv.DictReader(store.get(layout.bill(RUN)).content.decode().splitlines()))
    assert [one["tenant"] for one in lines] == sorted(one["tenant"] for one in lines)
    assert sum(float(one["share"]) for one in lines) == pytest.approx(1.0, abs=1e-4)
    assert page.count("its part of what is done for all") == len(lines)
    assert 'href="bill.csv"' in page


def test_a_run_in_which_nothing_was_due_leaves_nothing():
    store = make_fleet()
    before = dict(store.objects)
    made = report("next", "SUCCEEDED", PRODUCT, store)
    assert "Nothing was due" in made.page
    assert store.objects == before


def test_a_plan_that_did_not_finish_is_kept():
    store = MemoryStore()
    made = report("next", "FAILED", PRODUCT, store)
    assert "The plan did not finish" in made.markdown
    left = (layout.fleet_report, layout.fleet_summary, layout.fleet_metrics)
    assert set(store.objects) == {key("next") for key in left}
    metrics = store.get(layout.fleet_metrics("next")).content.decode()
    assert f'tenantry_run_bad{{product="{PRODUCT}",region=""}} 1.0' in metrics


@pytest.mark.parametrize("product", ["", PRODUCT])
def test_it_never_fails_for_want_of_a_plan(product):
    assert report("next", "FAILED", product, MemoryStore()).metrics["tenants"] == 0


@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("sessions", [True, False])
def test_it_says_where_workers_can_read_the_runs_credentials(monkeypatch, apart, sessions):
    monkeypatch.setattr("tenantry.store.open.keeps_apart", lambda: apart)
    monkeypatch.setattr("tenantry.store.open.gives_sessions", lambda store: sessions)
    made = report(RUN, "SUCCEEDED", PRODUCT, make_fleet())
    for text in (made.page, made.markdown):
        assert ("workers can read the run" in text) is (sessions and not apart)


def test_reporting_needs_no_pandas():
    code = "import sys, tenantry.stages.report; sys.exit('pandas' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_run_is_left_in_figures():
    store = make_fleet()
    report(RUN, "SUCCEEDED", "", store)
    text = store.get(layout.fleet_metrics(RUN)).content.decode()
    assert 'tenantry_tenants{product="arrival-delay",region="",state="failed"} 2.0' in text
    assert text.endswith("# EOF\n")


@pytest.fixture
def gateway(tmp_path):
    file = tmp_path / "connections.yaml"
    file.write_text("connections:\n  gateway: {url: '${GATEWAY}'}\n")
    with webhook_running() as running:
        environ = {"TENANTRY_CONNECTIONS": str(file), "TENANTRY_PUSHGATEWAY": "gateway"}
        yield running, load_settings(environ | {"GATEWAY": running.url})


@pytest.mark.parametrize(("status", "bad"), [("FAILED", 1), ("SUCCEEDED", 0)])
def test_a_run_without_a_plan_pushes_that_it_was_and_how(gateway, status, bad):
    running, settings = gateway
    report("next", status, PRODUCT, MemoryStore(), settings, "eu")
    assert running.puts == []
    ((path, content),) = running.adds
    assert path.endswith(f"/product/{PRODUCT}/region/eu")
    assert f'tenantry_run_bad{{product="{PRODUCT}",region="eu"}} {bad}.0' in content
    assert "tenantry_reported_seconds" in content


def test_a_report_that_is_repeated_takes_no_later_runs_figures_away(gateway):
    running, settings = gateway
    store = make_fleet(weeks=0)
    report(RUN, "SUCCEEDED", "", store, settings)
    again = report(RUN, "SUCCEEDED", "", store, settings)
    assert len(running.puts) == 1
    assert "Metrics were pushed to gateway before." in again.page


def test_a_gateway_that_cannot_be_had_is_told_and_stops_nothing():
    settings = load_settings({"TENANTRY_PUSHGATEWAY": "nowhere"})
    page = report(RUN, "SUCCEEDED", "", make_fleet(), settings).page
    assert "Metrics were not pushed to nowhere" in page


def test_workers_that_share_the_runs_credentials_are_told_of(monkeypatch):
    store = make_fleet()
    monkeypatch.setattr(store, "url", "s3+https://host/bucket")
    made = report(RUN, "FAILED", PRODUCT, store)
    assert '<p class="verdict fair">The tenants&#39; workers used the run' in made.page
    assert "which reach every tenant" in made.markdown
