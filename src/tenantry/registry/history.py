"""The history of a tenant's models: who reigned, who was kept back, and what people ordered."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tenantry.champions import Champion, Reign
from tenantry.events import Kind, list_events, read_event
from tenantry.registry.versions import require_champion
from tenantry.store.contract import ObjectStore

_TOLD: tuple[Kind, ...] = ("kept", "pinned", "unpinned", "retired", "rows_erased", "erased")
"""Events that are told beside the reigns; promotions and rollbacks are reigns themselves."""

_Place = tuple[datetime, bool, int, bool]


@dataclass(frozen=True)
class Chapter:
    """One thing that happened to a tenant's models.

    Attributes:
        as_of: From which logical time on.
        kind: What happened, as in the audit trail.
        version: The model it is about; empty when it is about none.
        recipe: How that was made; empty when it never reigned.
        until: When the next reign that counts began; None while it reigns, or for no reign.
        revoked: The logical time from which it was revoked; None when it was not.
        is_current: Whether it reigns now.
        mark: `tainted` when it learnt from what was erased since and is to be replaced,
            `withdrawn` when its files were removed; empty for neither.
        sentence: The decision in words.
        who: The person who decided; empty when a run did.
        why: The reason; empty when a run decided.
        when: When, by the clock on the wall; None when a run decided.
        run: The run that decided; empty when a person did.
    """

    as_of: datetime
    kind: Kind
    version: str
    sentence: str
    recipe: str = ""
    until: datetime | None = None
    revoked: datetime | None = None
    is_current: bool = False
    mark: str = ""
    who: str = ""
    why: str = ""
    when: datetime | None = None
    run: str = ""


@dataclass(frozen=True)
class History:
    """A tenant's history.

    Attributes:
        product: The product.
        tenant: The tenant.
        champion: Its pointer.
        chapters: What happened, by logical time, the order of decisions within one.
    """

    product: str
    tenant: str
    champion: Champion
    chapters: tuple[Chapter, ...]


def read_history(store: ObjectStore, product: str, tenant: str) -> History:
    """Read the history of a tenant's models.

    Raises:
        RegistryError: The tenant is unknown (names the nearest one), was erased or has no model.
    """
    champion = require_champion(store, product, tenant)
    told = [
        *_of_reigns(champion),
        *_of_events(store, product, tenant),
    ]
    told.sort(key=lambda entry: entry[0])
    return History(product, tenant, champion, tuple(chapter for _, chapter in told))


def _place(turn: int, chapter: Chapter) -> _Place:
    """Order what happened at one moment: decisions by turn, a person's last; then pins."""
    is_decided = chapter.kind in ("promoted", "kept", "rolled_back")
    return chapter.as_of, not is_decided, turn, bool(chapter.who)


def _of_reigns(champion: Champion) -> Iterator[tuple[_Place, Chapter]]:
    for reign in champion.reigns:
        chapter = _of_reign(champion, reign)
        yield _place(reign.turn, chapter), chapter


def _of_reign(champion: Champion, reign: Reign) -> Chapter:
    judge, order = champion.revoked.get(reign.place), reign.restores
    after = next((one.since for one in champion.standing if one.place > reign.place), None)
    return Chapter(
        as_of=reign.since,
        kind="rolled_back" if order else "promoted",
        version=reign.version,
        sentence=reign.gate,
        recipe=reign.recipe,
        until=None if judge else after,
        revoked=judge.since if judge else None,
        is_current=reign == champion.current and reign.version not in champion.withdrawn,
        mark=_mark(champion, reign.version),
        who=order.who if order else "",
        why=order.why if order else "",
        when=order.when if order else None,
        run=reign.run,
    )


def _mark(champion: Champion, version: str) -> str:
    if version in champion.withdrawn:
        return "withdrawn"
    return "tainted" if version in champion.tainted else ""


def _of_events(store: ObjectStore, product: str, tenant: str) -> Iterator[tuple[_Place, Chapter]]:
    for name in list_events(store, product, tenant):
        if name.kind not in _TOLD:
            continue
        event = read_event(store, name.key)
        chapter = Chapter(
            as_of=event.as_of,
            kind=event.kind,
            version=event.version,
            sentence=event.sentence,
            who=event.who,
            why=event.why,
            when=event.when,
            run=event.run,
        )
        yield _place(event.turn, chapter), chapter
