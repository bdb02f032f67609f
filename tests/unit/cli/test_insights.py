import json

import pytest
import typer
from typer.testing import CliRunner

from tenantry import layout
from tenantry.cli.insights import insights
from tenantry.errors import RegistryError, SpecError
from tenantry.monitoring.judgements import write_judgement
from tests.unit.insights.told import AS_OF, WINDOWS, make_insights, make_rows, spec_of
from tests.unit.memory_store import MemoryStore
from tests.unit.report.made_fleet import make_judgement

app = typer.Typer()
app.command()(insights)
NAMES = ("ua", "aa", "b6", "dl", "us", "vx", "wn")


class Fleet:
    product = "arrival-delay"

    def __init__(self, shared):
        comparable = {"comparable": True}
        self.specs = {
            name: spec_of(tenant=name, insights=comparable if name in shared else {})
            for name in NAMES
        }


@pytest.fixture(scope="module")
def told():
    return make_insights(make_rows(each_day=20), spec=spec_of(insights={"comparable": True}))


@pytest.fixture
def run(monkeypatch, told):
    store, fleet = MemoryStore(), Fleet(NAMES)
    for name in NAMES:
        judgement = make_judgement(name, WINDOWS[0], status="ok")
        write_judgement(store, judgement.model_copy(update={"product": "arrival-delay"}))
        key = layout.insights("arrival-delay", name, WINDOWS[0])
        store.put(key, told.model_copy(update={"tenant": name}).to_json())
    monkeypatch.setattr("tenantry.cli.insights.load_product", lambda *_, **__: call.fleet)
    monkeypatch.setattr("tenantry.cli.insights.store_of", lambda *_: store)

    def call(*arguments):
        done = CliRunner().invoke(app, ["arrival-delay", *arguments])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.output

    call.fleet, call.store = fleet, store
    return call


def test_it_is_told_in_sentences(run):
    text = " ".join(run("ua").split())
    assert "arrival-delay/ua: arrives more than 15 minutes late, as of 2013-12-10" in text
    for words in ("How good", "Acting", "Where", "Drivers", "Others", "6 comparable tenants"):
        assert words in text


def test_json_and_page_go_to_a_file_or_are_printed(run, tmp_path):
    told = json.loads(run("ua", "--output", "json"))
    assert told["peers"]["tenants"] == 6
    assert run("ua", "-o", "html").startswith("<!DOCTYPE html>")
    file = tmp_path / "ua.html"
    assert run("ua", "-o", "html", "--out", str(file)).split() == [str(file)]
    assert "How do others fare?" in file.read_text()


@pytest.mark.parametrize("shared", [NAMES[1:], NAMES[:5]])
def test_who_does_not_allow_it_by_now_is_not_compared(run, shared):
    run.fleet = Fleet(shared)
    assert json.loads(run("ua", "-o", "json"))["peers"] is None


def test_who_is_retired_is_not_compared(run):
    for name in NAMES[5:]:
        shared = {"insights": {"comparable": True}}
        run.fleet.specs[name] = spec_of(tenant=name, state="retired", **shared)
    assert json.loads(run("ua", "-o", "json"))["peers"] is None


def test_nothing_later_is_told(run):
    with pytest.raises(RegistryError, match="no run has judged a window of it so far"):
        run("ua", "--as-of", "2013-12-09")
    assert run("ua", "--as-of", f"{AS_OF:%Y-%m-%d}")


def test_a_tenant_that_there_is_not_is_told(run):
    with pytest.raises(SpecError, match="no such tenant"):
        run("xx")
