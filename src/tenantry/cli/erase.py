"""``tenantry erase``: a tenant's every byte, or the rows of one data subject."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from tenantry.cli.keys import read_keys as read_key_options
from tenantry.cli.options import Output, OutputFormat, ProductName, RegionName, Who, print_json
from tenantry.erasure.certificate import Certificate, remaining, to_text
from tenantry.erasure.completion import active_tenants
from tenantry.erasure.elsewhere import erase_rows_from_pools, mate_stores
from tenantry.erasure.pools import pools_fed_by
from tenantry.erasure.tenant import (
    Survey,
    erase_tenant,
    lift_tombstone,
    survey_tenant,
)
from tenantry.erasure.tombstones import Tombstone, is_erased
from tenantry.errors import ErasureError, Fault
from tenantry.regions import home_of
from tenantry.registry.orders import Order, make_order
from tenantry.settings import load_settings
from tenantry.specs.load import Fleet, load_product
from tenantry.store.contract import ObjectStore
from tenantry.store.open import open_store
from tenantry.truth import read_state

_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class _Case:
    """An order and what it is about; `elsewhere` are the other stores of its zone, by region."""

    store: ObjectStore
    fleet: Fleet
    product: str
    tenant: str
    order: Order
    now: bool
    is_meant: bool
    output: OutputFormat
    elsewhere: Mapping[str, ObjectStore] = field(default_factory=dict)


def erase(
    product: ProductName,
    tenant: Annotated[str, typer.Argument(help="The tenant.")],
    why: Annotated[str, typer.Option("--why", help="The reason, for the certificate.")],
    who: Who = "",
    key: Annotated[
        list[str] | None,
        typer.Option(
            "--key",
            help="Rows only: column=value[,column=value]. Can be repeated.",
            metavar="COLUMN=VALUE",
        ),
    ] = None,
    keys_file: Annotated[
        str,
        typer.Option(
            "--keys-file",
            help="Rows only: a CSV file, its head the columns; - is standard input.",
            metavar="FILE",
        ),
    ] = "",
    now: Annotated[
        bool,
        typer.Option("--now", help="Models in use that learnt from it go at once, too."),
    ] = False,
    even_active: Annotated[
        bool, typer.Option("--even-active", help="Even a tenant that was not retired.")
    ] = False,
    lift: Annotated[
        bool, typer.Option("--lift", help="Let the name of an erased tenant be used again.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; else it is only shown.")] = False,
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
    settings = load_settings()
    home = home_of(settings, product, tenant, region)
    fleet = load_product(settings.specs, product, connections=settings.connections)
    case = _Case(
        store=open_store(settings, home),
        fleet=fleet,
        product=product,
        tenant=tenant,
        order=make_order(who or settings.user, why, datetime.now(UTC)),
        now=now,
        is_meant=yes,
        output=output,
        elsewhere=mate_stores(settings, fleet, tenant, home),
    )
    if lift:
        _lift(case)
    elif key or keys_file:
        _erase_rows(case, *read_key_options(key or [], keys_file))
    else:
        _erase_tenant(case, even_active=even_active)


# --- a tenant -------------------------------------------------------------------------------------


def _erase_tenant(case: _Case, *, even_active: bool) -> None:
    active = active_tenants(case.fleet.specs)
    survey = survey_tenant(case.store, case.product, case.tenant, active)
    was_erased = is_erased(case.store, case.product, case.tenant)
    _refuse_tenant(case, survey, even_active=even_active or was_erased)
    if not case.is_meant:
        _show_survey(case, survey)
        return
    stone = Tombstone(
        product=case.product,
        tenant=case.tenant,
        when=case.order.when,
        who=case.order.who,
        why=case.order.why,
    )
    elsewhere = {
        region: erase_tenant(store, stone, active, now=case.now)
        for region, store in case.elsewhere.items()
    }
    _print(case, erase_tenant(case.store, stone, active, now=case.now), elsewhere=elsewhere)


def _refuse_tenant(case: _Case, survey: Survey, *, even_active: bool) -> None:
    place = f"{case.product}/{case.tenant}"
    if not even_active and not survey.found and not survey.runs:
        fault = Fault(place, "the store holds nothing of it", "check the names of both")
        raise ErasureError([fault])
    state = read_state(case.store, case.product, case.tenant).as_of(_END_OF_TIME)
    if not even_active and not state.retired:
        remedy = "write state: retired into its spec and run once, or say --even-active"
        raise ErasureError([Fault(place, "is not retired", remedy)])


def _show_survey(case: _Case, survey: Survey) -> None:
    draft = Certificate(
        of="tenant",
        product=case.product,
        tenant=case.tenant,
        when=case.order.when,
        who=case.order.who,
        why=case.order.why,
        removed=survey.found,
        pooled=survey.pooled,
        waiting=() if case.now else tuple(survey.in_use),
        runs=survey.runs,
    )
    notes = [
        f"pooled model {pool}: the champions of {_some(names)} stand on it"
        for pool, names in survey.in_use.items()
    ]
    if survey.working:
        notes.append(f"runs at work on it now: {_some(survey.working)}; they will remove the rest")
    notes += _notes_elsewhere(case)
    _print(case, draft, notes)


def _notes_elsewhere(case: _Case) -> Iterator[str]:
    for region, store in case.elsewhere.items():
        for pool in pools_fed_by(store, case.product, case.tenant):
            yield f"pooled model {pool} of region {region} learnt from it, too"


# --- rows -----------------------------------------------------------------------------------------


def _erase_rows(case: _Case, columns: Sequence[str], values: Sequence[Sequence[str]]) -> None:
    from tenantry.erasure.subject import erase_rows, preview_rows, read_keys

    spec = case.fleet.specs.get(case.tenant)
    if spec is None or is_erased(case.store, case.product, case.tenant):
        fault = "was erased" if spec else "has no spec, which says what its columns are"
        raise ErasureError([Fault(f"{case.product}/{case.tenant}", fault)])
    active = active_tenants(case.fleet.specs)
    keys = read_keys(spec, columns, values)
    order = case.order
    if case.is_meant:
        elsewhere = {
            region: erase_rows_from_pools(
                store, spec, keys, order=order, active=active, now=case.now
            )
            for region, store in case.elsewhere.items()
        }
        done = erase_rows(
            case.store,
            spec,
            keys,
            who=order.who,
            why=order.why,
            when=order.when,
            active=active,
            now=case.now,
        )
        _print(case, done, elsewhere=elsewhere)
        return
    found = preview_rows(case.store, spec, keys, active)
    draft = Certificate(
        of="rows",
        product=case.product,
        tenant=case.tenant,
        when=order.when,
        who=order.who,
        why=order.why,
        columns=tuple(sorted(columns)),
        keys=len(values),
        rows=found.rows,
        models=found.models,
        pooled=found.pooled,
        waiting=() if case.now else tuple(found.in_use),
    )
    notes = [f"{len(found.snapshots)} snapshots hold such rows and are made again"]
    notes += [
        f"pooled model {pool}: the champions of {_some(names)} stand on it"
        for pool, names in found.in_use.items()
    ]
    notes += _notes_elsewhere(case)
    _print(case, draft, notes)


# --- the rest -------------------------------------------------------------------------------------


def _lift(case: _Case) -> None:
    place = f"{case.product}/{case.tenant}"
    if not is_erased(case.store, case.product, case.tenant):
        raise ErasureError([Fault(place, "has no tombstone", "its name can be used")])
    record = Certificate(
        of="lift",
        product=case.product,
        tenant=case.tenant,
        when=case.order.when,
        who=case.order.who,
        why=case.order.why,
    )
    if case.is_meant:
        for store in (*case.elsewhere.values(), case.store):
            lift_tombstone(store, case.product, case.tenant, record)
    _print(case, record)


def _print(
    case: _Case,
    certificate: Certificate,
    notes: Sequence[str] = (),
    elsewhere: Mapping[str, Certificate] | None = None,
) -> None:
    elsewhere = elsewhere or {}
    if case.output is OutputFormat.json:
        facts = _to_facts(case, certificate) | {
            "notes": list(notes),
            "elsewhere": {region: _to_facts(case, one) for region, one in elsewhere.items()},
        }
        print_json(facts)
        return
    text = to_text(certificate)
    typer.echo(text if case.is_meant else text.replace("Certificate of erasure", "Would erase", 1))
    for region, one in elsewhere.items():
        typer.echo(f"\nIn the store of region {region}, of the same residency zone:")
        typer.echo(to_text(one))
    for note in notes:
        typer.echo(f"  {note}")
    if not case.is_meant:
        typer.echo("Nothing was written; --yes does it.")


def _to_facts(case: _Case, certificate: Certificate) -> dict[str, Any]:
    return certificate.model_dump(mode="json") | {
        "done": case.is_meant,
        "digest": certificate.digest if case.is_meant else None,
        "left_to_you": list(remaining(certificate)),
    }


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
