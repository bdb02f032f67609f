"""The audit trail of a tenant: one immutable object an event, readable by name alone.

A name is ``<as_of>-<kind>[-<version>][-<turn>]``, and ``<as_of>-failed-<stage>-<run>`` for a stage
that failed (`run`: eight digits of the run's digest). The trail is also how the planner knows when
training was last *attempted*: a challenger that the gate kept back has an event, too, and one that
was never decided on (the run died) has none, so that training is due again.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Literal, get_args

from pydantic import Field

from tenantry import layout
from tenantry.digests import sha256
from tenantry.ledger import Scalar
from tenantry.records import Record
from tenantry.store.adding import put_new
from tenantry.store.contract import ObjectStore
from tenantry.times import Moment, compact, parse_compact

Kind = Literal[
    "promoted",
    "kept",
    "retired",
    "rolled_back",
    "pinned",
    "unpinned",
    "failed",
    "recovered",
    "cleared",
    "rows_erased",
    "erased",
]
"""What an event tells.

`promoted`: the version became champion; `kept`: the champion stayed, the version did not pass the
gate; `retired`: the tenant was archived; `rolled_back`: the version was restored by a person;
`pinned`, `unpinned`: a person held the champion, or let it go; `failed`: a stage failed;
`recovered`: it goes well again; `cleared`: a person cleared its failures; `rows_erased`: rows were
erased by key; `erased`: the tenant was erased.
"""

DECISIONS: tuple[Kind, ...] = ("promoted", "kept")
"""The gate's: how a training attempt is brought to an end."""

_RUN_DIGITS = 8

_NAME = re.compile(
    rf"(?P<at>\d{{8}}T\d{{6}}Z)-(?P<kind>{'|'.join(get_args(Kind))})"
    r"(-(?P<version>\d{8}T\d{6}Z-[0-9a-f]+))?(-(?P<stage>[a-z_]+)-(?P<run>[0-9a-f]{8}))?"
    r"(-(?P<turn>\d+))?\.json"
)


class Event(Record):
    """One decision about a tenant, or one thing that happened to it.

    Attributes:
        kind: What, see `Kind`.
        as_of: The logical time: of the run, or from which a person's decision holds.
        product: The product.
        tenant: The tenant.
        run: The run; empty when a person decided.
        version: The model decided on; empty when it is about none.
        training_digest: Of the spec that the model was made by.
        sentence: The decision in one sentence.
        evidence: The decision's figures.
        turn: Which decision of that moment it was, see `Reign.turn`; of pins, see `Pin.turn`.
        stage: The stage that failed; empty for other kinds.
        who: The person who decided; empty when a run did.
        why: The person's reason.
        when: When, by the clock on the wall; None when a run decided.
    """

    kind: Kind
    as_of: Moment
    product: str
    tenant: str
    run: str = ""
    version: str = ""
    training_digest: str = ""
    sentence: str
    evidence: dict[str, Scalar] = Field(default_factory=dict)
    turn: int = 0
    stage: str = ""
    who: str = ""
    why: str = ""
    when: Moment | None = None

    @property
    def name(self) -> str:
        """The event's name in the trail; names sort by time."""
        parts = [compact(self.as_of), self.kind, self.version]
        parts += [self.stage, run_digest(self.run)] if self.stage else []
        parts.append(str(self.turn or ""))
        return "-".join(part for part in parts if part)


class EventName(Record):
    """What an event's name tells without reading it.

    Attributes:
        key: The event's key.
        kind: See `Event`.
        as_of: See `Event`.
        version: See `Event`.
        turn: See `Event`.
        stage: See `Event`.
        run: Eight digits of the run's digest, where a stage failed; else empty.
    """

    key: str
    kind: Kind
    as_of: Moment
    version: str
    turn: int
    stage: str = ""
    run: str = ""


def run_digest(run: str) -> str:
    """Return the digits by which an event's name tells runs apart."""
    return sha256(run.encode())[:_RUN_DIGITS]


def write_event(store: ObjectStore, event: Event) -> str:
    """Append an event and return its key; one that is there already stays as it is."""
    return append_event(store, event)[0]


def append_event(store: ObjectStore, event: Event) -> tuple[str, bool]:
    """Append an event; return its key, and whether there was none, which would have stayed."""
    key = layout.event(event.product, event.tenant, event.name)
    return key, put_new(store, key, event.to_json())


def read_event(store: ObjectStore, key: str) -> Event:
    """Read one event.

    Raises:
        ObjectMissingError: There is none.
        ValueError: The object is not an event.
    """
    return Event.from_json(store.get(key).content, key)


def list_events(store: ObjectStore, product: str, tenant: str) -> tuple[EventName, ...]:
    """Return a tenant's events by time and turn, from their names: one listing, no reads."""
    folder = layout.events_folder(product, tenant)
    return parse_names((info.key for info in store.list(folder)), folder)


def parse_names(keys: Iterable[str], folder: str) -> tuple[EventName, ...]:
    """Return the events among `keys` whose trail is `folder`, by time and turn."""
    names = (name for key in keys if key.startswith(folder) for name in _names(key, folder))
    return tuple(sorted(names, key=lambda name: (name.as_of, name.turn, name.key)))


def _names(key: str, folder: str) -> Iterator[EventName]:
    if match := _NAME.fullmatch(key[len(folder) :]):
        with suppress(ValueError):  # a time or a turn that is none
            yield EventName(
                key=key,
                kind=match["kind"],
                as_of=parse_compact(match["at"]),
                version=match["version"] or "",
                turn=int(match["turn"] or 0),
                stage=match["stage"] or "",
                run=match["run"] or "",
            )
