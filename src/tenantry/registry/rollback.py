"""Roll a tenant back: restore a model that reigned before, by a reign that says so.

A rollback is found out first (`find_move`: whom it restores, whether its files are sound) and then
made by one compare-and-swap (`make_move`), which fails when someone moved the champion meanwhile.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from tenantry.champions import Champion, Reign, Restored, describe_pin, describe_rollback
from tenantry.crowning import Seen, move_champion
from tenantry.errors import Fault, NothingToDoError, RegistryError
from tenantry.openings import opened
from tenantry.registry.orders import Order, record_rollback
from tenantry.registry.versions import FileCheck, find_reign, last_moment, require_seen
from tenantry.serving.follow import follow
from tenantry.store.contract import ObjectStore
from tenantry.times import format_moment
from tenantry.truth import read_state


@dataclass(frozen=True)
class Aim:
    """What to go back to; the champion before the present one when nothing is said.

    Attributes:
        version: A version that reigned; empty when another is meant.
        time: Who reigned at this logical time; None when another is meant.
        undo: What the last rollback replaced.
    """

    version: str = ""
    time: datetime | None = None
    undo: bool = False

    @property
    def words(self) -> str:
        """What is meant, in words."""
        if self.time:
            return f"to who reigned as of {format_moment(self.time)}"
        if self.undo:
            return "to what the last rollback replaced"
        return f"to {self.version or 'the champion before'}"


@dataclass(frozen=True)
class Move:
    """A rollback of one tenant.

    Attributes:
        tenant: Whose.
        seen: Its champion when the rollback was found out.
        reign: The reign that restores the earlier model.
    """

    tenant: str
    seen: Seen
    reign: Reign

    @property
    def replaced(self) -> Reign:
        """The reign that reigns until then."""
        return self.seen.champion.current

    @property
    def warning(self) -> str:
        """That someone rolled back what this restores, and why; empty when nobody did."""
        restored = self.reign.restores
        judge = self.seen.champion.revoked.get(restored.place) if restored else None
        return f"{self.reign.version} was {describe_rollback(judge)}" if judge else ""


def find_rollback(  # noqa: PLR0913 - an order's parts
    store: ObjectStore,
    product: str,
    tenant: str,
    aim: Aim,
    *,
    order: Order,
    as_of: datetime | None = None,
) -> Move:
    """Find out what a rollback of a tenant would do.

    Args:
        store: The store.
        product: The product.
        tenant: The tenant.
        aim: What to go back to.
        order: Whose order, and why.
        as_of: From which logical time on; None for the latest at which anything was done for the
            tenant, so that a run repeated at that time follows it, too.

    Raises:
        RegistryError: The tenant is unknown, erased or without a model; and see `find_move`.
    """
    seen = require_seen(store, product, tenant)
    since = as_of or last_moment(read_state(store, product, tenant)) or seen.champion.current.since
    files = FileCheck(store, product)
    return find_move(store, product, tenant, seen, aim, since=since, order=order, files=files)


def make_rollback(store: ObjectStore, product: str, move: Move) -> Reign:
    """Make a rollback that was found out; takes effect for the next prediction of any window.

    Servers follow within seconds.

    Returns:
        The reign that restores the earlier model.

    Raises:
        RegistryError: Someone moved or pinned the champion since.
    """
    with opened(store, product, [move.tenant], run=f"rollback-{uuid4().hex}"):
        champion = make_move(store, product, move)
    follow(store, product, move.tenant, champion)
    return move.reign


def find_move(  # noqa: PLR0913 - an order's parts
    store: ObjectStore,
    product: str,
    tenant: str,
    seen: Seen,
    aim: Aim,
    *,
    since: datetime,
    order: Order,
    files: FileCheck,
) -> Move:
    """Find out what a rollback of a tenant would do; writes nothing but a lost event.

    Raises:
        NothingToDoError: That model reigns already, or there is none to go back to.
        RegistryError: The tenant is pinned; the version is unknown, never reigned or must not be
            used; its files are missing or changed; or a later champion reigns at `since`.
    """
    champion, place = seen.champion, f"{product}/{tenant}"
    _refuse_held(champion, since, place)
    target = _find_target(store, product, tenant, champion, aim)
    if target.version == champion.current.version:
        if champion.current.restores:  # the order may have died before it left its event
            record_rollback(store, product, tenant, champion.current)
        raise NothingToDoError([Fault(place, f"{target.version} reigns already")])
    _refuse_marked(champion, target.version, place)
    files.check(tenant, target)
    return Move(tenant, seen, _restoring(champion, target, since, order))


def make_move(store: ObjectStore, product: str, move: Move) -> Champion:
    """Make a rollback that was found out, of a tenant that is open; leaves an event.

    Returns:
        The champion as stored.

    Raises:
        RegistryError: Someone moved or pinned the champion since.
    """
    replaced = move.replaced

    def change(found: Champion | None) -> Champion:
        if found is None or found.pin or found.current.place != replaced.place:
            fault = f"another champion reigns than {replaced.version}, or it is pinned"
            remedy = "someone moved it meanwhile: look at its history and order again"
            raise _refused(f"{product}/{move.tenant}", fault, remedy)
        _refuse_marked(found, move.reign.version, f"{product}/{move.tenant}")
        return found.with_reign(move.reign)

    champion = move_champion(store, product, move.tenant, change, move.seen)
    record_rollback(store, product, move.tenant, move.reign)
    return champion


def _refuse_held(champion: Champion, since: datetime, place: str) -> None:
    if champion.pin:
        raise _refused(place, f"it is {describe_pin(champion.pin)}", "unpin it first")
    current = champion.current
    if current.since > since:
        fault = f"{current.version} reigns since {format_moment(current.since)}"
        remedy = f"a rollback as of {format_moment(since)} would change nothing; say --as-of"
        raise _refused(place, fault, remedy)


def _refuse_marked(champion: Champion, version: str, place: str) -> None:
    marks = champion.withdrawn | champion.tainted
    if version in marks:
        raise _refused(place, f"{version} must not be used: {marks[version]}")


def _find_target(
    store: ObjectStore, product: str, tenant: str, champion: Champion, aim: Aim
) -> Reign:
    place = f"{product}/{tenant}"
    version = _find_replaced(champion, place) if aim.undo else aim.version
    if version:
        return find_reign(store, product, tenant, champion=champion, version=version)
    if aim.time:
        reign = champion.as_of(aim.time)
        if reign is None:
            fault = f"nothing reigned as of {format_moment(aim.time)}"
            since = format_moment(champion.reigns[0].since)
            raise NothingToDoError([Fault(place, fault, f"its first model reigns since {since}")])
        return champion.origin(reign)
    return _find_previous(champion, place)


def _find_replaced(champion: Champion, place: str) -> str:
    """Return the version that the last rollback replaced; an undone one has none to undo."""
    restored = champion.current.restores
    if restored is None or restored.replaced not in champion.revoked_versions:
        raise NothingToDoError([Fault(place, "there is no rollback to undo")])
    return restored.replaced


def _find_previous(champion: Champion, place: str) -> Reign:
    """Return the champion before; not twice over, so that an order given twice is done once."""
    current, previous = champion.current, champion.previous
    if current.restores:
        by = current.restores
        fault = f"it was rolled back already, from {by.replaced} to {by.version} by {by.who}"
        remedy = "say --undo to take that back"
        if previous:
            remedy = f"to go further, say --to {previous.version}; {remedy}"
        raise NothingToDoError([Fault(place, fault, remedy)])
    if previous is None:
        raise NothingToDoError([Fault(place, f"{current.version} is its first champion")])
    return champion.origin(previous)


def _restoring(champion: Champion, target: Reign, since: datetime, order: Order) -> Reign:
    """Return the reign that restores `target` from `since` on, after all others of that moment."""
    turns = [reign.turn for reign in champion.reigns if reign.since == since]
    restored = Restored(
        since=target.since,
        version=target.version,
        turn=target.turn,
        replaced=champion.current.version,
        who=order.who,
        why=order.why,
        when=order.when,
    )
    changes: dict[str, object] = {
        "since": since,
        "turn": max(turns, default=-1) + 1,
        "run": "",
        "gate": f"rolled back from {restored.replaced} by {order.who}: {order.why}",
        "evidence": {},
        "previous": restored.replaced,
        "restores": restored,
    }
    return target.model_copy(update=changes)


def _refused(place: str, fault: str, remedy: str = "") -> RegistryError:
    return RegistryError([Fault(place, fault, remedy)])
