"""``tenantry history``: who reigned when, who was kept back, and what people ordered."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tenantry.champions import describe_pin
from tenantry.cli.options import (
    Output,
    OutputFormat,
    ProductName,
    RegionName,
    TenantName,
    print_json,
)
from tenantry.regions import store_of
from tenantry.registry.history import Chapter, History, read_history
from tenantry.report.words import day
from tenantry.settings import load_settings
from tenantry.times import format_moment

_WORDS = {"rolled_back": "rolled back", "rows_erased": "rows erased"}


def history(
    product: ProductName,
    tenant: TenantName,
    region: RegionName = "",
    output: Output = OutputFormat.table,
) -> None:
    """Show every model that reigned, those the gate kept back, rollbacks and pins; latest first.

    A model reigns until the next one does; one that was rolled back is revoked: no later
    prediction uses it. Reads the store, writes nothing.
    """
    found = read_history(store_of(load_settings(), product, tenant, region), product, tenant)
    if output is OutputFormat.json:
        print_json(to_facts(found))
        return
    console = Console(highlight=False)
    for part in _parts(found):
        console.print(part)


def to_facts(found: History) -> dict[str, Any]:
    """Return what JSON says of a history: what happened by logical time, and the pin."""
    pin = found.champion.pin
    return {
        "product": found.product,
        "tenant": found.tenant,
        "champion": found.champion.current.version,
        "counter": found.champion.counter,
        "pin": pin.model_dump(mode="json") if pin else None,
        "history": [_facts(chapter) for chapter in found.chapters],
    }


def _facts(chapter: Chapter) -> dict[str, Any]:
    moments = {name: getattr(chapter, name) for name in ("as_of", "until", "revoked", "when")}
    return vars(chapter) | {
        name: format_moment(moment) if moment else None for name, moment in moments.items()
    }


def _parts(found: History) -> Iterator[Text | Table]:
    yield Text(f"{found.tenant} of {found.product}", style="bold")
    if found.champion.pin:
        yield Text(f"It is {describe_pin(found.champion.pin)}.", style="yellow")
    table = Table("as of", "what", "version", "recipe", "now", "decision")
    for chapter in reversed(found.chapters):
        cells = (
            day(chapter.as_of),
            _WORDS.get(chapter.kind, chapter.kind),
            chapter.version,
            chapter.recipe,
            _standing(chapter),
            _decision(chapter),
        )
        style = (
            "bold"
            if chapter.is_current
            else "dim"
            if chapter.revoked or chapter.mark == "withdrawn"
            else ""
        )
        table.add_row(*map(Text, cells), style=style)
    yield table


def _standing(chapter: Chapter) -> str:
    if chapter.mark == "withdrawn":
        return "withdrawn: rows were erased"
    if chapter.is_current:
        return "reigns until another does: rows were erased" if chapter.mark else "reigns"
    if chapter.revoked:
        return f"revoked as of {day(chapter.revoked)}"
    return f"until {day(chapter.until)}" if chapter.until else ""


def _decision(chapter: Chapter) -> str:
    when = f" ({chapter.when:%Y-%m-%d %H:%M} UTC)" if chapter.when else ""
    return f"{chapter.sentence}{when}"
