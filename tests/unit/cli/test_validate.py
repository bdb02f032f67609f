import io
import json
from pathlib import Path

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner, Result

from tenantry.cli import validate as module
from tenantry.errors import Fault, SpecError

SHIPPED = Path("tenant_specs")


app = typer.Typer()
app.command()(module.validate)
app.command()(module.schema)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path in ("connections.yaml", "arrival-delay/product.yaml", "arrival-delay/ua.yaml"):
        target = tmp_path / path
        target.parent.mkdir(exist_ok=True)
        target.write_bytes((SHIPPED / path).read_bytes())
    return tmp_path


def test_sound_specs_are_counted() -> None:
    result = run("validate")
    first = "arrival-delay: 16 tenants, no fault\n"
    second = "arrival-minutes: 16 tenants, no fault\n"
    assert (result.exit_code, result.output) == (0, first + second)
    assert run("validate", "arrival-delay").output == first


def test_faults_come_one_a_line_with_their_place(folder: Path) -> None:
    (folder / "arrival-delay/aa.yaml").write_text(
        "apiVersion: tenantry/v2\ntenant: aa\ngate: {min_rows: -5}\nregion: '[red]{{$.x}}'\n"
    )
    (folder / "second").mkdir()
    (folder / "second/product.yaml").write_text("apiVersion: tenantry/v3\n")
    result = run("validate", "--specs", folder)
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "arrival-delay/aa.yaml: gate.min_rows: -5 is not ≥ 1",
        "arrival-delay/aa.yaml: region: '[red]{{$.x}}' is not a DNS label; "
        "use lower-case letters, digits and '-', at most 63",
        "second: has no tenant; an empty folder is taken for a missing mount; add a tenant's file",
        "second/product.yaml: apiVersion: 'tenantry/v3' is not known here, where tenantry/v2 is "
        "the newest; update Tenantry, or fix the version",
        "4 faults in 3 files",
    ]


def test_json_is_for_programs(folder: Path) -> None:
    (folder / "arrival-delay/ua.yaml").write_text("apiVersion: tenantry/v2\ntenant: aa\n")
    result = run("validate", "--specs", folder, "--output", "json")
    assert result.exit_code == 1
    assert json.loads(result.output) == {
        "faults": [
            {
                "file": "arrival-delay/ua.yaml",
                "path": "tenant",
                "fault": "'aa' is not the file's name 'ua'",
                "remedy": "make them equal",
            }
        ],
        "products": {"arrival-delay": {"tenants": 0}},
    }


SHIPPED_PRODUCTS = ("arrival-delay", "arrival-minutes")


def test_json_without_faults() -> None:
    report = json.loads(run("validate", "-o", "json").output)
    assert report == {
        "faults": [],
        "products": {name: {"tenants": 16} for name in SHIPPED_PRODUCTS},
    }


def test_a_product_or_folder_that_is_not_there(tmp_path: Path) -> None:
    result = run("validate", "departures")
    assert result.exit_code == 1
    assert result.output.startswith("departures: is no product in tenant_specs; choose from arriv")
    assert "is no folder" in run("validate", "--specs", tmp_path / "none").output
    assert "holds no product" in run("validate", "--specs", tmp_path).output


def test_on_a_terminal_faults_stand_below_their_file() -> None:
    faults = [Fault("a.yaml: gate", "[bold]is wrong[/bold]", "fix it"), Fault("a.yaml", "is empty")]
    console = Console(file=io.StringIO(), force_terminal=True, color_system=None, soft_wrap=True)
    module._print_lines({}, faults, console)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().splitlines() == [
        "a.yaml",
        "  gate: [bold]is wrong[/bold]",
        "    fix it",
        "  is empty",
        "2 faults in 1 file",
    ]


def test_settings_say_where_specs_lie(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENANTRY_SPECS", str(folder))
    assert run("validate").output == "arrival-delay: 1 tenant, no fault\n"
    (folder / "connections.yaml").rename(folder / "elsewhere.yaml")
    assert run("validate").exit_code == 1
    monkeypatch.setenv("TENANTRY_CONNECTIONS", str(folder / "elsewhere.yaml"))
    assert run("validate").exit_code == 0
    assert run("validate", "--specs", folder).exit_code == 1


def test_schemas_are_written_and_checked(folder: Path) -> None:
    missing = run("schema", "--check", "--specs", folder)
    assert missing.exit_code == 1
    assert missing.output.count("is not current; run tenantry schema --write") == 4
    assert run("schema", "--write", "--specs", folder).exit_code == 0
    assert run("schema", "--check", "--specs", folder).output == "4 schemas are current\n"
    (folder / "schema/product.json").write_text("{}")
    assert "product.json: is not current" in run("schema", "--check", "--specs", folder).output
    rewritten = run("schema", "--write", "--specs", folder).output.splitlines()
    assert rewritten == [f"{folder}/schema/product.json: written", "4 schemas are current"]


def test_the_shipped_schemas_are_current() -> None:
    assert run("schema", "--check").exit_code == 0


@pytest.mark.parametrize("options", [(), ("--write", "--check")])
def test_schema_needs_one_of_its_options(options: tuple[str, ...]) -> None:
    result = run("schema", *options)
    assert result.exit_code == 2
    assert "give one of --write and --check" in result.output


def test_schemas_of_broken_specs_are_not_made(folder: Path) -> None:
    (folder / "arrival-delay/ua.yaml").write_text("tenant: ua\n")
    assert isinstance(run("schema", "--write", "--specs", folder).exception, SpecError)
