"""Options that several commands share."""

import json
from enum import StrEnum
from typing import Annotated

import typer

from tenantry.cli.completion import complete_product, complete_tenant


class OutputFormat(StrEnum):
    """How a command prints."""

    table = "table"
    json = "json"


ProductName = Annotated[
    str,
    typer.Argument(help="The product, a folder of tenant_specs.", autocompletion=complete_product),
]
TenantName = Annotated[str, typer.Argument(help="The tenant.", autocompletion=complete_tenant)]
AsOf = Annotated[
    str, typer.Option("--as-of", help="Logical time, e.g. 2013-10-01. Empty: now.", metavar="TIME")
]
RegionName = Annotated[
    str,
    typer.Option("--region", help="Home region; empty where there is no regions.yaml or one only."),
]
Who = Annotated[
    str, typer.Option("--who", help="Who orders it, for the audit trail. Empty: $USER.")
]
Why = Annotated[str, typer.Option("--why", help="The reason, for the audit trail.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")]
Output = Annotated[
    OutputFormat, typer.Option("--output", "-o", help="A table for people, JSON for programs.")
]


def print_json(facts: object) -> None:
    """Print what `--output json` promises: indented, text as it is."""
    typer.echo(json.dumps(facts, indent=2, ensure_ascii=False))
