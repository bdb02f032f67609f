"""``tenantry pin`` and ``unpin``: hold a tenant's champion, and let it go."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from tenantry.cli.options import (
    DryRun,
    Output,
    OutputFormat,
    ProductName,
    RegionName,
    TenantName,
    Who,
    Why,
    print_json,
)
from tenantry.regions import store_of
from tenantry.registry import pins
from tenantry.registry.orders import make_order
from tenantry.settings import load_settings


def pin(
    product: ProductName,
    tenant: TenantName,
    why: Why,
    version: Annotated[
        str, typer.Option(help="What must reign to be held. Empty: whatever does.")
    ] = "",
    who: Who = "",
    region: RegionName = "",
    dry_run: DryRun = False,
    output: Output = OutputFormat.table,
) -> None:
    """Hold a tenant's champion: until it is let go, no other is trained or crowned for it.

    Predictions go on, by the champion that is held; so does monitoring. Leaves an event in the
    audit trail. Refused when it is pinned already.
    """
    settings = load_settings()
    order = make_order(who or settings.user, why, datetime.now(UTC))
    store = store_of(settings, product, tenant, region)
    if dry_run:
        held = pins.check_pin(store, product, tenant, version).current.version
        words = f"Would pin {product}/{tenant} to {held}. Nothing was written."
    else:
        held = pins.pin(store, product, tenant, order=order, version=version).version
        words = f"Pinned {product}/{tenant} to {held}; let it go with `tenantry unpin`."
    _tell(words, output, product=product, tenant=tenant, version=held, done=not dry_run)


def unpin(
    product: ProductName,
    tenant: TenantName,
    why: Why,
    who: Who = "",
    region: RegionName = "",
    dry_run: DryRun = False,
    output: Output = OutputFormat.table,
) -> None:
    """Let a tenant's champion go: the next run trains and decides for it as ever.

    Leaves an event in the audit trail. Refused when it is not pinned.
    """
    settings = load_settings()
    order = make_order(who or settings.user, why, datetime.now(UTC))
    store = store_of(settings, product, tenant, region)
    if dry_run:
        version = pins.check_unpin(store, product, tenant)[1].version
        words = f"Would let {product}/{tenant} go, {version}. Nothing was written."
    else:
        version = pins.unpin(store, product, tenant, order=order).version
        words = f"Let {product}/{tenant} go; {version} reigns until another wins."
    _tell(words, output, product=product, tenant=tenant, version=version, done=not dry_run)


def _tell(words: str, output: OutputFormat, **facts: object) -> None:
    if output is OutputFormat.json:
        print_json(facts)
    else:
        typer.echo(words)
