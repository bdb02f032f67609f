import json

import pytest
import typer
from typer.testing import CliRunner

from tenantry.cli.monitor import monitor, write_page
from tenantry.errors import RegistryError
from tenantry.inspection import Inspection
from tenantry.monitoring.judgements import Judgement, write_judgement
from tenantry.store.folder import FolderStore
from tests.unit.monitoring.watched import WINDOWS, make_receipt
from tests.unit.report.made_fleet import PRODUCT
from tests.unit.report.made_tenant import make_facts

app = typer.Typer()
app.command()(monitor)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The last window was judged; a note of a stream would move the terminal's cursor."""
    path = tmp_path_factory.mktemp("store")
    judgement = make_facts().judgement
    moved, *others = judgement.drift
    moved = moved.model_copy(update={"note": "new: \x1b[2J [bold]x"})
    write_judgement(FolderStore(path), judgement.model_copy(update={"drift": (moved, *others)}))
    receipt = make_receipt(WINDOWS[-1], tenant="vx")
    FolderStore(path).put(f"{receipt.folder}receipt.json", receipt.to_json())
    return path


def run(folder, *arguments, tenant="vx"):
    environment = {"TENANTRY_STORE": folder.as_uri(), "COLUMNS": "140"}
    return CliRunner().invoke(app, [PRODUCT, tenant, *arguments], env=environment)


def test_the_table_tells_status_quality_and_streams_the_worst_first(folder):
    words = run(folder).output
    assert "arrival-delay/vx, 2013-10-22 to 2013-10-29: worse than promised" in words
    assert "Decayed: log loss .520" in words
    rows = [line.split("│")[1:-1] for line in words.splitlines() if "│" in line]
    assert [row[0].strip() for row in rows[:3]] == ["log loss", "temp", "congestion"]
    assert rows[0][5].strip() == ".480 to .560, .410 promised"
    assert rows[1][4].strip() == "drifted"
    assert "\\x1b[2J [bold]x" in words


def test_json_is_the_judgement(folder):
    shown = run(folder, "--output", "json", "--window", "2013-10-22")
    assert Judgement.from_json(shown.output.encode(), "output").status == "decayed"
    assert json.loads(shown.output)["window"] == WINDOWS[-1].id


def test_a_tenant_without_predictions_is_told_what_to_do(folder):
    assert isinstance(run(folder, tenant="ua").exception, RegistryError)


def test_the_page_is_written_and_what_it_lacks_is_told(tmp_path, capsys):
    found = Inspection(make_facts().judgement, is_stored=True, page=b"<html>", note="left out: x")
    write_page(found, tmp_path / "x.html")
    assert (tmp_path / "x.html").read_bytes() == b"<html>"
    assert capsys.readouterr().err.startswith("left out: x\nEvidently's page: ")


def test_a_page_that_cannot_be_made_ends_with_1(capsys):
    found = Inspection(make_facts().judgement, is_stored=True, note="no Evidently report: 3 rows")
    with pytest.raises(typer.Exit) as caught:
        write_page(found, None)
    assert caught.value.exit_code == 1
    assert "3 rows" in capsys.readouterr().err
