"""`docs/tutorial.md` runs as it stands: a new product, from a raw file to a fleet, and a change."""

import json
import os
import re
import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tenantry.cli.app import app
from tenantry.specs.load import load_product
from tenantry.times import parse_moment
from tests.fleet.conftest import kept_environment
from tests.fleet.harness import FleetRun, Harness
from tools.make_tutorial_data import make_tutorial_data

PAGE = Path("docs/tutorial.md").read_text()
BLOCK = re.compile(r"^```(sh|yaml)\n(.*?)^```", re.MULTILINE | re.DOTALL)
TENANTS = ("atl", "bos", "lax", "mco", "ord")


@dataclass
class Reader:
    """Does what the page says, in a folder of its own and in this process.

    Attributes:
        home: Where the page's commands are given.
        said: Command → what it printed.
        runs: Logical time → the run.
        foretold: What `plan --diff` said, as JSON.
    """

    home: Path
    said: dict[str, str] = field(default_factory=dict)
    runs: dict[str, FleetRun] = field(default_factory=dict)
    foretold: dict = field(default_factory=dict)

    @property
    def fleet(self):
        specs = self.home / "air/specs"
        return Harness(
            self.home / "air",
            specs,
            specs / "connections.yaml",
            self.home / "air/store",
            product="air-time",
        )

    def read(self):
        for kind, text in BLOCK.findall(PAGE):
            if kind == "yaml":
                self.edit(text)
            else:
                for line in text.splitlines():
                    self.said[line] = self.do(line)

    def edit(self, text):
        """Put a block of YAML at the top of the product's features."""
        file = self.home / "air/specs/air-time/product.yaml"
        old = file.read_text()
        new = old.replace("features:\n", f"features:\n{text}", 1)
        assert new != old
        file.write_text(new)

    def do(self, line):
        words = shlex.split(os.path.expandvars(line))
        if words[:3] == ["python", "-m", "tools.make_tutorial_data"]:
            return str(make_tutorial_data(self.home / words[3]))
        if words[:4] == ["python", "-m", "pipelines", "run"]:
            return self.run(words[words.index("--as-of") + 1])
        if words[0] == "export":
            os.environ.update(word.split("=", 1) for word in words[1:])
            return ""
        if words[0] == "tenantry":
            result = CliRunner().invoke(app, words[1:], env={"COLUMNS": "240", "USER": "ann"})
            assert result.exit_code == 0, (line, result.output, result.exception)
            if "--diff" in words:
                self.foretold = json.loads(
                    CliRunner().invoke(app, [*words[1:], "-o", "json"]).output
                )
            return " ".join(result.output.split())
        shell = ["bash", "-c", line]
        return subprocess.run(shell, check=True, capture_output=True, text=True).stdout

    def run(self, as_of):
        self.runs[as_of] = self.fleet.run(as_of, f"run-{as_of}")
        return ""


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    home = tmp_path_factory.mktemp("tutorial")
    before = Path.cwd()
    with kept_environment():
        os.chdir(home)
        os.environ["PWD"] = str(home)
        made = Reader(home)
        try:
            made.read()
        finally:
            os.chdir(before)
    return made


def said(reader, command):
    (text,) = [text for line, text in reader.said.items() if line.startswith(command)]
    return text


def test_five_commands_make_five_tenants_of_two_lines_each(reader):
    commands = [line for line in reader.said if line.startswith("tenantry onboard")]
    assert sum("--yes" in line for line in commands) == 5
    files = Path(reader.home / "air/specs/air-time")
    lines = {path.stem: path.read_text().count("\n") for path in files.glob("*.yaml")}
    assert {name: lines[name] for name in ("atl", "mco", "ord")} == dict.fromkeys(
        ("atl", "mco", "ord"), 2
    )
    assert all("made for this estimate" in reader.said[line] for line in commands[2:])
    assert "worse for it than its own mean until it has learnt" in said(reader, commands[3])


def test_what_is_proposed_is_what_the_page_shows(reader):
    shown = reader.said[next(line for line in reader.said if "atl" in line and "--yes" not in line)]
    told = PAGE.split("```\nWhy\n")[1].split("```")[0]
    for cell in re.split(r" {2,}|\n", re.sub(r"\n {10,}", " ", told)):
        assert cell.strip() in shown


def test_the_first_run_gives_each_a_champion(reader):
    first = reader.runs["2013-10-01"]
    assert first.failures() == {}
    decisions = [first.entries[name].outcome("promote").message for name in TENANTS]
    assert all("of the pooled model and" in words for words in decisions)
    status = said(reader, "tenantry status air-time --as-of 2013-10-01")
    assert "5 tenants: 5 active; 5 with a champion." in status
    card = (reader.home / "air/lax.html").read_text()
    assert "air_time" in card


def test_the_change_does_what_was_foretold(reader):
    told = said(reader, "tenantry plan air-time --as-of 2013-10-08 --diff HEAD")
    assert "state: active → paused" in told
    assert "trained: its spec changed what a model is trained on" in told
    second = reader.runs["2013-10-08"]
    assert second.failures() == {}
    actions = {name: [due.action for due in one.due] for name, one in second.entries.items()}
    trained = {name for name, due in actions.items() if "train" in due}
    assert trained == {"lax"}
    assert set(actions) == {"atl", "lax", "mco", "ord"}
    assert {one["tenant"]: one["kind"] for one in reader.foretold["tenants"]} == {
        "bos": "paused",
        "lax": "changed",
    }
    (lax,) = [one for one in reader.foretold["tenants"] if one["tenant"] == "lax"]
    assert lax["after"] == [due.model_dump(mode="json") for due in second.entries["lax"].due]
    totals = reader.foretold["after"]
    assert (totals["trained"], totals["windows"]) == (1, int(second.metrics["windows"]))
    spec = load_product(reader.fleet.specs, "air-time").specs["lax"]
    assert "day" not in spec.features
    as_of = parse_moment("2013-10-08")
    assert all(ledger.header.as_of == as_of for ledger in second.ledgers.values())


def test_the_way_out_is_shown(reader):
    shown = said(reader, "tenantry offboard air-time mco")
    assert "air-time/mco: it is active." in shown
    assert "Nothing was written" in shown
