"""Who reigned when: what champions and pooled models share, and how their pointers move.

A pointer holds every reign, ordered by the moment from which it reigns, so that the one as of a
past moment is known. It moves by compare-and-swap only.
"""

from bisect import bisect_right
from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, Self, TypeVar

from pydantic import Field

from tenantry.errors import ObjectMissingError, PreconditionError, StoreUnavailableError
from tenantry.records import Record
from tenantry.store.contract import ObjectStore
from tenantry.times import Moment

_TRIES = 100
"""Lost races before we give up: each loss means that another writer won."""

Place = tuple[datetime, int, str]
"""What reigns are ordered by and known by: since, turn, version."""


class Reigned(Record):
    """A model's reign: from `since` until the next reign begins.

    Attributes:
        since: The `as_of` from which it reigns.
        version: The model's version.
        digest: SHA-256 of the model's file, checked before the file is opened.
        run: The run that let it reign.
        turn: Which decision of that moment it was: 0 for the first, 1 when the moment was decided
            again (a repeated run with a changed spec, a rollback).
    """

    since: Moment
    version: str
    digest: str
    run: str = ""
    turn: int = 0

    @property
    def place(self) -> Place:
        """What reigns are ordered by and known by."""
        return self.since, self.turn, self.version


R = TypeVar("R", bound=Reigned)


class Reigns(Record, Generic[R]):
    """Every reign behind a pointer.

    Attributes:
        counter: Grows with every write, so that no two states have the same bytes.
        reigns: By place; at least one.
    """

    counter: int
    reigns: tuple[R, ...] = Field(min_length=1)

    @property
    def standing(self) -> tuple[R, ...]:
        """The reigns that count, by place."""
        return self.reigns

    @property
    def current(self) -> R:
        """The reign that began last."""
        return self.reigns[-1]

    @property
    def earliest(self) -> R:
        """The reign that began first, of those that count."""
        return self.standing[0]

    def at(self, moment: datetime) -> R | None:
        """Return the reign that counts at `moment`, or None before the first."""
        standing = self.standing
        after = bisect_right(standing, moment, key=lambda reign: reign.since)
        return standing[after - 1] if after else None

    def until(self, moment: datetime) -> Self | None:
        """Return the pointer as it was known at `moment`, or None before the first reign."""
        known = tuple(reign for reign in self.reigns if reign.since <= moment)
        return self.model_copy(update={"reigns": known}) if known else None

    def as_of(self, moment: datetime) -> R | None:
        """Return who reigned at `moment` as it was known then, or None before the first reign."""
        known = self.until(moment)
        return known.current if known else None

    def find(self, place: Place) -> R | None:
        """Return the reign at a place, or None."""
        return next((kept for kept in self.reigns if kept.place == place), None)

    def with_reign(self, reign: R) -> Self:
        """Return the pointer with one more reign; the same when its place is taken."""
        if self.find(reign.place):
            return self
        reigns = tuple(sorted((*self.reigns, reign), key=lambda kept: kept.place))
        return self.model_copy(update={"counter": self.counter + 1, "reigns": reigns})


P = TypeVar("P", bound=Reigns[Any])


def read_reigns(store: ObjectStore, key: str, kind: type[P]) -> tuple[P | None, str | None]:
    """Read a pointer and its tag; None and None when there is no such object.

    Raises:
        ValueError: The object is not such a record.
    """
    try:
        found = store.get(key)
    except ObjectMissingError:
        return None, None
    return kind.from_json(found.content, key), found.tag


def swap(store: ObjectStore, key: str, kind: type[P], change: Callable[[P | None], P]) -> P:
    """Change a pointer by compare-and-swap; a lost race is tried again on what the winner wrote.

    Args:
        store: Where it lies.
        key: Its key.
        kind: What it is.
        change: Returns the pointer that is to be, of the one that is (None when there is none).
            The same one means that nothing is to be written; what it raises ends the matter.

    Returns:
        The pointer as stored.

    Raises:
        StoreUnavailableError: Other writers won a hundred times in a row.
    """
    for _ in range(_TRIES):
        found, tag = read_reigns(store, key, kind)
        wanted = change(found)
        if wanted is found:
            return wanted
        try:
            if tag is None:
                store.put_if_absent(key, wanted.to_json())
            else:
                store.put_if_match(key, wanted.to_json(), tag)
        except PreconditionError:
            continue
        return wanted
    msg = f"{key}: other writers won {_TRIES} times in a row; run again"
    raise StoreUnavailableError(msg)
