"""Which pooled model reigned when: the pointer `pooled.json` of a residency zone."""

from bisect import bisect_right
from datetime import datetime

from pydantic import Field

from tenantry import layout
from tenantry.errors import ObjectMissingError, PreconditionError, StoreUnavailableError
from tenantry.records import Record
from tenantry.store.contract import ObjectStore
from tenantry.times import Moment

_TRIES = 100
"""Lost races before we give up: each loss means that another writer won."""


class PooledReign(Record):
    """A pooled model's reign: from `since` until the next one's.

    Attributes:
        since: The `as_of` of the run that trained it.
        version: Its version.
        digest: SHA-256 of its file.
        definition: Digest of what it is made by.
        run: The run that trained it.
        turn: Which model of that moment it was: 0 for the first, 1 when it was made anew at the
            same `as_of` (the definition changed, a tenant denied pooling).
    """

    since: Moment
    version: str
    digest: str
    definition: str
    run: str = ""
    turn: int = 0

    @property
    def place(self) -> tuple[datetime, int, str]:
        """What reigns are ordered by and known by."""
        return self.since, self.turn, self.version


class PooledPointer(Record):
    """Every pooled model of a zone.

    Attributes:
        counter: Grows with every write, so that no two states have the same bytes.
        reigns: By time; at least one.
    """

    counter: int
    reigns: tuple[PooledReign, ...] = Field(min_length=1)

    def at(self, moment: datetime) -> PooledReign | None:
        """Return the reign at `moment`, or None before the first."""
        after = bisect_right(self.reigns, moment, key=lambda reign: reign.since)
        return self.reigns[after - 1] if after else None


def read_pooled(store: ObjectStore, product: str, zone: str) -> PooledPointer | None:
    """Read the pointer of a zone; None when no pooled model was ever trained there.

    Raises:
        ValueError: The object is not such a record.
    """
    return _read(store, layout.pooled(product, zone))[0]


def enthrone(store: ObjectStore, product: str, zone: str, reign: PooledReign) -> PooledPointer:
    """Add a reign by compare-and-swap; a lost race is tried again on what the winner wrote.

    Reigns are kept in order of `since`, `turn`, `version`, whatever the order of writing; a reign
    of a version that is there for that moment already stays as it is.

    Raises:
        StoreUnavailableError: Other writers won a hundred times in a row.
    """
    key = layout.pooled(product, zone)
    for _ in range(_TRIES):
        pointer, tag = _read(store, key)
        reigns = pointer.reigns if pointer else ()
        if pointer and reign.place in {kept.place for kept in reigns}:
            return pointer
        ordered = tuple(sorted((*reigns, reign), key=lambda kept: kept.place))
        found = PooledPointer(counter=pointer.counter + 1 if pointer else 1, reigns=ordered)
        try:
            if tag is None:
                store.put_if_absent(key, found.to_json())
            else:
                store.put_if_match(key, found.to_json(), tag)
        except PreconditionError:
            continue
        return found
    msg = f"{key}: other writers won {_TRIES} times in a row; run again"
    raise StoreUnavailableError(msg)


def _read(store: ObjectStore, key: str) -> tuple[PooledPointer | None, str | None]:
    try:
        found = store.get(key)
    except ObjectMissingError:
        return None, None
    return PooledPointer.from_json(found.content, key), found.tag
