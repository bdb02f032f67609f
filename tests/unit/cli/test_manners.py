"""How all commands behave: options, help, completion, and what they do with a user's mistakes."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from tenantry.cli.app import app
from tenantry.cli.examples import EXAMPLES
from tenantry.cli.running import ExitCode, run_app
from tenantry.errors import SourceUnavailableError, TenantryError

ROOT = get_command(app)
APART = {"stage", "serve"}
"""Commands that programs start: they print one JSON line, or serve until they are told to end."""

COMMANDS = {name: one for name, one in ROOT.commands.items() if name not in APART}
WRITING = {
    "onboard",
    "offboard",
    "rollback",
    "pin",
    "unpin",
    "erase",
    "gc",
    "retry",
    "reindex",
    "alert",
}
PAGE = Path("docs/cli.md").read_text()


def options(command):
    return {name for param in command.params for name in param.opts}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_prints_a_table_or_json(name):
    assert "--output" in options(COMMANDS[name])


@pytest.mark.parametrize("name", sorted(WRITING))
def test_whatever_writes_can_be_tried_without_writing(name):
    assert "--dry-run" in options(COMMANDS[name])


def test_every_command_is_told_in_the_docs_and_says_whether_it_writes():
    told = dict(re.findall(r"^\| `(\w+)` \|[^|]*\| ([^|]*) \|", PAGE, re.MULTILINE))
    assert set(told) == set(ROOT.commands)
    assert {name for name, writes in told.items() if "--dry-run" in writes} == WRITING


def test_exit_codes_are_told_in_the_docs():
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)}
    assert told == {*ExitCode}


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_in_the_help_are_calls_that_parse(name):
    help_text = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"}).output
    for line in EXAMPLES[name]:
        program, command, *arguments = shlex.split(line)
        assert (program, command) == ("tenantry", name)
        assert ROOT.commands[command].make_context(name, arguments).params
        assert line.split()[2 if len(line.split()) > 2 else 1] in help_text


# --- mistakes -------------------------------------------------------------------------------------

TOLD = TenantryError | ValueError | OSError | SystemExit | None
"""What `run_app` ends with a message."""

NAMES = ("nowhere", "../../etc", "", "\x1b[2J")
VALUES = {
    "product": "arrival-delay",
    "tenant": "ua",
    "run": "run-1",
    "key": "tenants/arrival-delay/ua/champion.json",
    "one": "v1",
    "other": "v2",
}


def call(name, given=None, **more):
    """A call of a command with all that it needs; `given` takes the place of some values."""
    arguments = []
    for param in COMMANDS[name].params:
        if param.param_type_name == "argument":
            arguments.append((given or {}).get(param.name, VALUES.get(param.name, "ua")))
        elif param.required:
            arguments += [param.opts[0], "because"]
    for option, value in more.items():
        arguments += [f"--{option.replace('_', '-')}", value]
    return [name, *arguments]


@pytest.fixture
def run(tmp_path):
    store = tmp_path / "store"

    def go(arguments, **environ):
        environ = {"TENANTRY_STORE": store.as_uri(), "COLUMNS": "100", "USER": "ann"} | environ
        result = CliRunner().invoke(app, arguments, env=environ)
        told = isinstance(
            result.exception, TenantryError | ValueError | OSError | SystemExit | None
        )
        assert told, (arguments, result.exc_info)
        assert not store.exists()
        return result

    return go


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("wrong", NAMES)
def test_a_wrong_name_is_told_and_nothing_is_written(run, name, wrong):
    for param in COMMANDS[name].params:
        if param.param_type_name == "argument":
            run(call(name, {param.name: wrong}))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_wrong_value_of_any_option_is_told(run, name):
    for param in COMMANDS[name].params:
        if param.param_type_name == "option" and not getattr(param, "is_flag", False):
            for wrong in ("nonsense", "9" * 400):
                run([*call(name), param.opts[0], wrong])


@pytest.mark.parametrize("name", COMMANDS)
def test_wrong_surroundings_are_told(run, tmp_path, name):
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "broken/arrival-delay").mkdir(parents=True)
    (tmp_path / "broken/arrival-delay/product.yaml").write_bytes(b"\xff\0{")
    for specs in (tmp_path / "none", tmp_path / "file", tmp_path / "broken"):
        run(call(name), TENANTRY_SPECS=str(specs))
    run(call(name), TENANTRY_CONNECTIONS=str(tmp_path / "none.yaml"))
    for store in ("", "nonsense", "s3+http://", "ftp://h/b", f"file://{tmp_path}/file"):
        run(call(name), TENANTRY_STORE=store)
    run(call(name), TENANTRY_WORKERS="many")


@pytest.mark.parametrize("name", COMMANDS)
def test_an_unknown_option_is_a_wrong_use(run, name):
    result = run([*call(name), "--no-such-option"])
    assert result.exit_code == ExitCode.misused
    assert "No such option" in result.output


# --- ends -----------------------------------------------------------------------------------------


def ended(monkeypatch, error):
    import typer

    failing = typer.Typer()

    @failing.command()
    def fail():
        raise error

    monkeypatch.setattr("sys.argv", ["anything"])
    with pytest.raises(SystemExit) as caught:
        run_app(failing, "tenantry")
    return caught.value.code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TenantryError("no"), 1),
        (ValueError("no"), 1),
        (PermissionError(13, "Permission denied", "a.html"), 1),
        (SourceUnavailableError("away"), 75),
        (KeyboardInterrupt(), 130),
    ],
)
def test_each_end_has_its_code(monkeypatch, capsys, error, code):
    assert ended(monkeypatch, error) == code
    assert "Traceback" not in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_fault():
    command = f"{sys.executable} -m tenantry plan arrival-delay --as-of 2013-10-01 -o json"
    pipe = f"set -o pipefail; {command} | head -n 1"
    environ = os.environ | {"TENANTRY_STORE": "file:///nowhere/at-all"}
    shell = ["bash", "-c", pipe]
    done = subprocess.run(shell, check=False, capture_output=True, text=True, env=environ)
    assert (done.returncode, done.stdout, done.stderr) == (0, "{\n", "")


# --- completion -----------------------------------------------------------------------------------


def complete(line):
    """What bash is offered at the end of a line."""
    words = shlex.split(line) + ([""] if line.endswith(" ") else [])
    environ = {
        "_TENANTRY_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    result = CliRunner().invoke(app, [], prog_name="tenantry", env=environ)
    return result.output.split()


def test_commands_products_tenants_and_options_are_completed():
    assert complete("tenantry on") == ["onboard"]
    assert complete("tenantry plan arr") == ["arrival-delay", "arrival-minutes"]
    assert complete("tenantry show arrival-delay u") == ["ua", "us"]
    assert complete("tenantry plan arrival-delay --dif") == ["--diff"]


def test_completion_is_silent_where_there_is_nothing(monkeypatch):
    monkeypatch.setenv("TENANTRY_SPECS", "/nowhere")
    assert complete("tenantry plan arr") == []
    monkeypatch.setenv("TENANTRY_WORKERS", "many")
    assert complete("tenantry show arrival-delay u") == []
    monkeypatch.undo()
    assert complete("tenantry show ../x u") == []


def test_json_is_json(run):
    for name in ("validate", "plan", "status"):
        result = run([name, "arrival-delay", "-o", "json"])
        assert result.exit_code == 0
        json.loads(result.output)
