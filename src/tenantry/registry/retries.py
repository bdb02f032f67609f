"""What keeps failing: who waits for how long, and how a person lets it be tried again at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import uuid4

from tenantry.backoff import Hold, find_holds
from tenantry.errors import Fault, NothingToDoError
from tenantry.events import Event, write_event
from tenantry.facts import Failure
from tenantry.openings import opened
from tenantry.registry.orders import Order
from tenantry.specs.model import Spec
from tenantry.store.contract import ObjectStore
from tenantry.surveys import survey
from tenantry.truth import read_state


@dataclass(frozen=True)
class Waiting:
    """A stage that failed for a tenant since it last went well.

    Attributes:
        tenant: The tenant.
        hold: How often it failed, and until when it waits (logical time).
    """

    tenant: str
    hold: Hold


def list_waiting(
    store: ObjectStore, product: str, specs: Mapping[str, Spec]
) -> tuple[Waiting, ...]:
    """Return what failed since it last went well, by tenant and stage."""
    known = survey(store, product)
    found = []
    for tenant, spec in sorted(specs.items()):
        holds = find_holds(known.record(tenant).failures, spec.retry)
        found += [Waiting(tenant, holds[stage]) for stage in sorted(holds)]
    return tuple(found)


def clear(
    store: ObjectStore, product: str, tenants: Iterable[str], *, order: Order
) -> dict[str, int]:
    """Clear tenants of their failures, so that the next run tries again; those without stay.

    The clearing holds from the logical time of the last failure on. It is an event in the tenant's
    audit trail.

    Returns:
        Tenant → how many failures were cleared, of those that had any.

    Raises:
        NothingToDoError: None of them has failed since it last went well.
    """
    cleared = {}
    wanted = tuple(tenants)
    with opened(store, product, wanted, run=f"retry-{uuid4().hex}"):
        for tenant in wanted:
            failures = tuple(sorted(read_state(store, product, tenant).failures))
            if failures:
                write_event(store, _cleared(product, tenant, failures, order))
                cleared[tenant] = len(failures)
    if not cleared:
        fault = "nothing has failed since it last went well"
        raise NothingToDoError([Fault(product, fault, "see `tenantry retry` for what has")])
    return cleared


def _cleared(product: str, tenant: str, failures: tuple[Failure, ...], order: Order) -> Event:
    stages = ", ".join(sorted({one.stage for one in failures}))
    return Event(
        kind="cleared",
        as_of=max(one.as_of for one in failures),
        product=product,
        tenant=tenant,
        sentence=f"to be tried again ({stages}), by {order.who}: {order.why}",
        evidence={"failures": len(failures)},
        who=order.who,
        why=order.why,
        when=order.when,
    )
