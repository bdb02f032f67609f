"""``tenantry alert``: what a run has to alert people of, sent to the webhook."""

from typing import Annotated

import typer

from tenantry import layout
from tenantry.cli.options import (
    DryRun,
    Output,
    OutputFormat,
    ProductName,
    RegionName,
    print_json,
)
from tenantry.errors import Fault, SettingsError
from tenantry.fleet import FleetState, read_fleet
from tenantry.report.alerts import make_alert
from tenantry.settings import load_settings
from tenantry.store.contract import ObjectStore
from tenantry.store.open import open_store
from tenantry.webhooks import find_address, post

_RUNS = 5
"""Runs that are named where there is none of the name, the last by name."""


def alert(
    product: ProductName,
    run: Annotated[str, typer.Argument(help="The run's id, a folder of runs/ in the store.")],
    dry_run: DryRun = False,
    status: Annotated[
        str, typer.Option("--status", help="How the run ended, as Kubeflow says.")
    ] = "SUCCEEDED",
    region: RegionName = "",
    output: Output = OutputFormat.json,
) -> None:
    """Send the alerts of a run to the webhook again, or show what would be sent.

    A run's report sends them once by itself, where TENANTRY_WEBHOOK names a connection. Writes
    nothing in the store.

    Raises:
        SettingsError: The run left nothing, or is another product's; no webhook is set.
    """
    settings = load_settings()
    message = make_alert(_read(open_store(settings, region), run, product), status, settings)
    if message is None:
        typer.echo(f"{run}: nothing to alert of")
    elif dry_run and output is OutputFormat.json:
        print_json(message)
    elif dry_run:
        typer.echo(message["text"])
    elif not settings.webhook:
        fault = "is not set; it names the connection that alerts are sent to"
        raise SettingsError([Fault("TENANTRY_WEBHOOK", fault, "or see --dry-run")])
    else:
        post(find_address(settings), message)
        typer.echo(f"sent to {settings.webhook}")


def _read(store: ObjectStore, run: str, product: str) -> FleetState:
    """Read what a run left; an error when it left nothing, or is another product's."""
    runs = sorted(store.list_folders(layout.runs_folder()))
    if run not in runs:
        known = f"the last by name: {', '.join(runs[-_RUNS:])}" if runs else "there is none yet"
        raise SettingsError([Fault("RUN", f"{run!r} left nothing in the store", known)])
    state = read_fleet(store, run, product)
    if state.product != product:
        fault = f"{run!r} is a run of {state.product}, not of {product}"
        raise SettingsError([Fault("RUN", fault, "name its product")])
    return state
