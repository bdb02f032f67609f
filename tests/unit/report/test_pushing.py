import pytest
from prometheus_client import CollectorRegistry, Gauge

from tenantry.report.pushing import push_metrics
from tenantry.settings import load_settings
from tests.servers.processes import free_port
from tests.servers.webhook import webhook_running


@pytest.fixture
def gateway():
    with webhook_running() as running:
        yield running


@pytest.fixture
def registry():
    made = CollectorRegistry()
    Gauge("tenantry_run_bad", "Bad.", registry=made).set(1)
    return made


def settings(tmp_path, url, name="gateway"):
    file = tmp_path / "connections.yaml"
    file.write_text("connections:\n  gateway: {url: '${GATEWAY}'}\n")
    environ = {"TENANTRY_CONNECTIONS": str(file), "TENANTRY_PUSHGATEWAY": name}
    return load_settings(environ | ({"GATEWAY": url} if url else {}))


def push(registry, found, **region):
    group = {"product": "arrival-delay"} | region
    return push_metrics(registry, found, group, first_wait=0)


@pytest.mark.parametrize(("region", "group"), [({}, ""), ({"region": "eu"}, "/region/eu")])
def test_figures_take_the_place_of_those_of_the_run_before(
    tmp_path, gateway, registry, region, group
):
    assert push(registry, settings(tmp_path, gateway.url), **region) == ""
    ((path, content),) = gateway.puts
    assert path.endswith(f"/metrics/job/tenantry/product/arrival-delay{group}")
    assert "tenantry_run_bad 1.0" in content


def test_what_a_run_says_nothing_of_may_stay(tmp_path, gateway, registry):
    found = settings(tmp_path, gateway.url)
    assert push_metrics(registry, found, {"product": "p"}, whole=False) == ""
    assert gateway.puts == []
    ((_, content),) = gateway.adds
    assert "tenantry_run_bad 1.0" in content


def test_without_a_gateway_nothing_is_pushed(tmp_path, gateway, registry):
    assert push(registry, settings(tmp_path, gateway.url, name="")) == ""
    assert gateway.puts == []


def test_what_may_pass_is_tried_again(tmp_path, gateway, registry):
    gateway.answers[:] = [503, 500]
    assert push(registry, settings(tmp_path, gateway.url)) == ""
    assert len(gateway.puts) == 3


@pytest.mark.parametrize("case", ["refused", "nobody", "unset", "unknown"])
def test_a_push_that_fails_is_told_and_no_secret_with_it(tmp_path, gateway, registry, case):
    gateway.answers[:] = [400] * 9
    nobody = f"http://127.0.0.1:{free_port()}/secret-token"
    url = {"nobody": nobody, "unset": ""}.get(case, gateway.url)
    said = push(registry, settings(tmp_path, url, "other" if case == "unknown" else "gateway"))
    assert said.startswith("Metrics were not pushed to ")
    assert "secret-token" not in said
