"""``tenantry policy``: the policies that keep tenants apart in a bucket."""

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tenantry.cli.options import Output, OutputFormat, RegionName
from tenantry.errors import Fault, SettingsError
from tenantry.isolation.grants import tenant_grant
from tenantry.isolation.policies import (
    logging_server_policy,
    publisher_policy,
    run_policy,
    server_policy,
    session_policy,
)
from tenantry.settings import load_settings
from tenantry.store.address import StoreAddress
from tenantry.store.open import find_address


def policy(
    tenant: Annotated[
        str,
        typer.Argument(
            help="product/tenant: what its workers get; sync: the sync job's; serve: the servers';"
            " serve-log: theirs where they keep answers; empty: the run's."
        ),
    ] = "",
    region: RegionName = "",
    output: Output = OutputFormat.json,
) -> None:
    """Print the policy of the bucket's user that runs, or others, are given.

    Give the run's user this policy and no other: by itself it writes plans, ledgers and pooled
    models, and it lends tenants' workers what they need, each for its own tenant.
    """
    address = StoreAddress(find_address(load_settings(), region))
    if address.is_folder:
        raise SettingsError([Fault("TENANTRY_STORE", "is a folder, which has no policies")])
    prefix = f"{address.prefix}/" if address.prefix else ""
    named = {
        "": run_policy,
        "sync": publisher_policy,
        "serve": server_policy,
        "serve-log": logging_server_policy,
    }
    if tenant in named:
        made = named[tenant](address.bucket, prefix)
    else:
        product, _, name = tenant.partition("/")
        made = session_policy(tenant_grant(product, name), address.bucket, prefix)
    if output is OutputFormat.json:
        typer.echo(json.dumps(json.loads(made), indent=2))
    else:
        _print(json.loads(made))


def _print(policy: dict[str, Any]) -> None:
    table = Table("effect", "may", "on", "where")
    for one in policy["Statement"]:
        cells = (one["Effect"], _lines(one["Action"]), _lines(one["Resource"]))
        condition = json.dumps(one["Condition"]) if "Condition" in one else ""
        table.add_row(*map(Text, (*cells, condition)))
    Console(highlight=False).print(table)


def _lines(names: str | list[str]) -> str:
    return names if isinstance(names, str) else "\n".join(names)
