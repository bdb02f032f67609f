"""The audit trail of a tenant: one immutable object a decision, readable by name alone.

A name is ``<as_of>-<kind>[-<version>][-<turn>]``. The trail is also how the planner knows when
training was last *attempted*: a challenger that the gate kept back has an event, too, and one that
was never decided on (the run died) has none, so that training is due again.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Literal

from pydantic import Field

from tenantry import layout
from tenantry.errors import PreconditionError
from tenantry.ledger import Scalar
from tenantry.records import Record
from tenantry.store.contract import ObjectStore
from tenantry.times import Moment, compact, parse_compact

Kind = Literal["promoted", "kept", "retired"]

_NAME = re.compile(
    r"(?P<at>\d{8}T\d{6}Z)-(?P<kind>promoted|kept|retired)"
    r"(-(?P<version>\d{8}T\d{6}Z-[0-9a-f]+))?(-(?P<turn>\d+))?\.json"
)


class Event(Record):
    """One decision about a tenant.

    Attributes:
        kind: `promoted`: the version became champion; `kept`: the champion stayed, the version
            did not pass the gate; `retired`: the tenant was archived.
        as_of: The logical time of the run that decided.
        product: The product.
        tenant: The tenant.
        run: The run.
        version: The model decided on; empty for `retired`.
        training_digest: Of the spec that the model was made by.
        sentence: The decision in one sentence.
        evidence: The decision's figures.
        turn: Which decision of that moment it was, see `Reign.turn`.
    """

    kind: Kind
    as_of: Moment
    product: str
    tenant: str
    run: str
    version: str = ""
    training_digest: str = ""
    sentence: str
    evidence: dict[str, Scalar] = Field(default_factory=dict)
    turn: int = 0

    @property
    def name(self) -> str:
        """The event's name in the trail; names sort by time."""
        parts = [compact(self.as_of), self.kind, self.version, str(self.turn or "")]
        return "-".join(part for part in parts if part)


class EventName(Record):
    """What an event's name tells without reading it.

    Attributes:
        key: The event's key.
        kind: See `Event`.
        as_of: See `Event`.
        version: See `Event`.
        turn: See `Event`.
    """

    key: str
    kind: Kind
    as_of: Moment
    version: str
    turn: int


def write_event(store: ObjectStore, event: Event) -> str:
    """Append an event and return its key; one that is there already stays as it is."""
    key = layout.event(event.product, event.tenant, event.name)
    with suppress(PreconditionError):
        store.put_if_absent(key, event.to_json())
    return key


def read_event(store: ObjectStore, key: str) -> Event:
    """Read one event.

    Raises:
        ObjectMissingError: There is none.
        ValueError: The object is not an event.
    """
    return Event.from_json(store.get(key).content, key)


def list_events(store: ObjectStore, product: str, tenant: str) -> tuple[EventName, ...]:
    """Return a tenant's events by time and turn, from their names: one listing, no reads."""
    names = _names(store, layout.events_folder(product, tenant))
    return tuple(sorted(names, key=lambda name: (name.as_of, name.turn, name.key)))


def last_decision(
    store: ObjectStore, product: str, tenant: str, until: datetime | None = None
) -> Event | None:
    """Read the last decision of the gate, accepted or not, made as of `until` or before.

    This is the last training attempt that was brought to an end; its `training_digest` says by
    which spec.
    """
    decided = [
        name
        for name in list_events(store, product, tenant)
        if name.kind != "retired" and (until is None or name.as_of <= until)
    ]
    if not decided:
        return None
    return read_event(store, decided[-1].key)


def retired_at(
    store: ObjectStore, product: str, tenant: str, until: datetime | None = None
) -> datetime | None:
    """Return when a tenant was last retired, as of `until` or before, or None."""
    moments = [
        name.as_of
        for name in list_events(store, product, tenant)
        if name.kind == "retired" and (until is None or name.as_of <= until)
    ]
    return moments[-1] if moments else None


def _names(store: ObjectStore, folder: str) -> Iterator[EventName]:
    for info in store.list(folder):
        if match := _NAME.fullmatch(info.key.removeprefix(folder)):
            yield EventName(
                key=info.key,
                kind=match["kind"],
                as_of=parse_compact(match["at"]),
                version=match["version"] or "",
                turn=int(match["turn"] or 0),
            )
