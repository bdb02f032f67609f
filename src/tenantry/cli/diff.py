"""``tenantry diff``: two versions of a tenant's model side by side."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tenantry.cli.options import (
    Output,
    OutputFormat,
    ProductName,
    RegionName,
    TenantName,
    print_json,
)
from tenantry.regions import store_of
from tenantry.registry.diff import Diff, Line, compare_versions
from tenantry.settings import load_settings
from tenantry.specs.changes import Value


def diff(
    product: ProductName,
    tenant: TenantName,
    one: Annotated[str, typer.Argument(help="A version; `tenantry history` lists them.")],
    other: Annotated[str, typer.Argument(help="Another version.")],
    every: Annotated[bool, typer.Option("--all", help="Also what is the same in both.")] = False,
    region: RegionName = "",
    output: Output = OutputFormat.table,
) -> None:
    """Show what differs between two versions: data, model, spec, features, scores, size.

    Of the specs only what differs is shown, of the rest all of it with --all. Reads the store,
    writes nothing.
    """
    found = compare_versions(
        store_of(load_settings(), product, tenant, region), product, tenant, one, other
    )
    if output is OutputFormat.json:
        print_json(to_facts(found))
        return
    console = Console(highlight=False)
    console.print(Text(f"{tenant} of {product}", style="bold"))
    console.print(_table(found, every=every))
    same = sum(not line.differs for line in found.lines)
    if same and not every:
        console.print(Text(f"{same} more are the same; --all shows them.", style="dim"))
    for note in found.notes:
        console.print(Text(note, style="yellow"))


def to_facts(found: Diff) -> dict[str, Any]:
    """Return what JSON says of two versions: every property, the same or not, by part."""
    parts: dict[str, dict[str, Any]] = {}
    for line in found.lines:
        sides = {"one": line.one, "other": line.other, "differs": line.differs}
        parts.setdefault(line.part, {})[line.name] = sides
    return {
        "product": found.product,
        "tenant": found.tenant,
        "one": found.one,
        "other": found.other,
        "parts": parts,
        "notes": list(found.notes),
    }


def _table(found: Diff, *, every: bool) -> Table:
    table = Table("", "", found.one, found.other, "change")
    part = ""
    for line in found.lines:
        if not (every or line.differs):
            continue
        head = "" if line.part == part else line.part
        part = line.part
        cells = (head, line.name, _say(line.one), _say(line.other), _change(line))
        table.add_row(*map(Text, cells), style="" if line.differs else "dim")
    return table


def _say(value: Value) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4f}" if isinstance(value, float) else value


def _change(line: Line) -> str:
    numbers = [value for value in (line.one, line.other) if isinstance(value, int | float)]
    if not line.differs or len(numbers) < 2 or any(isinstance(one, bool) for one in numbers):
        return ""
    change = numbers[1] - numbers[0]
    return f"{change:+,}" if isinstance(change, int) else f"{change:+.4f}"
