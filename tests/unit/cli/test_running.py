import pytest
import typer

from tenantry.cli.running import run_app
from tenantry.errors import TenantryError


def test_a_mistake_ends_in_its_message(monkeypatch, capsys):
    app = typer.Typer()

    @app.command()
    def fail():
        raise TenantryError("no\x1b such file")

    monkeypatch.setattr("sys.argv", ["anything"])
    with pytest.raises(SystemExit) as ended:
        run_app(app, "python -m pipelines")
    assert ended.value.code == 1
    assert capsys.readouterr().err == "python -m pipelines: no\\x1b such file\n"
