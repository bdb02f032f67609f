"""Roll a whole fleet back: every tenant to who reigned at a time, or as it was before that."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

from tenantry.champions import Champion, lighten
from tenantry.crowning import Seen
from tenantry.erasure.tombstones import erased_tenants
from tenantry.errors import Fault, NothingToDoError, RegistryError, StoreError
from tenantry.openings import Told, opened
from tenantry.registry.orders import Order
from tenantry.registry.rollback import Aim, Move, find_move, make_move
from tenantry.registry.versions import FileCheck, last_moment, list_tenants, require_seen
from tenantry.serving.follow import follow
from tenantry.states import TenantRecord
from tenantry.store.contract import ObjectStore
from tenantry.surveys import survey

_THREADS = 16
"""Tenants that are worked on at once: waiting for the store is most of it."""

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Step:
    """What a fleet's rollback means for one tenant.

    Attributes:
        tenant: Which.
        move: What is to be done; None when nothing is.
        note: Why nothing is; empty when something is.
        is_refused: Whether it should have been, and cannot.
    """

    tenant: str
    move: Move | None = None
    note: str = ""
    is_refused: bool = False


@dataclass(frozen=True)
class FleetRollback:
    """What a rollback of all tenants of a product would do, or has done.

    Attributes:
        product: The product.
        aim: What they go back to.
        since: The logical time from which that reigns.
        steps: What that means for each tenant, by name.
    """

    product: str
    aim: Aim
    since: datetime
    steps: tuple[Step, ...]


def find_fleet_rollback(
    store: ObjectStore,
    product: str,
    aim: Aim,
    order: Order,
    *,
    as_of: datetime | None = None,
) -> FleetRollback:
    """Find out what a rollback of a whole fleet would do.

    Args:
        store: The store.
        product: The product.
        aim: What to go back to: a time, or what the last order to roll back replaced.
        order: Whose order, and why.
        as_of: From which logical time on; None for the latest at which anything was done for any
            of the tenants.

    Raises:
        RegistryError: The store holds no such product.
    """
    tenants = list_tenants(store, product)
    since = as_of or _last_moment(store, product, tenants)
    files, erased = FileCheck(store, product), erased_tenants(store, product)

    def see(tenant: str) -> Seen | RegistryError:
        try:
            return require_seen(store, product, tenant, erased)
        except RegistryError as error:
            return error

    with ThreadPoolExecutor(_THREADS) as pool:
        found = dict(zip(tenants, pool.map(see, tenants), strict=True))
        last = _last_order(one.champion for one in found.values() if isinstance(one, Seen))

        def find(tenant: str) -> Move:
            seen = found[tenant]
            if isinstance(seen, RegistryError):
                raise seen
            if aim.undo and _order_of(seen.champion) != last:
                raise NothingToDoError([Fault(tenant, "the last order did not roll it back")])
            find = partial(find_move, store, product, tenant, seen, aim)
            return find(since=since, order=order, files=files)

        steps = tuple(pool.map(lambda tenant: _step(tenant, partial(find, tenant)), tenants))
    return FleetRollback(product, aim, since, steps)


def _order_of(champion: Champion) -> Order | None:
    """Return the order by which the champion reigns; None when the gate crowned it."""
    restored = champion.current.restores
    return Order(restored.who, restored.why, restored.when) if restored else None


def _last_order(champions: Iterable[Champion]) -> Order | None:
    orders = filter(None, map(_order_of, champions))
    return max(orders, key=lambda one: (one.when, one.who, one.why), default=None)


def make_fleet_rollback(store: ObjectStore, found: FleetRollback) -> FleetRollback:
    """Make a fleet's rollback that was found out.

    A tenant whose champion someone moved meanwhile is refused; the others go on. One that was
    interrupted is completed by ordering it again.

    Returns:
        What was done.
    """
    moving = [step.tenant for step in found.steps if step.move]
    with opened(store, found.product, moving, run=f"rollback-{uuid4().hex}") as told:

        def make(step: Step) -> Step:
            if step.move is None:
                return step
            return _step(step.tenant, partial(_made, store, found.product, step.move, told))

        with ThreadPoolExecutor(_THREADS) as pool:
            steps = tuple(pool.map(make, found.steps))
    return replace(found, steps=steps)


def _made(store: ObjectStore, product: str, move: Move, told: Told) -> Move:
    champion = make_move(store, product, move)
    told.tell(TenantRecord(move.tenant, champion=lighten(champion)))
    follow(store, product, move.tenant, champion)
    return move


def _last_moment(store: ObjectStore, product: str, tenants: Iterable[str]) -> datetime:
    """Return the latest logical time at which anything was done for any tenant, or is now."""
    known = survey(store, product)
    running = [found.opening.as_of for found in known.openings]
    with ThreadPoolExecutor(_THREADS) as pool:
        done = pool.map(lambda tenant: last_moment(known.record(tenant)), tenants)
        return max(filter(None, (*running, *done)), default=_NEVER)


def _step(tenant: str, make: Callable[[], Move]) -> Step:
    try:
        return Step(tenant, make())
    except NothingToDoError as error:
        return Step(tenant, note=_say(error))
    except RegistryError as error:
        return Step(tenant, note=_say(error), is_refused=True)
    except StoreError as error:
        return Step(tenant, note=str(error), is_refused=True)


def _say(error: RegistryError) -> str:
    """Say what is wrong without the place: it is the tenant's own line."""
    parts = ((fault.fault, fault.remedy) for fault in error.faults)
    return "; ".join(text for part in parts for text in part if text)
