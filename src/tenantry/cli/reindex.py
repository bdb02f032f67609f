"""``tenantry reindex``: compare the index with the tenants' folders, and build it anew."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tenantry.cli.options import DryRun, Output, OutputFormat, ProductName, RegionName, print_json
from tenantry.index import rebuild
from tenantry.serving.mend import find_unserved, rebuild_served
from tenantry.settings import load_settings
from tenantry.store.open import open_store
from tenantry.surveys import find_differences, survey


def reindex(
    product: ProductName,
    yes: Annotated[bool, typer.Option("--yes", help="Build it anew; else only compare.")] = False,
    dry_run: DryRun = False,
    region: RegionName = "",
    output: Output = OutputFormat.table,
) -> None:
    """Compare the index with the tenants' folders; with --yes build it anew from them.

    Plans are made from the index, servers follow that of what is served, and every run keeps both.
    This is for a store that was restored, copied or mended by hand. It reads every tenant's folder,
    which takes a while in a big fleet. Without --yes nothing is written, and the exit code is 1
    when something differs. Tenants that are being worked on are not compared: plans read their
    folders.
    """
    yes = yes and not dry_run
    store = open_store(load_settings(), region)
    differences = find_differences(survey(store, product))
    for tenant, words in find_unserved(store, product).items():
        differences[tenant] = "; ".join(filter(None, (differences.get(tenant, ""), words)))
    if yes:
        rebuild(store, product)
        rebuild_served(store, product)
    if output is OutputFormat.json:
        print_json({"differences": differences, "rebuilt": yes})
    else:
        _print(differences, Console(), rebuilt=yes)
    if differences and not yes:
        raise typer.Exit(1)


def _print(differences: dict[str, str], console: Console, *, rebuilt: bool) -> None:
    if differences:
        table = Table("tenant", "difference")
        for tenant, words in differences.items():
            table.add_row(Text(tenant), Text(words))
        console.print(table)
    count = "1 tenant differs" if len(differences) == 1 else f"{len(differences)} tenants differ"
    rest = "The index was built anew." if rebuilt else "Nothing was written; --yes builds it anew."
    same = "The index is equal to the tenants' folders."
    console.print(f"{count}. {rest}" if differences or rebuilt else same)
