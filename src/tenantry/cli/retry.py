"""``tenantry retry``: see what keeps failing and waits, and let it be tried again at once."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tenantry.cli.options import (
    DryRun,
    Output,
    OutputFormat,
    ProductName,
    RegionName,
    Who,
    print_json,
)
from tenantry.errors import Fault, SpecError
from tenantry.registry.orders import make_order
from tenantry.registry.retries import Waiting, clear, list_waiting
from tenantry.settings import load_settings
from tenantry.specs.faults import suggest
from tenantry.specs.load import load_product
from tenantry.store.open import open_store
from tenantry.times import format_moment


def retry(
    product: ProductName,
    tenant: Annotated[str, typer.Argument(help="Whose failures to clear.")] = "",
    everyone: Annotated[bool, typer.Option("--all", help="Clear all tenants' failures.")] = False,
    why: Annotated[str, typer.Option("--why", help="The reason, for the audit trail.")] = "",
    who: Who = "",
    region: RegionName = "",
    dry_run: DryRun = False,
    output: Output = OutputFormat.table,
) -> None:
    """Let what keeps failing be tried again by the next run.

    A stage that failed twice in a row waits, every time twice as long (`retry` in the spec). With
    neither TENANT nor --all it shows who waits, how often they failed and until which logical time.
    With one of them the failures are cleared, and an event in the audit trail says by whom and why.
    """
    settings = load_settings()
    fleet = load_product(settings.specs, product, connections=settings.connections)
    fleet = fleet.serving(region)
    if tenant and tenant not in fleet.specs:
        fault = Fault(tenant, f"{product} has no such tenant", suggest(tenant, fleet.specs))
        raise SpecError([fault])
    specs = {name: spec for name, spec in fleet.specs.items() if not tenant or name == tenant}
    store = open_store(settings, region)
    waiting = list_waiting(store, product, specs)
    if tenant or everyone:
        order = make_order(who or settings.user, why, datetime.now(UTC))
        names = sorted({one.tenant for one in waiting})
        if dry_run and names:
            typer.echo(f"Would clear {', '.join(names)}. Nothing was written.")
            return
        cleared = clear(store, product, names, order=order)
        for name, failures in cleared.items():
            noun = "failure" if failures == 1 else "failures"
            typer.echo(f"Cleared {product}/{name} of {failures} {noun}: the next run tries again.")
    elif output is OutputFormat.json:
        print_json([_facts(one) for one in waiting])
    else:
        _print(waiting, Console(highlight=False))


def _facts(one: Waiting) -> dict[str, object]:
    hold = one.hold
    until = format_moment(hold.until)
    return {
        "tenant": one.tenant,
        "stage": hold.stage,
        "runs": hold.times,
        "kind": hold.kind,
        "until": until,
    }


def _print(waiting: tuple[Waiting, ...], console: Console) -> None:
    if not waiting:
        console.print("Nothing has failed since it last went well.")
        return
    table = Table("tenant", "stage", "failed", "last error", "due again as of")
    for one in waiting:
        hold = one.hold
        runs = f"{hold.times} run" + ("" if hold.times == 1 else "s in a row")
        table.add_row(*map(Text, (one.tenant, hold.stage, runs, hold.kind, f"{hold.until:%F %T}")))
    console.print(table)
