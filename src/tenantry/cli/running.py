"""How a command line ends: a user's mistake in its message, never in a stack trace."""

import os
import sys
from enum import IntEnum

import typer

from tenantry.errors import TenantryError
from tenantry.text import plain


class ExitCode(IntEnum):
    """What a command ends with; docs/cli.md says it to people."""

    done = 0
    refused = 1
    misused = 2
    later = 75
    interrupted = 130


def run_app(app: typer.Typer, name: str) -> None:
    """Run a command line.

    Args:
        app: The command line.
        name: What it is called, in its help and before its messages.
    """
    try:
        app(prog_name=name)
    except BrokenPipeError:  # who reads has gone: `tenantry plan … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.done)
    except (TenantryError, ValueError) as error:
        is_transient = isinstance(error, TenantryError) and error.transient
        _end(name, str(error), ExitCode.later if is_transient else ExitCode.refused)
    except OSError as error:
        what = f"{error.filename}: " if error.filename else ""
        _end(name, f"{what}{error.strerror or type(error).__name__}", ExitCode.refused)


def _end(name: str, message: str, code: ExitCode) -> None:
    typer.echo(f"{name}: {plain(message)}", err=True)
    sys.exit(code)
