"""``tenantry plan``: show what the next run would do, and why; writes nothing."""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tenantry.cli.options import AsOf, Output, OutputFormat, ProductName, RegionName
from tenantry.plans import RunPlan
from tenantry.request import PlanRequest
from tenantry.settings import load_settings
from tenantry.specs.load import load_product
from tenantry.stages.plan import make_plan
from tenantry.store.open import open_store
from tenantry.times import format_moment, parse_moment

DRY_RUN = "dry-run"


def plan(
    product: ProductName,
    as_of: AsOf = "",
    region: RegionName = "",
    tenants: Annotated[str, typer.Option(help="Only these tenants, commas between.")] = "",
    partition: Annotated[str, typer.Option(help="Part i of n of the fleet, e.g. 1/4.")] = "",
    max_shards: Annotated[int, typer.Option(min=1, help="Shards at most; a local run has 2.")] = 32,
    force: Annotated[bool, typer.Option("--force", help="Train every tenant.")] = False,
    output: Output = OutputFormat.table,
) -> None:
    """Show what a run would do for each tenant, and why. Reads specs and store, writes nothing."""
    settings = load_settings()
    moment = parse_moment(as_of) if as_of else datetime.now(UTC)
    request = PlanRequest(DRY_RUN, moment, tenants, partition, max_shards, force, region=region)
    fleet = load_product(settings.specs, product, connections=settings.connections)
    made = make_plan(request, fleet, open_store(settings, region))
    if output is OutputFormat.json:
        typer.echo(json.dumps(made.model_dump(mode="json"), indent=2, ensure_ascii=False))
    else:
        _print_plan(made, Console())


def _print_plan(made: RunPlan, console: Console) -> None:
    title = f"{made.product}{made.where} as of {format_moment(made.as_of)}"
    table = Table(title=title, title_justify="left")
    for name in ("tenant", "shard", "due", "why"):
        table.add_column(name, overflow="fold")
    counts: Counter[str] = Counter()
    for tenant, planned in sorted(made.tenants.items()):
        for due in planned.due:
            counts[due.action] += 1
            table.add_row(tenant, planned.shard, due.action, Text(due.reason))
        if not planned.due:
            counts["up to date"] += 1
            table.add_row(tenant, "–", "–", Text(planned.note), style="dim")
    console.print(table)
    parts = [f"{count} to {action}" for action, count in counts.items() if action != "up to date"]
    parts.append(f"{counts['up to date']} with nothing due")
    shards = f"{len(made.shards)} shard" + ("" if len(made.shards) == 1 else "s")
    console.print(f"Plan: {', '.join(parts)}; {shards}. Nothing was written.")
