"""``tenantry plan``: show what the next run would do, and why; writes nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tenantry.cli.options import AsOf, ProductName, RegionName, print_json
from tenantry.cli.plan_diff import find_consequences, print_consequences, to_markdown
from tenantry.consequences import Consequences
from tenantry.overview import KINDS, Kind, Line, make_lines, say_cost, say_counts, say_straggler
from tenantry.plans import RunPlan
from tenantry.request import PlanRequest
from tenantry.settings import load_settings
from tenantry.simulation.cluster import Cluster
from tenantry.simulation.plans import say_run
from tenantry.specs.load import load_product
from tenantry.stages.plan import make_plan
from tenantry.store.open import open_store
from tenantry.summaries import plan_markdown
from tenantry.times import format_moment, parse_moment


class PlanFormat(StrEnum):
    """How a plan is printed."""

    table = "table"
    json = "json"
    markdown = "markdown"


DRY_RUN = "dry-run"
_NAMES = 8
_SIGNS: dict[Kind, tuple[str, str]] = {
    "retire": ("-", "red"),
    "pooled": ("+", "green"),
    "rollback": ("<", "yellow"),
    "train": ("+", "green"),
    "predict": ("+", "green"),
    "backfill": ("+", "green"),
    "monitor": ("~", "yellow"),
    "publish": ("~", "green"),
    "left": ("…", "magenta"),
    "nothing": ("=", "dim"),
}


_Diff = Annotated[
    str,
    typer.Option(
        "--diff",
        help="Compare with the specs of this Git revision: what the change does to the run.",
        metavar="REV",
    ),
]
_Format = Annotated[
    PlanFormat,
    typer.Option("--output", "-o", help="A table, JSON, or Markdown for a pull request."),
]


def plan(
    product: ProductName,
    as_of: AsOf = "",
    region: RegionName = "",
    tenants: Annotated[str, typer.Option(help="Only these tenants, commas between.")] = "",
    partition: Annotated[str, typer.Option(help="Part i of n of the fleet, e.g. 1/4.")] = "",
    size: Annotated[str, typer.Option(help="Only tenants of this resources.size.")] = "",
    max_shards: Annotated[int, typer.Option(min=1, help="Shards at most; a local run has 2.")] = 32,
    force: Annotated[bool, typer.Option("--force", help="Train every tenant.")] = False,
    cpu_budget: Annotated[
        float, typer.Option(min=0, help="CPU-seconds that the run may take. 0: all it takes.")
    ] = 0.0,
    backfill_from: Annotated[
        str, typer.Option(help="Also predict windows of the past that begin then or later.")
    ] = "",
    backfill_to: Annotated[
        str, typer.Option(help="Only those that begin before this. Empty: the logical time.")
    ] = "",
    backfill_model: Annotated[
        str, typer.Option(help="By the model that reigned `then`, or the `current` champion.")
    ] = "then",
    show_all: Annotated[bool, typer.Option("--all", help="A line for each tenant.")] = False,
    diff: _Diff = "",
    output: _Format = PlanFormat.table,
) -> None:
    """Show what a run would do, why, and what it would take. Writes nothing.

    Tenants for which the same is due for the same reason share a line, at most 40 lines in all;
    `--all` gives each tenant its own, JSON every one.

    With --diff it plans the run twice, by the specs of a Git revision and by those of the working
    tree, and shows whom the change concerns, what the run does for them now, and what it costs.
    """
    request = PlanRequest(
        run=DRY_RUN,
        as_of=parse_moment(as_of) if as_of else datetime.now(UTC),
        tenants=tenants,
        partition=partition,
        size=size,
        max_shards=max_shards,
        force=force,
        region=region,
        cpu_budget=cpu_budget,
        backfill_from=backfill_from,
        backfill_to=backfill_to,
        backfill_model=backfill_model,
    )
    settings = load_settings()
    if diff:
        _print_diff(find_consequences(settings, product, diff, request), output)
        return
    fleet = load_product(settings.specs, product, connections=settings.connections)
    _print_plan(make_plan(request, fleet, open_store(settings, region)), output, every=show_all)


def _print_diff(found: Consequences, output: PlanFormat) -> None:
    if output is PlanFormat.json:
        print_json(found.model_dump(mode="json"))
    elif output is PlanFormat.markdown:
        typer.echo(to_markdown(found))
    else:
        print_consequences(found, Console(highlight=False))


def _print_plan(made: RunPlan, output: PlanFormat, *, every: bool) -> None:
    if output is PlanFormat.json:
        print_json(made.model_dump(mode="json"))
    elif output is PlanFormat.markdown:
        typer.echo(plan_markdown(made))
    else:
        console = Console(highlight=False)
        console.print(_by_tenant(made) if every else _by_reason(made))
        if said := say_run(made, Cluster()):
            console.print(said)
        if said := say_straggler(made):
            console.print(f"{said}.")
        console.print(f"Plan: {say_counts(made)}; {say_cost(made)}. Nothing was written.")


def _by_reason(made: RunPlan) -> Table:
    table = _table(made, "", "what", "tenants", "why", "who")
    for line in make_lines(made):
        sign, style = _SIGNS[line.kind]
        count = "" if line.kind == "pooled" else f"{len(line.tenants):,}"
        what = "up to date" if line.kind == "nothing" else _what(line.kind)
        table.add_row(sign, what, count, Text(line.why), Text(_who(line)), style=style)
    return table


def _what(kind: Kind) -> str:
    return "pooled model" if kind == "pooled" else kind


def _who(line: Line) -> str:
    more = len(line.tenants) - _NAMES
    return ", ".join(line.tenants[:_NAMES]) + (f" and {more:,} more" if more > 0 else "")


def _by_tenant(made: RunPlan) -> Table:
    table = _table(made, "", "tenant", "what", "shard", "CPU s", "why")
    for zone, why in made.pooled.items():
        table.add_row("+", Text(f"zone {zone}"), "pooled model", "", "", Text(why), style="green")
    for kind, tenant, why in sorted(_rows(made), key=lambda row: (row[1], KINDS.index(row[0]))):
        planned = made.tenants[tenant]
        sign, style = _SIGNS[kind]
        cost = f"{planned.cpu_seconds:,.1f}" if planned.due or planned.waiting else ""
        what = "" if kind == "nothing" else kind
        table.add_row(sign, tenant, what, planned.shard or "", cost, Text(why), style=style)
    return table


def _rows(made: RunPlan) -> Iterator[tuple[Kind, str, str]]:
    for tenant, planned in made.tenants.items():
        for due in planned.due:
            yield due.action, tenant, due.reason
        if planned.note or not planned.due:
            yield "left" if planned.due or planned.waits else "nothing", tenant, planned.note


def _table(made: RunPlan, *columns: str) -> Table:
    title = f"{made.product}{made.where} as of {format_moment(made.as_of)}"
    table = Table(title=title, title_justify="left")
    for name in columns:
        table.add_column(name, overflow="fold", justify="right" if name in _FIGURES else "left")
    return table


_FIGURES = ("tenants", "CPU s")
