"""``tenantry status``: where each tenant of a product stands."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from rich.box import HEAVY_HEAD, SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tenantry.cli.options import AsOf, Output, OutputFormat, ProductName, RegionName, print_json
from tenantry.monitoring.judgements import IN_WORDS
from tenantry.settings import load_settings
from tenantry.specs.load import load_product
from tenantry.standings import Standing, read_standings
from tenantry.store.open import open_store
from tenantry.times import format_moment, parse_moment

_STYLES = {"decayed": "bold red", "drifted": "yellow", "ok": "green"}
_COLUMNS = ("tenant", "state", "champion", "since", "recipe", "last window", "last judgement")
_WHOLE = {"champion", "since", "recipe", "last window"}
_WIDE = 120
"""Columns of the terminal that the table needs with whole versions and windows."""


def status(
    product: ProductName,
    as_of: AsOf = "",
    region: RegionName = "",
    output: Output = OutputFormat.table,
) -> None:
    """Show each tenant's champion, its last predictions and how they were judged.

    Reads specs and store, writes nothing. A tenant that the store holds and no spec declares is
    shown as one without a spec.
    """
    settings = load_settings()
    moment = parse_moment(as_of) if as_of else datetime.now(UTC)
    fleet = load_product(settings.specs, product, connections=settings.connections)
    standings = read_standings(open_store(settings, region), fleet.serving(region), moment)
    if output is OutputFormat.json:
        facts = [to_facts(standing) for standing in standings]
        print_json(facts)
    else:
        _print(standings, f"{product} as of {format_moment(moment)}", Console())


def to_facts(standing: Standing) -> dict[str, Any]:
    """Return what JSON says of a tenant; None where there is nothing yet."""
    reign, receipt, judgement = standing.reign, standing.receipt, standing.judgement
    return {
        "tenant": standing.tenant,
        "state": standing.state,
        "region": standing.region,
        "champion": reign.version if reign else None,
        "since": format_moment(reign.since) if reign else None,
        "recipe": reign.recipe if reign else None,
        "orders": list(standing.orders),
        "unread": list(standing.unread),
        "last_window": receipt.window if receipt else None,
        "judgement": judgement.status if judgement else None,
        "judged_window": judgement.window if judgement else None,
        "sentence": judgement.sentence if judgement else None,
    }


def _print(standings: tuple[Standing, ...], title: str, console: Console) -> None:
    wide = console.width >= _WIDE
    box, padding = (HEAVY_HEAD, (0, 1)) if wide else (SIMPLE_HEAD, (0, 0))
    table = Table(title=title, title_justify="left", box=box, padding=padding)
    for name in _COLUMNS:
        table.add_column(name, overflow="fold", no_wrap=name in _WHOLE)
    for standing in standings:
        style = "dim" if standing.state != "active" else ""
        table.add_row(*_cells(standing, wide=wide), style=style)
    console.print(table)
    for standing in standings:
        for words in standing.orders:
            console.print(Text(f"{standing.tenant} {words}.", style="yellow"))
        for words in standing.unread:
            console.print(Text(f"{words}.", style="bold red"))
    counts = Counter(standing.state for standing in standings)
    reigning = sum(standing.reign is not None for standing in standings)
    states = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    console.print(f"{len(standings)} tenants: {states}; {reigning} with a champion.")


def _cells(standing: Standing, *, wide: bool) -> tuple[Text, ...]:
    """Return a row's cells; where it is narrow, the version's digest and the window's start."""
    reign, receipt, judgement = standing.reign, standing.receipt, standing.judgement
    version = reign.version if reign else "unknown" if standing.unread else "none"
    window = f"{receipt.span.start:%Y-%m-%d}" if receipt else ""
    return (
        Text(standing.tenant, style="bold"),
        Text(standing.state),
        Text(version if wide else version.rpartition("-")[2]),
        Text(f"{reign.since:%Y-%m-%d}" if reign else ""),
        Text(reign.recipe if reign else ""),
        Text(f"{window} to {receipt.span.end:%Y-%m-%d}" if wide and receipt else window),
        Text(
            IN_WORDS[judgement.status] if judgement else "",
            style=_STYLES.get(judgement.status, "") if judgement else "",
        ),
    )
