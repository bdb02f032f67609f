"""How a command line ends: a user's mistake in its message, never in a stack trace."""

import sys

import typer

from tenantry.errors import TenantryError
from tenantry.text import plain


def run_app(app: typer.Typer, name: str) -> None:
    """Run a command line.

    Args:
        app: The command line.
        name: What it is called, in its help and before its messages.
    """
    try:
        app(prog_name=name)
    except (TenantryError, ValueError) as error:
        typer.echo(f"{name}: {plain(str(error))}", err=True)
        sys.exit(1)
