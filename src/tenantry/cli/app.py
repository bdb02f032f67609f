"""The ``tenantry`` command."""

from importlib.metadata import version
from typing import Annotated

import typer

from tenantry.cli.alert import alert
from tenantry.cli.card import card
from tenantry.cli.diff import diff
from tenantry.cli.erase import erase
from tenantry.cli.examples import tell_examples
from tenantry.cli.gc import gc
from tenantry.cli.history import history
from tenantry.cli.insights import insights
from tenantry.cli.lineage import lineage
from tenantry.cli.monitor import monitor
from tenantry.cli.offboard import offboard
from tenantry.cli.onboard import onboard
from tenantry.cli.pin import pin, unpin
from tenantry.cli.plan import plan
from tenantry.cli.policy import policy
from tenantry.cli.reindex import reindex
from tenantry.cli.retry import retry
from tenantry.cli.rollback import rollback
from tenantry.cli.running import run_app
from tenantry.cli.serve import serve
from tenantry.cli.show import show
from tenantry.cli.stage import stage
from tenantry.cli.status import status
from tenantry.cli.validate import schema, validate

app = typer.Typer(
    name="tenantry",
    help="A model for every tenant: check specs, see what is due, look at the fleet.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


for command in (
    validate,
    schema,
    onboard,
    offboard,
    plan,
    status,
    show,
    card,
    insights,
    monitor,
    alert,
    history,
    rollback,
    pin,
    unpin,
    diff,
    lineage,
    erase,
    gc,
    retry,
    reindex,
    policy,
    serve,
):
    app.command(epilog=tell_examples(command.__name__))(command)
app.add_typer(stage, name="stage")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("tenantry"))
        raise typer.Exit


@app.callback()
def root(
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print version."),
    ] = False,
) -> None:
    """A model for every tenant: check specs, see what is due, look at the fleet."""


def main() -> None:
    """Run the command line; a user's mistake ends in its message, never in a stack trace."""
    run_app(app, "tenantry")
