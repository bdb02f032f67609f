"""``tenantry insights``: what can be told of a tenant to people who care for customers."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from tenantry.cli.options import AsOf, ProductName, RegionName, TenantName
from tenantry.dossier import find_tenant
from tenantry.errors import Fault, RegistryError
from tenantry.insights.files import read_all_insights, read_insights
from tenantry.insights.peers import compare
from tenantry.insights.record import Insights
from tenantry.insights.words import (
    tell_acting,
    tell_drivers,
    tell_peers,
    tell_performance,
    tell_segments,
)
from tenantry.regions import store_of
from tenantry.settings import load_settings
from tenantry.specs.load import Fleet, load_product
from tenantry.store.contract import ObjectStore
from tenantry.times import parse_moment


class Form(StrEnum):
    """How insights are written."""

    table = "table"
    json = "json"
    html = "html"


_PARTS = {
    "How good": tell_performance,
    "Acting": tell_acting,
    "Where": tell_segments,
    "Drivers": tell_drivers,
    "Others": tell_peers,
}


def insights(
    product: ProductName,
    tenant: TenantName,
    as_of: AsOf = "",
    region: RegionName = "",
    output: Annotated[
        Form, typer.Option("--output", "-o", help="Sentences, JSON for programs, or a page.")
    ] = Form.table,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write it to this file instead of printing it.")
    ] = None,
) -> None:
    """Tell what a tenant's predictions are worth, what drives them, and where risk concentrates.

    As the last run that judged a window left it, with comparable tenants beside it: only those that
    allow it (`insights.comparable`), five at least, without names. Reads specs and store, writes
    only the file.
    """
    settings = load_settings()
    fleet = load_product(settings.specs, product, connections=settings.connections)
    store = store_of(settings, product, tenant, region)
    find_tenant(store, fleet, tenant)
    moment = parse_moment(as_of) if as_of else datetime.now(UTC)
    told = _with_peers(store, fleet, _read(store, product, tenant, moment), moment)
    if output is Form.table and out is None:
        _print(told)
        return
    content = _write(told, output)
    if out is None:
        typer.echo(content, nl=False)
        return
    out.write_text(content, encoding="utf-8")
    typer.echo(str(out))


def _read(store: ObjectStore, product: str, tenant: str, moment: datetime) -> Insights:
    told = read_insights(store, product, tenant, moment)
    if told is None:
        fault = "no run has judged a window of it so far, or retention removed what was told"
        raise RegistryError([Fault(f"{product}/{tenant}", fault, "see tenantry monitor")])
    return told


def _with_peers(store: ObjectStore, fleet: Fleet, told: Insights, moment: datetime) -> Insights:
    """Add comparable tenants: those of the same store whose specs allow it by now, too."""
    specs = fleet.specs.items()
    names = sorted(
        name for name, one in specs if one.insights.comparable and one.state != "retired"
    )
    if told.tenant not in names:
        return told.model_copy(update={"peers": None})
    others = read_all_insights(store, fleet.product, names, moment)
    return told.model_copy(update={"peers": compare(told, others)})


def _write(told: Insights, output: Form) -> str:
    if output is Form.json:
        return told.model_dump_json(indent=2) + "\n"
    if output is Form.html:
        from tenantry.report.insights_page import render_insights_page  # servers lack its library

        return render_insights_page(told)
    return "".join(f"{name}: {words}\n" for name, tell in _PARTS.items() for words in tell(told))


def _print(told: Insights) -> None:
    console = Console(highlight=False)
    head = f"{told.product}/{told.tenant}: {told.label}, as of {told.as_of:%F}"
    console.print(Text(head, style="bold"))
    for name, tell in _PARTS.items():
        for place, words in enumerate(tell(told)):
            console.print(Text(f"{'' if place else name:<10}", style="bold"), Text(words), sep="")
