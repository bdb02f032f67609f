"""Moving a tenant's champion: every change of its pointer is one compare-and-swap."""

from collections.abc import Callable
from typing import NamedTuple

from tenantry import layout
from tenantry.champions import Champion, Reign
from tenantry.errors import ChampionMovedError
from tenantry.reigns import read_reigns, swap
from tenantry.store.contract import ObjectStore

Change = Callable[[Champion | None], Champion]
"""Makes the pointer that is to be of the one that is."""


class Seen(NamedTuple):
    """A champion as it was read, and the tag by which its pointer is swapped."""

    champion: Champion
    tag: str


def see_champion(store: ObjectStore, product: str, tenant: str) -> Seen | None:
    """Read a tenant's champion to move it or to crown another; None when none was ever crowned.

    Raises:
        ValueError: The object is not such a record.
    """
    champion, tag = read_reigns(store, layout.champion(product, tenant), Champion)
    return Seen(champion, tag) if champion and tag else None


def move_champion(
    store: ObjectStore, product: str, tenant: str, change: Change, seen: Seen | None = None
) -> Champion:
    """Change a tenant's pointer by compare-and-swap; see `swap`.

    Args:
        store: The store.
        product: The product.
        tenant: The tenant.
        change: What is to become of it.
        seen: The champion as it was read before, which saves reading it again.

    Raises:
        StoreUnavailableError: Other writers won a hundred times in a row.
    """
    return swap(store, layout.champion(product, tenant), Champion, change, seen=seen)


def crown(  # noqa: PLR0913 - a decision, and what it was made from
    store: ObjectStore,
    product: str,
    tenant: str,
    reign: Reign,
    *,
    over: Reign | None = None,
    is_first: bool = False,
    seen: Seen | None = None,
) -> Champion:
    """Add a reign by compare-and-swap; a lost race is tried again on what the winner wrote.

    Reigns are kept in order of `since`, `turn`, `version`, whatever the order of crowning. A reign
    that is there already stays as it is.

    Args:
        store: The store.
        product: The product.
        tenant: The tenant.
        reign: The reign to add.
        over: The reign that the decision was made against.
        is_first: Whether it was made where none reigned.
        seen: The champion as it was read for the decision, which saves reading it again.

    Returns:
        The champion as stored, `reign` included.

    Raises:
        ChampionMovedError: The champion was pinned, or another than `over` reigns as of the moment
            of `reign`, or one does although it `is_first`: decide again.
        StoreUnavailableError: Other writers won a hundred times in a row.
    """

    def change(champion: Champion | None) -> Champion:
        if champion is None:
            return Champion(counter=1, reigns=(reign,))
        if not champion.find(reign.place):
            _check_unpinned(champion, f"{product}/{tenant}")
            if over or is_first:
                _check_unmoved(champion, reign, over, f"{product}/{tenant}")
        return champion.with_reign(reign)

    known = seen or ((None, None) if is_first else None)  # where none was, none is looked for
    return swap(store, layout.champion(product, tenant), Champion, change, seen=known)


def _check_unpinned(champion: Champion, place: str) -> None:
    if champion.pin:
        msg = f"{place}: {champion.pin.version} was pinned by {champion.pin.who} meanwhile"
        raise ChampionMovedError(msg)


def _check_unmoved(champion: Champion, reign: Reign, over: Reign | None, place: str) -> None:
    known = champion.until(reign.since)
    if known is None or (over and known.current.place == over.place):
        return
    expected = over.version if over else "none"
    msg = f"{place}: {known.current.version} reigns by now, not {expected}; decide again"
    raise ChampionMovedError(msg)
