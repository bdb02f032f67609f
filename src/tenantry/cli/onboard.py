"""``tenantry onboard``: take a tenant on, from its rows to its file."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from tenantry.cli.options import AsOf, DryRun, Output, OutputFormat, print_json
from tenantry.settings import load_settings
from tenantry.times import parse_moment

if TYPE_CHECKING:
    from tenantry.onboarding.wishes import Proposal

_NEW = "A new product"


_Product = Annotated[str, typer.Argument(help="The product; one that is new is founded.")]
_Tenant = Annotated[str, typer.Argument(help="The new tenant.")]
_Source = Annotated[
    str,
    typer.Option(
        help="Where to look at its rows: a CSV or Parquet file or folder, a connection's name, "
        "a SQLAlchemy URL without password. Empty: the product's own sources.",
        metavar="SOURCE",
    ),
]
_Table = Annotated[
    str, typer.Option(help="The table of a database, or the path below a connection.")
]
_Description = Annotated[str, typer.Option(help="Who it is, for people.")]
_Region = Annotated[str, typer.Option(help="Its home region; empty: the product's.")]
_Timezone = Annotated[str, typer.Option(help="Its IANA time zone; empty: the product's.")]
_Pooled = Annotated[
    bool,
    typer.Option("--pooled/--not-pooled", help="Whether its rows may train the pooled model."),
]
_Label = Annotated[str, typer.Option(help="What is predicted: a column.", rich_help_panel=_NEW)]
_Above = Annotated[
    float | None,
    typer.Option(help="Yes where the label is above this number.", rich_help_panel=_NEW),
]
_LabelDelay = Annotated[
    str,
    typer.Option(help="So long after the event a label is known: 36h.", rich_help_panel=_NEW),
]
_LabelTime = Annotated[
    str, typer.Option(help="Or the column that says when it is.", rich_help_panel=_NEW)
]
_EventTime = Annotated[
    str,
    typer.Option(help="The column of when it happens, if several are.", rich_help_panel=_NEW),
]
_Lead = Annotated[
    str,
    typer.Option(help="So long before the event all else is known.", rich_help_panel=_NEW),
]
_Key = Annotated[
    str,
    typer.Option(help="The columns that name a row, commas between.", rich_help_panel=_NEW),
]
_TenantColumn = Annotated[
    str, typer.Option(help="The column that names the tenant.", rich_help_panel=_NEW)
]
_Without = Annotated[
    str,
    typer.Option(
        help="Columns that are no features: known too late, or of no use; commas between.",
        rich_help_panel=_NEW,
    ),
]
_Title = Annotated[str, typer.Option(help="The product in words.", rich_help_panel=_NEW)]
_Yes = Annotated[bool, typer.Option("--yes", help="Write it; else it is only shown.")]


def onboard(
    product: _Product,
    tenant: _Tenant,
    source: _Source = "",
    table: _Table = "",
    description: _Description = "",
    region: _Region = "",
    timezone: _Timezone = "",
    pooled: _Pooled = True,
    label: _Label = "",
    above: _Above = None,
    label_delay: _LabelDelay = "",
    label_time: _LabelTime = "",
    event_time: _EventTime = "",
    lead: _Lead = "0m",
    key: _Key = "",
    tenant_column: _TenantColumn = "",
    without: _Without = "",
    title: _Title = "",
    as_of: AsOf = "",
    yes: _Yes = False,
    dry_run: DryRun = False,
    output: Output = OutputFormat.table,
) -> None:
    """Look at a new tenant's rows and propose its file: what differs from the product, and why.

    Shows the YAML, what the next run would do for it, and how good its predictions may be before
    anything was trained for it. Writes nothing without --yes, and then only below tenant_specs:
    commit it, and the next run brings the tenant to life.

    Of a product that does not exist yet the rows of its first tenant found it, too: say --source,
    --label and --label-delay.
    """
    from tenantry.onboarding.proposals import propose
    from tenantry.onboarding.roles import Asked
    from tenantry.onboarding.wishes import Wish, write_files

    settings, now = load_settings(), datetime.now(UTC)
    asked = Asked(
        label=label,
        above=above,
        label_delay=label_delay,
        label_time=label_time,
        event_time=event_time,
        lead=lead,
        key=_names(key),
        tenant_column=tenant_column,
        without=_names(without),
        title=title,
    )
    wish = Wish(product, tenant, source, table, description, region, timezone, pooled, asked)
    found = propose(settings, wish, parse_moment(as_of) if as_of else now, now)
    written: tuple[Path, ...] = ()
    if yes and not dry_run:
        written = write_files(settings.specs, found.files)
    if output is OutputFormat.json:
        print_json(to_facts(found, written))
    else:
        _print(found, written, Console(highlight=False))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def to_facts(found: "Proposal", written: tuple[Path, ...]) -> dict[str, Any]:
    """Return what JSON says of a proposal: all of it, and which files were written."""
    estimate = {"sentence": found.estimate.sentence} if found.estimate else {}
    facts = found.model_dump(mode="json")
    if found.estimate:
        facts["estimate"] |= estimate
    return facts | {"written": [str(path) for path in written]}


def _print(found: "Proposal", written: tuple[Path, ...], console: Console) -> None:
    for name, text in sorted(found.files.items()):
        console.print(Text(f"# {name}", style="bold"))
        console.print(Syntax(text.rstrip(), "yaml", background_color="default", word_wrap=True))
    if found.reasons:
        table = Table("field", "proposed", "why", title="Why", title_justify="left")
        for reason in found.reasons:
            table.add_row(*map(Text, (reason.path, reason.value, reason.why)))
        console.print(table)
    for line in _lines(found):
        console.print(line)
    for note in found.notes:
        console.print(Text(f"Mind: {note}.", style="yellow"))
    if written:
        names = " ".join(str(path) for path in written)
        console.print(f"Written: {names}")
        console.print("Commit it; `make render` where Kubeflow takes specs from Git.")
    else:
        console.print("Nothing was written; --yes does it.")


def _lines(found: "Proposal") -> Iterator[Text]:
    quality = found.quality
    span = (
        f", {quality.first_event:%Y-%m-%d} to {quality.last_event:%Y-%m-%d}" if quality.rows else ""
    )
    yield _line("rows", f"{quality.sentence}{span}; {quality.labelled:,} with a known label")
    for due in found.due:
        yield _line(f"next run: {due.action}", due.reason)
    if not found.due:
        yield _line("next run", found.note or "nothing is due")
    if found.pooled:
        yield _line("pooled model", f"trained, {found.pooled}")
    yield _line("cost", f"about {found.cpu_seconds:,.1f} CPU-seconds")
    estimate = found.estimate.sentence if found.estimate else f"none: {found.silence}"
    yield _line("estimate", estimate)


def _line(name: str, words: str) -> Text:
    return Text.assemble((f"{name:<18}", "dim"), words)
