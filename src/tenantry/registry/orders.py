"""Orders of people, and what they leave in the audit trail."""

from dataclasses import dataclass
from datetime import datetime

from tenantry.champions import Pin, Reign, describe_rollback
from tenantry.errors import Fault, RegistryError
from tenantry.events import Event, Kind, write_event
from tenantry.store.contract import ObjectStore
from tenantry.text import is_text

MONITOR = "monitor"
"""Who gives the orders that a run gives itself, in the audit trail."""

_MAX_LENGTH = 500


@dataclass(frozen=True)
class Order:
    """A person's order.

    Attributes:
        who: Who gives it.
        why: The reason.
        when: When, by the clock on the wall.
    """

    who: str
    why: str
    when: datetime


def make_order(who: str, why: str, when: datetime) -> Order:
    """Return an order that can stand in the audit trail.

    Raises:
        RegistryError: Nobody gives it, or there is no reason; or either is too long.
    """
    order = Order(who.strip(), " ".join(why.split()), when.replace(microsecond=0))
    faults = []
    if not order.who:
        faults.append(Fault("--who", "nobody gives this order", "say who, or set USER"))
    if not order.why:
        faults.append(Fault("--why", "there is no reason", "say it in a few words"))
    for place, text in (("--who", order.who), ("--why", order.why)):
        if not is_text(text):
            faults.append(Fault(place, "holds control characters", "write plain text"))
        if len(text) > _MAX_LENGTH:
            faults.append(Fault(place, f"{len(text)} characters", f"{_MAX_LENGTH} at most"))
    if faults:
        raise RegistryError(faults)
    return order


def record_rollback(store: ObjectStore, product: str, tenant: str, reign: Reign) -> str:
    """Leave a rollback in the audit trail, by the reign it made; return the event's key."""
    if reign.restores is None:
        msg = f"{product}/{tenant}: the reign of {reign.version} restores nothing"
        raise ValueError(msg)
    event = Event(
        kind="rolled_back",
        as_of=reign.since,
        product=product,
        tenant=tenant,
        version=reign.version,
        training_digest=reign.training_digest,
        sentence=f"{reign.restores.replaced} was {describe_rollback(reign)}",
        evidence={"replaced": reign.restores.replaced},
        turn=reign.turn,
        who=reign.restores.who,
        why=reign.restores.why,
        when=reign.restores.when,
    )
    return write_event(store, event)


def record_pin(store: ObjectStore, product: str, tenant: str, *, kind: Kind, pin: Pin) -> str:
    """Leave a pin, or its end, in the audit trail; return the event's key."""
    event = Event(
        kind=kind,
        as_of=pin.as_of,
        product=product,
        tenant=tenant,
        version=pin.version,
        sentence=f"{kind} by {pin.who}: {pin.why}",
        turn=pin.turn,
        who=pin.who,
        why=pin.why,
        when=pin.when,
    )
    return write_event(store, event)
