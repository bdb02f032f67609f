"""The champion of a tenant: which model reigned when. The one mutable object of a tenant's models.

`champion.json` holds every reign, ordered by the moment from which it reigns. So the champion as of
a past moment is known, and a backfill that crowns an earlier one leaves today's champion alone.
"""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime
from typing import Self

from pydantic import Field

from tenantry import layout
from tenantry.errors import ObjectMissingError, PreconditionError, StoreUnavailableError
from tenantry.ledger import Scalar
from tenantry.records import Record
from tenantry.store.contract import ObjectStore
from tenantry.times import Moment

_TRIES = 100
"""Lost races before we give up: each loss means that another writer won."""


class Reign(Record):
    """A model's reign: from `since` until the next reign begins.

    Attributes:
        since: The `as_of` of the run that crowned it.
        version: The model's version.
        digest: The digest of the model's file, checked before the file is opened.
        trained_until: Nothing later was seen in training; a window that starts before is in sample.
        training_digest: Of the spec that the model was made by.
        recipe: How it was made: `pooled`, `logistic`, …
        gate: The gate's decision in one sentence.
        evidence: The decision's figures.
        run: The run that crowned it.
        turn: Which decision of that moment it was: 0 for the first, 1 when the moment was decided
            again (the spec changed and the run was repeated at the same `as_of`).
    """

    since: Moment
    version: str
    digest: str
    trained_until: Moment
    training_digest: str
    recipe: str
    gate: str
    evidence: dict[str, Scalar] = Field(default_factory=dict)
    run: str = ""
    turn: int = 0

    @property
    def place(self) -> tuple[datetime, int, str]:
        """What reigns are ordered by and known by."""
        return self.since, self.turn, self.version


class Champion(Record):
    """Every reign of a tenant.

    Attributes:
        counter: Grows with every write, so that no two states have the same bytes.
        reigns: By time; at least one.
    """

    counter: int
    reigns: tuple[Reign, ...] = Field(min_length=1)

    @property
    def current(self) -> Reign:
        """The reign that began last."""
        return self.reigns[-1]

    @property
    def earliest(self) -> Reign:
        """The reign that began first."""
        return self.reigns[0]

    def at(self, moment: datetime) -> Reign | None:
        """Return the reign at `moment`, or None before the first."""
        after = bisect_right(self.reigns, moment, key=lambda reign: reign.since)
        return self.reigns[after - 1] if after else None

    def until(self, moment: datetime) -> Self | None:
        """Return the champion as it was known at `moment`, or None before the first reign."""
        known = tuple(reign for reign in self.reigns if reign.since <= moment)
        return self.model_copy(update={"reigns": known}) if known else None

    def find(self, reign: Reign) -> Reign | None:
        """Return the reign kept at the same place, or None."""
        return next((kept for kept in self.reigns if kept.place == reign.place), None)


def read_champion(store: ObjectStore, product: str, tenant: str) -> Champion | None:
    """Read a tenant's champion; None when no model was ever crowned.

    Raises:
        ValueError: The object is not such a record.
    """
    return _read(store, layout.champion(product, tenant))[0]


def crown(store: ObjectStore, product: str, tenant: str, reign: Reign) -> Champion:
    """Add a reign by compare-and-swap; a lost race is tried again on what the winner wrote.

    Reigns are kept in order of `since`, `turn`, `version`, whatever the order of crowning. A reign
    that is there already stays as it is.

    Returns:
        The champion as stored, `reign` included.

    Raises:
        StoreUnavailableError: Other writers won a hundred times in a row.
    """
    key = layout.champion(product, tenant)
    for _ in range(_TRIES):
        champion, tag = _read(store, key)
        if champion and champion.find(reign):
            return champion
        crowned = _with_reign(champion, reign)
        try:
            if tag is None:
                store.put_if_absent(key, crowned.to_json())
            else:
                store.put_if_match(key, crowned.to_json(), tag)
        except PreconditionError:
            continue
        return crowned
    msg = f"{key}: other writers won {_TRIES} times in a row; run again"
    raise StoreUnavailableError(msg)


def _with_reign(champion: Champion | None, reign: Reign) -> Champion:
    if champion is None:
        return Champion(counter=1, reigns=(reign,))
    return Champion(counter=champion.counter + 1, reigns=_ordered((*champion.reigns, reign)))


def _ordered(reigns: Iterable[Reign]) -> tuple[Reign, ...]:
    return tuple(sorted(reigns, key=lambda reign: reign.place))


def _read(store: ObjectStore, key: str) -> tuple[Champion | None, str | None]:
    try:
        found = store.get(key)
    except ObjectMissingError:
        return None, None
    return Champion.from_json(found.content, key), found.tag
