"""Erasing as commands show and order it: a tenant, or the rows of a data subject."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import typer

from tenantry.cli.options import OutputFormat, print_json
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
from tenantry.settings import Settings
from tenantry.specs.load import Fleet, load_product
from tenantry.specs.model import Spec
from tenantry.store.contract import ObjectStore
from tenantry.store.open import open_store
from tenantry.truth import read_state

if TYPE_CHECKING:
    import pandas as pd

_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """An order and what it is about.

    Attributes:
        store: The tenant's store.
        fleet: Its product.
        product: The product's name.
        tenant: The tenant's.
        order: Who orders it, when and why.
        now: Whether models in use that learnt from it go at once.
        is_meant: Whether it is done; else it is only shown.
        output: How it is told.
        elsewhere: The other stores of its zone, by region.
    """

    store: ObjectStore
    fleet: Fleet
    product: str
    tenant: str
    order: Order
    now: bool
    is_meant: bool
    output: OutputFormat
    elsewhere: Mapping[str, ObjectStore] = field(default_factory=dict)


def make_case(
    settings: Settings,
    product: str,
    tenant: str,
    *,
    why: str,
    who: str,
    region: str,
    now: bool,
    is_meant: bool,
    output: OutputFormat,
) -> Case:
    """Make the case of an order; arguments are those of the command."""
    home = home_of(settings, product, tenant, region)
    fleet = load_product(settings.specs, product, connections=settings.connections)
    return Case(
        store=open_store(settings, home),
        fleet=fleet,
        product=product,
        tenant=tenant,
        order=make_order(who or settings.user, why, datetime.now(UTC)),
        now=now,
        is_meant=is_meant,
        output=output,
        elsewhere=mate_stores(settings, fleet, tenant, home),
    )


# --- a tenant -------------------------------------------------------------------------------------


def erase_whole(case: Case, *, even_active: bool = False) -> None:
    """Erase a tenant, or show what that would concern.

    Raises:
        ErasureError: The store holds nothing of it, or it was not retired.
    """
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


def _refuse_tenant(case: Case, survey: Survey, *, even_active: bool) -> None:
    place = f"{case.product}/{case.tenant}"
    if not even_active and not survey.found and not survey.runs:
        fault = Fault(place, "the store holds nothing of it", "check the names of both")
        raise ErasureError([fault])
    state = read_state(case.store, case.product, case.tenant).as_of(_END_OF_TIME)
    if not even_active and not state.retired:
        remedy = "write state: retired into its spec and run once, or say --even-active"
        raise ErasureError([Fault(place, "is not retired", remedy)])


def _show_survey(case: Case, survey: Survey) -> None:
    draft = _draft(case, "tenant").model_copy(
        update={
            "removed": survey.found,
            "pooled": survey.pooled,
            "waiting": () if case.now else tuple(survey.in_use),
            "runs": survey.runs,
        }
    )
    notes = [*_notes_of_use(survey.in_use)]
    if survey.working:
        notes.append(f"runs at work on it now: {_some(survey.working)}; they will remove the rest")
    notes += _notes_elsewhere(case)
    _print(case, draft, notes)


def _draft(case: Case, of: Literal["tenant", "rows", "lift"]) -> Certificate:
    return Certificate(
        of=of,
        product=case.product,
        tenant=case.tenant,
        when=case.order.when,
        who=case.order.who,
        why=case.order.why,
    )


def _notes_of_use(in_use: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for pool, names in in_use.items():
        yield f"pooled model {pool}: the champions of {_some(names)} stand on it"


def _notes_elsewhere(case: Case) -> Iterator[str]:
    for region, store in case.elsewhere.items():
        for pool in pools_fed_by(store, case.product, case.tenant):
            yield f"pooled model {pool} of region {region} learnt from it, too"


# --- rows -----------------------------------------------------------------------------------------


def erase_subject(case: Case, columns: Sequence[str], values: Sequence[Sequence[str]]) -> None:
    """Erase the rows of keys, or show what that would concern.

    Raises:
        ErasureError: The tenant has no spec, or was erased; a key is none.
    """
    from tenantry.erasure.subject import read_keys

    spec = case.fleet.specs.get(case.tenant)
    if spec is None or is_erased(case.store, case.product, case.tenant):
        fault = "was erased" if spec else "has no spec, which says what its columns are"
        raise ErasureError([Fault(f"{case.product}/{case.tenant}", fault)])
    keys = read_keys(spec, columns, values)
    if case.is_meant:
        _do_erase_rows(case, spec, keys)
    else:
        _show_rows(case, spec, keys)


def _do_erase_rows(case: Case, spec: Spec, keys: "pd.DataFrame") -> None:
    from tenantry.erasure.subject import erase_rows

    active, order = active_tenants(case.fleet.specs), case.order
    elsewhere = {
        region: erase_rows_from_pools(store, spec, keys, order=order, active=active, now=case.now)
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


def _show_rows(case: Case, spec: Spec, keys: "pd.DataFrame") -> None:
    from tenantry.erasure.subject import preview_rows

    found = preview_rows(case.store, spec, keys, active_tenants(case.fleet.specs))
    draft = _draft(case, "rows").model_copy(
        update={
            "columns": tuple(sorted(map(str, keys.columns))),
            "keys": len(keys),
            "rows": found.rows,
            "models": found.models,
            "pooled": found.pooled,
            "waiting": () if case.now else tuple(found.in_use),
        }
    )
    notes = [f"{len(found.snapshots)} snapshots hold such rows and are made again"]
    notes += _notes_of_use(found.in_use)
    notes += _notes_elsewhere(case)
    _print(case, draft, notes)


# --- the rest -------------------------------------------------------------------------------------


def lift(case: Case) -> None:
    """Let the name of an erased tenant be used again, or show that.

    Raises:
        ErasureError: It has no tombstone.
    """
    place = f"{case.product}/{case.tenant}"
    if not is_erased(case.store, case.product, case.tenant):
        raise ErasureError([Fault(place, "has no tombstone", "its name can be used")])
    record = _draft(case, "lift")
    if case.is_meant:
        for store in (*case.elsewhere.values(), case.store):
            lift_tombstone(store, case.product, case.tenant, record)
    _print(case, record)


def _print(
    case: Case,
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


def _to_facts(case: Case, certificate: Certificate) -> dict[str, Any]:
    return certificate.model_dump(mode="json") | {
        "done": case.is_meant,
        "digest": certificate.digest if case.is_meant else None,
        "left_to_you": list(remaining(certificate)),
    }


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
