"""The champion of a tenant: which model reigned when. The one mutable object of a tenant's models.

`champion.json` holds every reign, ordered by the moment from which it reigns. So the champion as of
a past moment is known, and a backfill that crowns an earlier one leaves today's champion alone.

A rollback takes nothing away: it adds a reign that *restores* an earlier one, and every reign
between the two is *revoked* from then on. What counts at a time is found from the last reign known
then, backwards: from a reign that restores to the one it restores, from any other to the one
before. So a rollback can be rolled back, too. A pin holds the champion whatever is decided.
"""

from collections.abc import Set
from datetime import datetime

from pydantic import Field

from tenantry import layout
from tenantry.ledger import Scalar
from tenantry.records import Record
from tenantry.reigns import Place, Reigned, Reigns, read_reigns
from tenantry.store.contract import ObjectStore
from tenantry.times import Moment


class Restored(Record):
    """Which reign a rollback restores, and whose decision that was.

    Attributes:
        since: Of the reign it restores, one that was crowned and not itself restored.
        version: Of that reign.
        turn: Of that reign.
        replaced: The version that reigned until then.
        who: Who rolled back.
        why: Why.
        when: When, by the clock on the wall.
    """

    since: Moment
    version: str
    turn: int = 0
    replaced: str = ""
    who: str
    why: str
    when: Moment

    @property
    def place(self) -> Place:
        """The place of the reign it restores."""
        return self.since, self.turn, self.version


class Reign(Reigned):
    """A champion's reign; see `Reigned` for what it shares with a pooled model's.

    Attributes:
        trained_until: Nothing later was seen in training; a window that starts before is in sample.
        training_digest: Of the spec that the model was made by.
        recipe: How it was made: `pooled`, `logistic`, …
        gate: The decision in a sentence: the gate's, or of who rolled back.
        evidence: The gate's figures.
        previous: The version that reigned until then; empty for a tenant's first.
        restores: The reign that a rollback restores; None when the gate decided.
        pooled: The pooled model it stands on, ``<zone>/<version>``; empty without one.
    """

    trained_until: Moment
    training_digest: str
    recipe: str
    gate: str
    evidence: dict[str, Scalar] = Field(default_factory=dict)
    previous: str = ""
    restores: Restored | None = None
    pooled: str = ""

    @property
    def unseen_from(self) -> datetime:
        """The moment from which rows are new to the model and to the gate that chose it.

        A window that starts before is in sample. Restoring a model shows it nothing new.
        """
        crowned = self.restores.since if self.restores else self.since
        return max(crowned, self.trained_until)


class Pin(Record):
    """A hold on a tenant's champion, or the end of one.

    Attributes:
        version: The version that is (was) held.
        who: Who pinned or unpinned.
        why: Why.
        when: When, by the clock on the wall.
        as_of: The logical time, for the audit trail.
        turn: The pointer's counter when it was written; makes each pin's event one of its own.
    """

    version: str
    who: str
    why: str
    when: Moment
    as_of: Moment
    turn: int = 0


class Champion(Reigns[Reign]):
    """Every reign of a tenant.

    Attributes:
        pin: The hold on it; None when it is free to move. A pin holds for every run, whatever its
            `as_of`.
        unpinned: The end of the last hold; None when there never was one.
    """

    pin: Pin | None = None
    unpinned: Pin | None = None

    @property
    def standing(self) -> tuple[Reign, ...]:
        """The reigns that count, by place: neither revoked by a rollback nor withdrawn."""
        revoked = self.revoked
        return tuple(reign for reign in self.remaining if reign.place not in revoked)

    @property
    def revoked(self) -> dict[Place, Reign]:
        """Place of each revoked reign → the reign that revoked it by restoring an earlier one."""
        revoked: dict[Place, Reign] = {}
        judge: Reign | None = None
        for reign in reversed(self.reigns):
            if judge and judge.restores and reign.place > judge.restores.place:
                revoked[reign.place] = judge
            else:
                judge = reign
        return revoked

    @property
    def revoked_versions(self) -> frozenset[str]:
        """The versions that reigned once and were rolled back, save those restored since."""
        gone = {version for _, _, version in self.revoked}
        return frozenset(gone - {reign.version for reign in self.standing})

    @property
    def previous(self) -> Reign | None:
        """The last reign that counts of another version than the current one, or None."""
        others = (one for one in reversed(self.standing) if one.version != self.current.version)
        return next(others, None)

    def refuge(self, decayed: Set[str]) -> Reign | None:
        """Return the last reign that counts of another version, neither decayed nor tainted."""
        barred = {self.current.version, *self.tainted, *decayed}
        return next((one for one in reversed(self.standing) if one.version not in barred), None)

    def origin(self, reign: Reign) -> Reign:
        """Return the reign by which a model was crowned: itself, or the one it restores."""
        return (self.find(reign.restores.place) if reign.restores else None) or reign


def read_champion(store: ObjectStore, product: str, tenant: str) -> Champion | None:
    """Read a tenant's champion; None when no model was ever crowned.

    Raises:
        ValueError: The object is not such a record.
    """
    return read_reigns(store, layout.champion(product, tenant), Champion)[0]


def tell_orders(champion: Champion) -> tuple[str, ...]:
    """Say what people ordered that holds for a champion: `was rolled back …`, `is pinned …`."""
    restored, pin = champion.current.restores, champion.pin
    told = (
        f"was rolled back from {restored.replaced} by {restored.who}: {restored.why}"
        if restored
        else "",
        f"is {describe_pin(pin)}" if pin else "",
    )
    return tuple(words for words in told if words)


def describe_rollback(reign: Reign) -> str:
    """Say in words who rolled a model back by restoring another, and why."""
    if reign.restores is None:
        return "not rolled back"
    return f"rolled back by {reign.restores.who}: {reign.restores.why}"


def describe_pin(pin: Pin) -> str:
    """Say in words who holds a champion, and why."""
    return f"pinned to {pin.version} by {pin.who}: {pin.why}"


def lighten(champion: Champion) -> Champion:
    """Return a champion without what only people read; a record is kept for every tenant."""
    return champion.model_copy(update={"reigns": tuple(map(_lighten, champion.reigns))})


def _lighten(reign: Reign) -> Reign:
    light: dict[str, object] = dict.fromkeys(("gate", "digest", "packed", "run", "previous"), "")
    light["evidence"] = {}
    if reign.restores:
        light["restores"] = reign.restores.model_copy(update={"who": "", "why": ""})
    return reign.model_copy(update=light)
