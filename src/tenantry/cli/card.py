"""``tenantry card``: a model's card as a page."""

from pathlib import Path
from typing import Annotated

import typer

from tenantry.champions import read_champion
from tenantry.cli.options import (
    Output,
    OutputFormat,
    ProductName,
    RegionName,
    TenantName,
    print_json,
)
from tenantry.dossier import find_tenant
from tenantry.errors import ModelFileError, ObjectMissingError
from tenantry.models.card import read_card
from tenantry.regions import store_of
from tenantry.settings import load_settings
from tenantry.specs.load import load_product
from tenantry.specs.model import Spec
from tenantry.store.contract import ObjectStore


def card(
    product: ProductName,
    tenant: TenantName,
    version: Annotated[
        str, typer.Option("--version", help="The model. Empty: the champion.", metavar="VERSION")
    ] = "",
    out: Annotated[
        Path | None, typer.Option("--out", help="Where to write it. Empty: <tenant>-<version>.html")
    ] = None,
    region: RegionName = "",
    output: Output = OutputFormat.table,
) -> None:
    """Write a model's card as one HTML page: what it predicts, how well, and for whom not.

    The page is the one that the gate left; one of a model from before there were pages is made by
    today's spec. Reads specs and store, writes only the file; with --output json it prints the
    card itself, and writes a file only where --out names one.
    """
    from tenantry.report.model_card import card_page_key

    settings = load_settings()
    fleet = load_product(settings.specs, product, connections=settings.connections)
    store = store_of(settings, product, tenant, region)
    spec = find_tenant(store, fleet, tenant)
    wanted = version or _champion(store, product, tenant)
    if output is OutputFormat.json:
        print_json(read_card(store, product, tenant, wanted).model_dump(mode="json"))
        if out is None:
            return
    try:
        page = store.get(card_page_key(product, tenant, wanted)).content
    except ObjectMissingError:
        page = _render(store, spec, wanted)
    file = out or Path(f"{tenant}-{wanted}.html")
    file.write_bytes(page)
    typer.echo(str(file), err=output is OutputFormat.json)


def _champion(store: ObjectStore, product: str, tenant: str) -> str:
    champion = read_champion(store, product, tenant)
    if champion is None or not champion.standing:
        msg = f"{tenant} of {product} has no champion; see tenantry show {product} {tenant}"
        raise ModelFileError(msg)
    return champion.current.version


def _render(store: ObjectStore, spec: Spec | None, version: str) -> bytes:
    from tenantry.report.model_card import render_model_card
    from tenantry.report.model_facts import read_model_facts

    if spec is None:
        msg = "no spec declares the tenant any more, and the gate left no page of this model"
        raise ModelFileError(msg)
    return render_model_card(read_model_facts(store, spec, version)).encode()
