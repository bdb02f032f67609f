"""``tenantry alert``: what a run has to alert people of, sent to the webhook."""

from typing import Annotated

import typer

from tenantry.cli.options import DryRun, ProductName, RegionName, print_json
from tenantry.errors import Fault, SettingsError
from tenantry.fleet import read_fleet
from tenantry.report.alerts import make_alert
from tenantry.settings import load_settings
from tenantry.store.open import open_store
from tenantry.webhooks import find_address, post


def alert(
    product: ProductName,
    run: Annotated[str, typer.Argument(help="The run's id, a folder of runs/ in the store.")],
    dry_run: DryRun = False,
    status: Annotated[
        str, typer.Option("--status", help="How the run ended, as Kubeflow says.")
    ] = "SUCCEEDED",
    region: RegionName = "",
) -> None:
    """Send the alerts of a run to the webhook again, or show what would be sent.

    A run's report sends them once by itself, where TENANTRY_WEBHOOK names a connection. Writes
    nothing in the store.
    """
    settings = load_settings()
    message = make_alert(read_fleet(open_store(settings, region), run, product), status, settings)
    if message is None:
        typer.echo(f"{run}: nothing to alert of")
    elif dry_run:
        print_json(message)
    elif not settings.webhook:
        fault = "is not set; it names the connection that alerts are sent to"
        raise SettingsError([Fault("TENANTRY_WEBHOOK", fault, "or see --dry-run")])
    else:
        post(find_address(settings), message)
        typer.echo(f"sent to {settings.webhook}")
