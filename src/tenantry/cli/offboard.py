"""``tenantry offboard``: take a tenant off, step by step: retire, erase, remove its file."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from tenantry.cli.erasing import erase_whole, make_case
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
from tenantry.errors import ErasureError, Fault
from tenantry.offboarding import Step, find_step
from tenantry.onboarding.drafts import load_draft
from tenantry.request import PlanRequest
from tenantry.settings import Settings, load_settings
from tenantry.specs.load import Fleet
from tenantry.stages.plan import make_plan
from tenantry.store.contract import ObjectStore

_NEXT = {
    "retire": "Commit it; the next run archives the tenant. Then say this again: it erases.",
    "wait": "Let a run archive it, then say this again.",
    "remove": "Commit that; what no command can delete is on the certificate.",
    "done": "Nothing is left to do.",
}
_DOES = {
    "retire": "writes state: retired into {file}",
    "wait": "is for the next run, which archives it",
    "erase": "erases all that the store holds of it",
    "remove": "removes {file}",
    "done": "is none",
}


def offboard(
    product: ProductName,
    tenant: TenantName,
    why: Why,
    who: Who = "",
    now: Annotated[
        bool,
        typer.Option("--now", help="Erasing: models in use that learnt from it go at once, too."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; else it is only shown.")] = False,
    dry_run: DryRun = False,
    region: RegionName = "",
    output: Output = OutputFormat.table,
) -> None:
    """Take a tenant off: shows the next step, --yes does it; say it again after each.

    First `state: retired` is written into its file (a run then archives it: nothing is trained or
    predicted any more, all can still be read). After that run everything that the store holds of
    it is erased, with a certificate, as by `tenantry erase`. Last its file is removed. What cannot
    be undone is never the first step, and no two steps are done at once.
    """
    settings = load_settings()
    is_meant = yes and not dry_run
    case = make_case(
        settings,
        product,
        tenant,
        why=why,
        who=who,
        region=region,
        now=now,
        is_meant=is_meant,
        output=output,
    )
    step = find_step(case.store, case.fleet, tenant, settings.specs)
    if step.kind == "erase":
        erase_whole(case)
        return
    _check(settings, case.fleet, case.store, tenant, step)
    if is_meant:
        _write(settings, step)
    if output is OutputFormat.json:
        facts = {"product": product, "tenant": tenant, "done": is_meant}
        print_json(facts | step.model_dump(mode="json"))
        return
    typer.echo(f"{product}/{tenant}: {step.why}.")
    typer.echo(f"The next step {_DOES[step.kind].format(file=step.file)}.")
    for line in step.text.splitlines():
        typer.echo(f"  {line}")
    if is_meant or step.kind in ("wait", "done"):
        typer.echo(_NEXT[step.kind])
    else:
        typer.echo("Nothing was written; --yes does it.")


def _check(settings: Settings, fleet: Fleet, store: ObjectStore, tenant: str, step: Step) -> None:
    """Refuse what the next plan would refuse: too many retired at once, the last tenant removed."""
    if step.kind == "retire":
        files = {step.file: step.text}
        made = load_draft(settings.specs, fleet.product, files, settings.connections)
        region = made.specs[tenant].region if made.regions else ""
        make_plan(PlanRequest("dry-run", datetime.now(UTC), region=region), made, store)
    if step.kind == "remove" and len(fleet.specs) == 1:
        fault = Fault(step.file, "is the product's last tenant", "remove the product's folder")
        raise ErasureError([fault])


def _write(settings: Settings, step: Step) -> None:
    path = settings.specs / step.file
    if step.kind == "retire":
        path.write_text(step.text, encoding="utf-8")
    elif step.kind == "remove":
        path.unlink()
