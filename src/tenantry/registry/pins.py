"""Hold a tenant's champion, and let it go again."""

from datetime import datetime
from uuid import uuid4

from tenantry.champions import Champion, Pin, describe_pin
from tenantry.crowning import move_champion
from tenantry.errors import Fault, NothingToDoError, RegistryError
from tenantry.openings import opened
from tenantry.registry.orders import Order, record_pin
from tenantry.registry.versions import last_moment, require_champion
from tenantry.serving.follow import follow
from tenantry.store.contract import ObjectStore
from tenantry.truth import read_state


def pin(store: ObjectStore, product: str, tenant: str, *, order: Order, version: str = "") -> Pin:
    """Hold a tenant's champion: no other is trained or crowned, by no run, until it is let go.

    Args:
        store: The store.
        product: The product.
        tenant: The tenant.
        order: Whose order, and why.
        version: What is to be held, and must reign; whatever reigns when empty.

    Raises:
        RegistryError: See `check_pin`; or someone moved the champion meanwhile.
    """
    champion = check_pin(store, product, tenant, version)
    current, as_of = champion.current.version, _as_of(store, product, tenant, champion)

    def change(found: Champion | None) -> Champion:
        if found is None or found.pin or found.current.version != current:
            raise _moved(product, tenant)
        made = _hold(found, current, order, as_of)
        return found.model_copy(update={"counter": made.turn, "pin": made})

    with opened(store, product, [tenant], run=f"pin-{uuid4().hex}"):
        pinned = move_champion(store, product, tenant, change)
    made = pinned.pin
    if made is None:
        raise _moved(product, tenant)
    follow(store, product, tenant, pinned)
    record_pin(store, product, tenant, kind="pinned", pin=made)
    return made


def check_pin(store: ObjectStore, product: str, tenant: str, version: str = "") -> Champion:
    """Return the champion that a pin would hold; writes nothing but a lost event.

    Raises:
        NothingToDoError: It is pinned already.
        RegistryError: The tenant is unknown, erased or without a model, or another version reigns.
    """
    champion = require_champion(store, product, tenant)
    if champion.pin:  # the order may have died before it left its event
        record_pin(store, product, tenant, kind="pinned", pin=champion.pin)
        fault = Fault(
            f"{product}/{tenant}", f"it is {describe_pin(champion.pin)}", "unpin it first"
        )
        raise NothingToDoError([fault])
    current = champion.current.version
    if version and version != current:
        remedy = f"roll back to it first, or pin {current}"
        fault = Fault(f"{product}/{tenant}", f"{current} reigns, not {version}", remedy)
        raise RegistryError([fault])
    return champion


def unpin(store: ObjectStore, product: str, tenant: str, *, order: Order) -> Pin:
    """Let a tenant's champion go: the next run trains and decides as ever.

    Returns:
        The end of the hold.

    Raises:
        RegistryError: See `check_unpin`; or someone else let it go meanwhile.
    """
    champion, held = check_unpin(store, product, tenant)
    as_of = _as_of(store, product, tenant, champion)

    def change(found: Champion | None) -> Champion:
        if found is None or found.pin != held:
            raise _moved(product, tenant)
        made = _hold(found, held.version, order, as_of)
        return found.model_copy(update={"counter": made.turn, "pin": None, "unpinned": made})

    with opened(store, product, [tenant], run=f"unpin-{uuid4().hex}"):
        free = move_champion(store, product, tenant, change)
    made = free.unpinned
    if made is None:
        raise _moved(product, tenant)
    follow(store, product, tenant, free)
    record_pin(store, product, tenant, kind="unpinned", pin=made)
    return made


def check_unpin(store: ObjectStore, product: str, tenant: str) -> tuple[Champion, Pin]:
    """Return a champion that is pinned, and its pin; writes nothing but a lost event.

    Raises:
        NothingToDoError: It is not pinned.
        RegistryError: The tenant is unknown, erased or without a model.
    """
    champion = require_champion(store, product, tenant)
    if champion.pin:
        return champion, champion.pin
    if champion.unpinned:  # the order may have died before it left its event
        record_pin(store, product, tenant, kind="unpinned", pin=champion.unpinned)
    raise NothingToDoError([Fault(f"{product}/{tenant}", "it is not pinned")])


def _hold(champion: Champion, version: str, order: Order, as_of: datetime) -> Pin:
    return Pin(
        version=version,
        who=order.who,
        why=order.why,
        when=order.when,
        as_of=as_of,
        turn=champion.counter + 1,
    )


def _as_of(store: ObjectStore, product: str, tenant: str, champion: Champion) -> datetime:
    return last_moment(read_state(store, product, tenant)) or champion.current.since


def _moved(product: str, tenant: str) -> RegistryError:
    remedy = "look at its history and order again"
    return RegistryError(
        [Fault(f"{product}/{tenant}", "someone moved its champion meanwhile", remedy)]
    )
