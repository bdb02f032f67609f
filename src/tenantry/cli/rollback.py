"""``tenantry rollback``: restore an earlier model of a tenant, or of a whole fleet."""

from datetime import UTC, datetime
from typing import Annotated, Any

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
    Why,
    print_json,
)
from tenantry.regions import store_of
from tenantry.registry.fleet import (
    FleetRollback,
    Step,
    find_fleet_rollback,
    make_fleet_rollback,
)
from tenantry.registry.orders import make_order
from tenantry.registry.rollback import Aim, Move, find_rollback, make_rollback
from tenantry.settings import load_settings
from tenantry.store.contract import ObjectStore
from tenantry.store.open import open_store
from tenantry.times import format_moment, parse_moment


def rollback(
    product: ProductName,
    why: Why,
    tenant: Annotated[str, typer.Argument(help="The tenant; none with --all.")] = "",
    to: Annotated[
        str, typer.Option("--to", help="A version that reigned. Empty: the one before.")
    ] = "",
    to_time: Annotated[
        str, typer.Option("--to-time", help="Whoever reigned at this logical time.", metavar="TIME")
    ] = "",
    undo: Annotated[
        bool, typer.Option("--undo", help="What the last rollback replaced reigns again.")
    ] = False,
    every: Annotated[
        bool, typer.Option("--all", help="All tenants; needs --to-time or --undo.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it for --all; else it is shown.")] = False,
    as_of: Annotated[
        str,
        typer.Option(
            help="Holds for runs of this logical time or later. Empty: the latest of any run.",
            metavar="TIME",
        ),
    ] = "",
    who: Who = "",
    region: RegionName = "",
    dry_run: DryRun = False,
    output: Output = OutputFormat.table,
) -> None:
    """Restore an earlier model: the next prediction, of whatever window, is made by it.

    Nothing is lost: the model that is replaced is revoked, and --undo restores it. The files are
    checked first. Each rollback leaves an event in the audit trail. A later run may
    crown a new challenger; pin the tenant to prevent that.

    With --all, what would be done is shown; --yes does it. Tenants that are pinned, or whose
    files are damaged, are left as they are and named; the exit code is then 1.
    """
    _check_usage(tenant, to, to_time, undo=undo, every=every)
    settings = load_settings()
    order = make_order(who or settings.user, why, datetime.now(UTC))
    moment = parse_moment(as_of) if as_of else None
    aim = Aim(to, parse_moment(to_time) if to_time else None, undo)
    if every:
        store = open_store(settings, region)
        found = find_fleet_rollback(store, product, aim, order, as_of=moment)
        _roll_back_fleet(store, found, is_meant=yes and not dry_run, output=output)
        return
    store = store_of(settings, product, tenant, region)
    move = find_rollback(store, product, tenant, aim, order=order, as_of=moment)
    if not dry_run:
        make_rollback(store, product, move)
    _print_move(product, move, is_done=not dry_run, output=output)


def _check_usage(tenant: str, to: str, to_time: str, *, undo: bool, every: bool) -> None:
    if bool(tenant) == every:
        raise typer.BadParameter("name a tenant, or say --all")
    if bool(to) + bool(to_time) + undo > 1:
        raise typer.BadParameter("say one of --to, --to-time and --undo")
    if every and not (to_time or undo):
        raise typer.BadParameter("--all needs --to-time or --undo")


def _print_move(product: str, move: Move, *, is_done: bool, output: OutputFormat) -> None:
    if output is OutputFormat.json:
        facts = {"product": product, "done": is_done, **_facts(move)}
        print_json(facts)
        return
    if move.warning:
        typer.echo(f"Mind that {move.warning}.", err=True)
    does = "Rolled" if is_done else "Would roll"
    since = format_moment(move.reign.since)
    typer.echo(
        f"{does} {product}/{move.tenant} back from {move.replaced.version} "
        f"to {move.reign.version}, for runs as of {since} or later."
    )
    typer.echo(
        "Their next predictions use it; `tenantry pin` holds it."
        if is_done
        else "Nothing was written."
    )


def _roll_back_fleet(
    store: ObjectStore, found: FleetRollback, *, is_meant: bool, output: OutputFormat
) -> None:
    done = make_fleet_rollback(store, found) if is_meant else found
    if output is OutputFormat.json:
        facts = {
            "product": done.product,
            "aim": done.aim.words,
            "as_of": format_moment(done.since),
            "done": is_meant,
            "tenants": [_step_facts(step) for step in done.steps],
        }
        print_json(facts)
    else:
        _print_fleet(done, is_done=is_meant)
    if any(step.is_refused for step in done.steps):
        raise typer.Exit(1)


def _print_fleet(done: FleetRollback, *, is_done: bool) -> None:
    title = f"{done.product} back {done.aim.words}"
    table = Table("tenant", "from", "to", "note", title=title, title_justify="left")
    for step in done.steps:
        move = step.move
        versions = (move.replaced.version, move.reign.version) if move else ("–", "–")
        style = "red" if step.is_refused else "" if move else "dim"
        note = move.warning if move else step.note
        table.add_row(*map(Text, (step.tenant, *versions, note)), style=style)
    console = Console(highlight=False)
    console.print(table)
    moved = sum(step.move is not None for step in done.steps)
    refused = sum(step.is_refused for step in done.steps)
    same = len(done.steps) - moved - refused
    does = "rolled back" if is_done else "would be rolled back"
    console.print(
        f"{moved:,} {does}, for runs as of {format_moment(done.since)} or later; "
        f"{same:,} as they are; {refused:,} refused."
    )
    if not is_done:
        console.print("Nothing was written; --yes does it.")


def _facts(move: Move) -> dict[str, Any]:
    return {
        "tenant": move.tenant,
        "from": move.replaced.version,
        "to": move.reign.version,
        "as_of": format_moment(move.reign.since),
        "warning": move.warning,
    }


def _step_facts(step: Step) -> dict[str, Any]:
    moved = _facts(step.move) if step.move else {"tenant": step.tenant, "from": None, "to": None}
    return moved | {"note": step.note, "refused": step.is_refused}
