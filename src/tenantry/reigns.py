"""Who reigned when: what champions and pooled models share, and how their pointers move.

A pointer holds every reign, ordered by the moment from which it reigns, so that the one as of a
past moment is known. It moves by compare-and-swap only.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Generic, Self, TypeVar

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
        packed: SHA-256 of its ``packed.bin``; empty where there is none.
        run: The run that let it reign.
        turn: Which decision of that moment it was: 0 for the first, 1 when the moment was decided
            again (a repeated run with a changed spec, a rollback).
    """

    since: Moment
    version: str
    digest: str
    packed: str = ""
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
        tainted: Version → why it is to be replaced: it learnt from rows that were erased since. It
            stays in use until then.
        withdrawn: Version → why its files were removed. Its reigns are kept for the record and
            count no more.
    """

    counter: int
    reigns: tuple[R, ...] = Field(min_length=1)
    tainted: dict[str, str] = Field(default_factory=dict)
    withdrawn: dict[str, str] = Field(default_factory=dict)

    @property
    def remaining(self) -> tuple[R, ...]:
        """The reigns of models that were not withdrawn, by place."""
        return tuple(reign for reign in self.reigns if reign.version not in self.withdrawn)

    @property
    def standing(self) -> tuple[R, ...]:
        """The reigns that count, by place."""
        return self.remaining

    @property
    def current(self) -> R:
        """The reign that counts and began last; the last of all when none counts any more."""
        return (self.standing or self.reigns)[-1]

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
        """Return the pointer as it was known at `moment`; None when no reign counted yet.

        A withdrawn model's reigns never count, whenever it was withdrawn.
        """
        known = tuple(reign for reign in self.reigns if reign.since <= moment)
        pointer = self.model_copy(update={"reigns": known})
        return pointer if pointer.standing else None

    def as_of(self, moment: datetime) -> R | None:
        """Return who reigned at `moment` as it was known then, or None before the first reign."""
        known = self.until(moment)
        return known.current if known else None

    def find(self, place: Place) -> R | None:
        """Return the reign at a place, or None."""
        return next((kept for kept in self.reigns if kept.place == place), None)

    def with_reign(self, reign: R) -> Self:
        """Return the pointer with one more reign; the same when its place is taken.

        A version that was made again, of the rows that are left, is as good as new.
        """
        if self.find(reign.place):
            return self
        reigns = tuple(sorted((*self.reigns, reign), key=lambda kept: kept.place))
        return self.model_copy(
            update={
                "counter": self.counter + 1,
                "reigns": reigns,
                "tainted": without(self.tainted, reign.version),
                "withdrawn": without(self.withdrawn, reign.version),
            }
        )

    def is_marked(self, version: str) -> bool:
        """Say whether a version is tainted or withdrawn."""
        return version in self.tainted or version in self.withdrawn

    def taint(self, versions: Iterable[str], why: str) -> Self:
        """Return the pointer with `versions` marked as to be replaced; the same when they are."""
        marks = {one: why for one in versions if one not in self.tainted}
        if not marks:
            return self
        tainted = self.tainted | marks
        return self.model_copy(update={"counter": self.counter + 1, "tainted": tainted})

    def withdraw(self, versions: Iterable[str], why: str) -> Self:
        """Return the pointer without the reigns of `versions`, for good; the same when it is."""
        gone = tuple(versions)
        marks = {one: why for one in gone if one not in self.withdrawn}
        if not marks and self.tainted.keys().isdisjoint(gone):
            return self
        return self.model_copy(
            update={
                "counter": self.counter + 1,
                "tainted": without(self.tainted, *gone),
                "withdrawn": self.withdrawn | marks,
            }
        )


def without(marks: Mapping[str, str], *versions: str) -> dict[str, str]:
    """Return `marks` without those of `versions`."""
    return {version: why for version, why in marks.items() if version not in versions}


P = TypeVar("P", bound=Record)


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


def swap(
    store: ObjectStore,
    key: str,
    kind: type[P],
    change: Callable[[P | None], P],
    *,
    seen: tuple[P | None, str | None] | None = None,
) -> P:
    """Change a pointer by compare-and-swap; a lost race is tried again on what the winner wrote.

    Args:
        store: Where it lies.
        key: Its key.
        kind: What it is.
        change: Returns the pointer that is to be, of the one that is (None when there is none).
            The same one means that nothing is to be written; what it raises ends the matter.
        seen: The pointer and its tag as `read_reigns` found them, which saves reading them now.

    Returns:
        The pointer as stored.

    Raises:
        StoreUnavailableError: Other writers won a hundred times in a row.
    """
    for _ in range(_TRIES):
        found, tag = seen or read_reigns(store, key, kind)
        seen = None
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
