"""``tenantry monitor``: how a window of a tenant was judged, and Evidently's page of it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tenantry.cli.options import (
    AsOf,
    Output,
    OutputFormat,
    ProductName,
    RegionName,
    TenantName,
    print_json,
)
from tenantry.dossier import find_tenant
from tenantry.errors import ModelFileError
from tenantry.figures import TITLES, figure
from tenantry.monitoring.judgements import IN_WORDS, Judgement
from tenantry.regions import store_of
from tenantry.report.words import span
from tenantry.settings import load_settings
from tenantry.specs.load import load_product
from tenantry.text import plain
from tenantry.times import format_moment, parse_moment

if TYPE_CHECKING:
    from tenantry.inspection import Inspection

_STYLES = {"decayed": "bold red", "drifted": "yellow", "ok": "green"}


def monitor(
    product: ProductName,
    tenant: TenantName,
    window: Annotated[
        str,
        typer.Option(
            "--window",
            help="Its id, or the day it begins, e.g. 2013-10-22. Empty: the latest judged.",
            metavar="WINDOW",
        ),
    ] = "",
    report: Annotated[
        bool, typer.Option("--report", help="Also write Evidently's page of the window.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Where to write it. Empty: <tenant>-<window>.html"),
    ] = None,
    as_of: AsOf = "",
    region: RegionName = "",
    output: Output = OutputFormat.table,
) -> None:
    """Show how a window was judged, stream by stream; judge it now if no run did.

    Reads specs and store, writes only the page, and that only with --report: for any tenant and
    window, also where a run made none.
    """
    from tenantry.inspection import inspect_window  # pandas: only where it is needed

    settings = load_settings()
    fleet = load_product(settings.specs, product, connections=settings.connections)
    store = store_of(settings, product, tenant, region)
    spec = find_tenant(store, fleet, tenant)
    if spec is None:
        msg = f"no spec declares {tenant} of {product} any more; its judgements stay in the store"
        raise ModelFileError(msg)
    moment = parse_moment(as_of) if as_of else datetime.now(UTC)
    found = inspect_window(store, spec, window, moment, with_page=report)
    show_inspection(found, output)
    if report:
        write_page(found, out)


def show_inspection(found: "Inspection", output: OutputFormat) -> None:
    """Print a judgement, as a table or as JSON."""
    if output is OutputFormat.json:
        print_json(found.judgement.model_dump(mode="json"))
    else:
        _print(found.judgement, is_stored=found.is_stored)


def write_page(found: "Inspection", out: Path | None) -> None:
    """Write Evidently's page and say where, and what it lacks.

    Raises:
        Exit: There is none, with 1.
    """
    if found.note:
        typer.echo(plain(found.note), err=True)
    if not found.page:
        raise typer.Exit(1)
    file = out or Path(f"{found.judgement.tenant}-{found.judgement.window}.html")
    file.write_bytes(found.page)
    typer.echo(f"Evidently's page: {file}", err=True)


def _print(judgement: Judgement, *, is_stored: bool) -> None:
    console = Console(highlight=False)
    when = f"judged as of {format_moment(judgement.as_of)}" if is_stored else "not judged by a run"
    console.print(
        Text(f"{judgement.product}/{judgement.tenant}, {span(judgement.span)}: ", style="bold"),
        Text(IN_WORDS[judgement.status], style=_STYLES.get(judgement.status, "")),
        Text(f" ({when})"),
        sep="",
    )
    console.print(Text(plain(judgement.sentence)))
    table = Table()
    for name in ("stream", "effect", "p-value", "evidence", "", "said of it"):
        is_figure = name in ("effect", "p-value", "evidence")
        table.add_column(name, justify="right" if is_figure else "left", overflow="fold")
    if quality := judgement.quality:
        reach = f"{figure(quality.low)} to {figure(quality.high)}"
        promise = "nothing" if quality.promised is None else figure(quality.promised)
        table.add_row(
            Text(TITLES.get(quality.metric, quality.metric)),
            figure(quality.realised),
            _number(quality.p_value),
            f"{quality.evidence:,.1f}",
            Text("decayed" if judgement.status == "decayed" else "", style="bold red"),
            Text(f"{reach}, {promise} promised"),
        )
    for one in sorted(judgement.drift, key=lambda one: (not one.drifted, -(one.effect or 0))):
        table.add_row(
            Text(plain(one.name)),
            "–" if one.effect is None else f"{one.effect:.2f}",
            _number(one.p_value),
            f"{one.evidence:,.1f}",
            Text("drifted" if one.drifted else "", style="yellow"),
            Text(plain(one.note)),
        )
    if table.row_count:
        console.print(table)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2g}"
