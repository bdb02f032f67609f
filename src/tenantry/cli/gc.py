"""``tenantry gc``: remove what retention lets go."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from tenantry.cli.options import (
    AsOf,
    DryRun,
    Output,
    OutputFormat,
    ProductName,
    RegionName,
    print_json,
)
from tenantry.regions import store_of
from tenantry.retention.sweep import Collector, Part, Request
from tenantry.retention.waste import IN_WORDS, Waste
from tenantry.settings import load_settings
from tenantry.specs.load import load_product
from tenantry.store.open import open_store
from tenantry.times import format_moment, parse_duration, parse_moment


def gc(
    product: ProductName,
    tenant: Annotated[
        str, typer.Argument(help="Only this one's; empty: all, pooled models and runs too.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Remove it; else it is only shown.")] = False,
    as_of: AsOf = "",
    grace: Annotated[
        str, typer.Option("--grace", help="What was written this lately stays.", metavar="DURATION")
    ] = "1d",
    dry_run: DryRun = False,
    region: RegionName = "",
    output: Output = OutputFormat.table,
) -> None:
    """Show what retention lets go, by kind with counts and bytes; --yes removes it.

    `retention` in the product's specs says how long things stay. Nothing goes that a champion, a
    model to roll back to, a pinned model or a kept prediction rests on; records (cards, receipts,
    judgements, events) never go. It is safe beside runs: tenants that are being worked on are left
    for the next time. On a bucket that keeps versions, all versions go.

    The exit code is 1 when something could not be read and was left for that.
    """
    settings, yes = load_settings(), yes and not dry_run
    fleet = load_product(settings.specs, product, connections=settings.connections)
    moment = parse_moment(as_of) if as_of else datetime.now(UTC)
    request = Request(moment, datetime.now(UTC), parse_duration(grace), tenant)
    known = tenant and tenant in fleet.specs
    store = store_of(settings, product, tenant, region) if known else open_store(settings, region)
    collector = Collector(store, fleet, request)
    parts = list(collector.find())
    if yes:
        parts = list(collector.sweep(parts))
    if output is OutputFormat.json:
        print_json(to_facts(parts, request, removed=yes))
    else:
        _print(parts, Console(highlight=False), request, removed=yes)
    if any(part.is_fault for part in parts):
        raise typer.Exit(1)


def to_facts(parts: Sequence[Part], request: Request, *, removed: bool) -> dict[str, Any]:
    """Return what JSON says of a collection: every key by tenant, and what was left."""
    return {
        "as_of": format_moment(request.as_of),
        "removed": removed,
        "waste": {
            part.name: [{"kind": one.kind, "key": one.key, "bytes": one.size} for one in part.waste]
            for part in parts
            if part.waste
        },
        "left": {part.name: part.left for part in parts if part.left},
    }


def _print(parts: Sequence[Part], console: Console, request: Request, *, removed: bool) -> None:
    title = f"{'Removed' if removed else 'May go'} as of {format_moment(request.as_of)}"
    table = Table("what", "tenants", "objects", "MB", title=title, title_justify="left")
    for name in ("tenants", "objects", "MB"):
        next(one for one in table.columns if one.header == name).justify = "right"
    for kind, words in IN_WORDS.items():
        found = [(part, one) for part in parts for one in part.waste if one.kind == kind]
        if found:
            owners = len({part.name for part, _ in found})
            table.add_row(words, f"{owners:,}", *_sums([one for _, one in found]))
    whole = [one for part in parts for one in part.waste]
    if not whole:
        console.print(f"Nothing {'went' if removed else 'may go'} as of {title[-20:]}.")
    else:
        table.add_section()
        table.add_row("in all", "", *_sums(whole))
        console.print(table)
    for part in parts:
        if part.left:
            style = "bold red" if part.is_fault else "yellow"
            console.print(f"{part.name} was left: {part.left}", style=style, markup=False)
    if whole and not removed:
        console.print("--yes removes it.")


def _sums(waste: Sequence[Waste]) -> tuple[str, str]:
    return f"{len(waste):,}", f"{sum(one.size for one in waste) / 1e6:,.1f}"
