"""How the fleet's promises of freshness were kept, as its page shows it."""

from collections.abc import Iterator
from dataclasses import dataclass

from tenantry.fleet import FleetState
from tenantry.members import Member
from tenantry.promises import Promise, sum_promises

_WORST = 20
"""Tenants that are listed, those with the least left of their budget; the rest is counted."""

_WORDS = {"predictions": "windows predicted in time", "model": "hours with a fresh model"}


@dataclass(frozen=True)
class Kept:
    """How one promise was kept.

    Attributes:
        who: The tenant; empty for the whole fleet.
        what: What was promised.
        kept: How often it was, in words.
        budget: What is left of the error budget, in words.
        left: The same in percent, 0 to 100, for a bar.
        tone: How that sounds.
        broken: Whether it is broken now.
    """

    who: str
    what: str
    kept: str
    budget: str
    left: float
    tone: str
    broken: bool


@dataclass(frozen=True)
class Freshness:
    """How all promises were kept.

    Attributes:
        fleet: One line a promise.
        worst: Tenants that overspent a budget or break a promise now, the worst first.
        others: How many more there are.
    """

    fleet: tuple[Kept, ...]
    worst: tuple[Kept, ...]
    others: int


def tell_freshness(state: FleetState) -> Freshness | None:
    """Tell how the fleet's promises were kept until the run; None where none was counted."""
    known = [one for one in state.members if one.planned.promises]
    if not known:
        return None
    fleet = tuple(
        _tell("", name, sum_promises(_promise(one, name) for one in known)) for name in _WORDS
    )
    bad = sorted(
        (_promise(one, name).budget, one.tenant, name)
        for one in known
        for name in _WORDS
        if _promise(one, name).broken or _promise(one, name).budget < 0
    )
    by_name = {one.tenant: one for one in known}
    worst = tuple(_tell(who, name, _promise(by_name[who], name)) for _, who, name in bad[:_WORST])
    return Freshness(fleet, worst, max(len(bad) - _WORST, 0))


def tell_promises(member: Member) -> Iterator[str]:
    """Yield in sentences how a tenant's promises were kept."""
    if member.planned.promises is None:
        return
    for name in _WORDS:
        one = _tell(member.tenant, name, _promise(member, name))
        now = " It is broken now." if one.broken else ""
        yield f"{one.kept} {one.what}; error budget: {one.budget}.{now}"


def _promise(member: Member, name: str) -> Promise:
    found: Promise = getattr(member.planned.promises, name)
    return found


def _tell(who: str, name: str, promise: Promise) -> Kept:
    kept = promise.total - promise.missed
    left = promise.budget
    is_fair = left < 0.25 or (promise.broken and who)
    tone = "bad" if left < 0 else "fair" if is_fair else "good"
    budget = f"{left:.0%} left" if left >= 0 else f"overspent by {-left:.0%}"
    return Kept(
        who=who,
        what=_WORDS[name],
        kept=f"{kept:,.0f} of {promise.total:,.0f}",
        budget=budget,
        left=round(100 * min(max(left, 0.0), 1.0), 2),
        tone=tone,
        broken=promise.broken,
    )
