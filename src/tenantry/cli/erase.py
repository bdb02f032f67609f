"""``tenantry erase``: a tenant's every byte, or the rows of one data subject."""

from typing import Annotated

import typer

from tenantry.cli.erasing import erase_subject, erase_whole, lift, make_case
from tenantry.cli.keys import read_keys
from tenantry.cli.options import (
    DryRun,
    Output,
    OutputFormat,
    ProductName,
    RegionName,
    TenantName,
    Who,
)
from tenantry.settings import load_settings

_Why = Annotated[str, typer.Option("--why", help="The reason, for the certificate.")]
_Key = Annotated[
    list[str] | None,
    typer.Option(
        "--key",
        help="Rows only: column=value[,column=value]. Can be repeated.",
        metavar="COLUMN=VALUE",
    ),
]
_KeysFile = Annotated[
    str,
    typer.Option(
        "--keys-file",
        help="Rows only: a CSV file, its head the columns; - is standard input.",
        metavar="FILE",
    ),
]
_Now = Annotated[
    bool, typer.Option("--now", help="Models in use that learnt from it go at once, too.")
]
_EvenActive = Annotated[
    bool, typer.Option("--even-active", help="Even a tenant that was not retired.")
]
_Lift = Annotated[
    bool, typer.Option("--lift", help="Let the name of an erased tenant be used again.")
]
_Yes = Annotated[bool, typer.Option("--yes", help="Do it; else it is only shown.")]


def erase(
    product: ProductName,
    tenant: TenantName,
    why: _Why,
    who: Who = "",
    key: _Key = None,
    keys_file: _KeysFile = "",
    now: _Now = False,
    even_active: _EvenActive = False,
    lift_tombstone: _Lift = False,
    yes: _Yes = False,
    dry_run: DryRun = False,
    region: RegionName = "",
    output: Output = OutputFormat.table,
) -> None:
    """Erase a tenant for good, or with --key the rows of one data subject. Shows first; --yes does.

    A tenant must be retired. A tombstone is put first; then everything below its prefix goes, every
    version of it, and its lines in runs, ledgers and the index. With --key, rows go from snapshots,
    features, predictions and evaluations, and are never read again; the other rows stay as they
    are. Models that learnt from what is erased and are in use (the tenant's champion; pooled models
    under other tenants' champions) are replaced by the next run and removed then; --now removes
    them at once, and whoever stood on them is predicted again after the next run.

    Prints a certificate, and what is left to you. Run it again when it was interrupted.
    """
    case = make_case(
        load_settings(),
        product,
        tenant,
        why=why,
        who=who,
        region=region,
        now=now,
        is_meant=yes and not dry_run,
        output=output,
    )
    if lift_tombstone:
        lift(case)
    elif key or keys_file:
        erase_subject(case, *read_keys(key or [], keys_file))
    else:
        erase_whole(case, even_active=even_active)
