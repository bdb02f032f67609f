"""``tenantry pin`` and ``unpin``: hold a tenant's champion, and let it go."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from tenantry.cli.options import DryRun, ProductName, RegionName, TenantName, Who, Why
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
) -> None:
    """Hold a tenant's champion: until it is let go, no other is trained or crowned for it.

    Predictions go on, by the champion that is held; so does monitoring. Leaves an event in the
    audit trail. Refused when it is pinned already.
    """
    settings = load_settings()
    order = make_order(who or settings.user, why, datetime.now(UTC))
    store = store_of(settings, product, tenant, region)
    if dry_run:
        current = pins.check_pin(store, product, tenant, version).current
        typer.echo(f"Would pin {product}/{tenant} to {current.version}. Nothing was written.")
        return
    made = pins.pin(store, product, tenant, order=order, version=version)
    typer.echo(f"Pinned {product}/{tenant} to {made.version}; let it go with `tenantry unpin`.")


def unpin(
    product: ProductName,
    tenant: TenantName,
    why: Why,
    who: Who = "",
    region: RegionName = "",
    dry_run: DryRun = False,
) -> None:
    """Let a tenant's champion go: the next run trains and decides for it as ever.

    Leaves an event in the audit trail. Refused when it is not pinned.
    """
    settings = load_settings()
    order = make_order(who or settings.user, why, datetime.now(UTC))
    store = store_of(settings, product, tenant, region)
    if dry_run:
        _, held = pins.check_unpin(store, product, tenant)
        typer.echo(f"Would let {product}/{tenant} go, {held.version}. Nothing was written.")
        return
    made = pins.unpin(store, product, tenant, order=order)
    typer.echo(f"Let {product}/{tenant} go; {made.version} reigns until another wins.")
