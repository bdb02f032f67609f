import json

import pytest
import typer
from typer.testing import CliRunner

from tenantry.cli.status import status
from tenantry.crowning import crown
from tenantry.errors import SpecError
from tenantry.registry.orders import Order
from tenantry.registry.pins import pin
from tenantry.store.folder import FolderStore
from tests.unit.monitoring.watched import WINDOWS, make_receipt
from tests.unit.report.made_fleet import BEFORE, PRODUCT, make_fleet, make_reign

app = typer.Typer()
app.command()(status)


@pytest.fixture
def folder(tmp_path):
    store = make_fleet(FolderStore(tmp_path))
    receipt = make_receipt(WINDOWS[0])
    store.put(f"{receipt.folder}receipt.json", receipt.to_json())
    crown(store, PRODUCT, "gone", make_reign("gone", BEFORE, 0.4))
    return tmp_path


def run(folder, *arguments, **options):
    environment = {"TENANTRY_STORE": folder.as_uri(), "COLUMNS": "200"}
    return CliRunner().invoke(app, list(arguments), env=environment, **options)


def rows(folder, *arguments):
    result = run(folder, *arguments, "--output", "json")
    return {row["tenant"]: row for row in json.loads(result.stdout)}


def test_json_has_a_row_for_every_tenant(folder):
    found = rows(folder, PRODUCT, "--as-of", "2013-11-02")
    assert len(found) == 17
    assert found["ua"] == {
        "tenant": "ua",
        "state": "active",
        "region": found["ua"]["region"],
        "champion": "20131101T000000Z-uauauauauaua",
        "since": "2013-11-01T00:00:00Z",
        "recipe": "logistic",
        "orders": [],
        "unread": [],
        "last_window": WINDOWS[0].id,
        "judgement": "ok",
        "judged_window": WINDOWS[3].id,
        "sentence": found["ua"]["sentence"],
    }


def test_an_earlier_time_shows_what_stood_then(folder):
    earlier = rows(folder, PRODUCT, "--as-of", "2013-10-15")["ua"]
    assert earlier["champion"] == "20131001T000000Z-uauauauauaua"
    assert (earlier["last_window"], earlier["judgement"]) == (None, None)
    assert rows(folder, PRODUCT, "--as-of", "2013-09-01")["ua"]["champion"] is None


def test_a_tenant_that_only_the_store_knows_is_shown_without_a_spec(folder):
    assert rows(folder, PRODUCT)["gone"]["state"] == "no spec"


def test_the_table_is_for_people(folder):
    result = run(folder, PRODUCT, "--as-of", "2013-11-02")
    assert result.exit_code == 0
    assert "arrival-delay as of 2013-11-02T00:00:00Z" in result.output
    line = next(line for line in result.output.splitlines() if "│ vx " in line)
    for word in ("active", "20131101T000000Z-vxvxvxvxvxvx", "worse than promised"):
        assert word in line
    assert result.output.splitlines()[-1] == (
        "17 tenants: 16 active, 1 no spec; 16 with a champion."
    )


def test_a_narrow_terminal_shows_every_version_on_one_line(folder):
    arguments = [PRODUCT, "--as-of", "2013-11-02"]
    environment = {"TENANTRY_STORE": folder.as_uri(), "COLUMNS": "80"}
    result = CliRunner().invoke(app, arguments, env=environment)
    lines = result.output.splitlines()
    assert max(map(len, lines)) <= 80
    line = next(line for line in lines if line.strip().startswith("ua "))
    start = f"{WINDOWS[0].start:%Y-%m-%d}"
    assert line.split()[:6] == ["ua", "active", "uauauauauaua", "2013-11-01", "logistic", start]


def test_orders_of_people_are_told(folder):
    pin(FolderStore(folder), PRODUCT, "ua", order=Order("ann", "an audit", BEFORE))
    words = "is pinned to 20131101T000000Z-uauauauauaua by ann: an audit"
    assert rows(folder, PRODUCT)["ua"]["orders"] == [words]
    assert f"ua {words}." in run(folder, PRODUCT).output


def test_an_unknown_product_is_a_fault_with_a_remedy(folder):
    result = run(folder, "arival-delay")
    assert isinstance(result.exception, SpecError)
    assert "did you mean arrival-delay?" in str(result.exception)


def test_what_cannot_be_read_of_one_tenant_hides_no_other(folder):
    before = rows(folder, PRODUCT)
    FolderStore(folder).put(f"tenants/{PRODUCT}/ua/champion.json", b"{}")
    after = rows(folder, PRODUCT)
    lost = {"champion", "since", "recipe", "unread"}
    ua = after.pop("ua")
    assert {name for name, value in before["ua"].items() if ua[name] != value} == lost
    (told,) = ua["unread"]
    assert "ua/champion.json is not a Champion" in told
    assert after.items() < before.items()
    shown = run(folder, PRODUCT).stdout
    assert "unknown" in next(line for line in shown.splitlines() if "│ ua " in line)
    assert told in shown
