"""Roll a whole fleet back to a time: every tenant to the model that reigned then."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from tenantry.erasure.tombstones import erased_tenants
from tenantry.errors import NothingToDoError, RegistryError, StoreError
from tenantry.registry.orders import Order
from tenantry.registry.rollback import Aim, Move, find_move, make_move
from tenantry.registry.versions import FileCheck, last_moment, list_tenants, require_seen
from tenantry.store.contract import ObjectStore
from tenantry.truth import read_state

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
    """What a rollback of a product's tenants to a time would do, or has done.

    Attributes:
        product: The product.
        time: The logical time whose champions are to reign again.
        since: The logical time from which they do.
        steps: What that means for each tenant, by name.
    """

    product: str
    time: datetime
    since: datetime
    steps: tuple[Step, ...]


def find_fleet_rollback(
    store: ObjectStore,
    product: str,
    time: datetime,
    order: Order,
    *,
    as_of: datetime | None = None,
) -> FleetRollback:
    """Find out what a rollback of a whole fleet to a time would do.

    Args:
        store: The store.
        product: The product.
        time: The logical time whose champions are to reign again.
        order: Whose order, and why.
        as_of: From which logical time on; None for the latest at which anything was done for any
            of the tenants.

    Raises:
        RegistryError: The store holds no such product.
    """
    tenants = list_tenants(store, product)
    since = as_of or _last_moment(store, product, tenants)
    files, erased = FileCheck(store, product), erased_tenants(store, product)

    def find(tenant: str) -> Move:
        seen = require_seen(store, product, tenant, erased)
        aim = Aim(time=time)
        return find_move(store, product, tenant, seen, aim, since=since, order=order, files=files)

    with ThreadPoolExecutor(_THREADS) as pool:
        steps = tuple(pool.map(lambda tenant: _step(tenant, partial(find, tenant)), tenants))
    return FleetRollback(product, time, since, steps)


def make_fleet_rollback(store: ObjectStore, found: FleetRollback) -> FleetRollback:
    """Make a fleet's rollback that was found out.

    A tenant whose champion someone moved meanwhile is refused; the others go on. One that was
    interrupted is completed by ordering it again.

    Returns:
        What was done.
    """

    def make(step: Step) -> Step:
        if step.move is None:
            return step
        return _step(step.tenant, partial(_made, store, found.product, step.move))

    with ThreadPoolExecutor(_THREADS) as pool:
        steps = tuple(pool.map(make, found.steps))
    return replace(found, steps=steps)


def _made(store: ObjectStore, product: str, move: Move) -> Move:
    make_move(store, product, move)
    return move


def _last_moment(store: ObjectStore, product: str, tenants: Iterable[str]) -> datetime:
    def read(tenant: str) -> datetime | None:
        return last_moment(read_state(store, product, tenant))

    with ThreadPoolExecutor(_THREADS) as pool:
        return max(filter(None, pool.map(read, tenants)), default=_NEVER)


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
