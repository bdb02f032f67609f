"""What the judgements of a fleet say together: which shifts hold, and which are one event.

Imports no NumPy: the report reads it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tenantry.monitoring.judgements import Judgement, Shift

FALSE_SHARE = 0.05
"""So large a share of the shifts that hold is false, on average."""

EVENT_SHARE = 0.2
"""A stream that shifts in so large a share of the tenants of a window is one event …"""

EVENT_TENANTS = 3
"""… and in at least so many of them."""


@dataclass(frozen=True)
class FleetEvent:
    """One stream that shifted in many tenants in the same window.

    Attributes:
        window: The window's id.
        name: The stream: a feature, `label`, `prediction` or `rows`.
        tenants: Those in which it shifted, by name.
        judged: How many tenants were judged in this window.
        effect: The median effect.
    """

    window: str
    name: str
    tenants: tuple[str, ...]
    judged: int
    effect: float


@dataclass(frozen=True)
class TenantShift:
    """A stream that shifted in one tenant, and not all over the fleet.

    Attributes:
        window: The window's id.
        tenant: The tenant.
        shift: The stream.
    """

    window: str
    tenant: str
    shift: Shift


@dataclass(frozen=True)
class FleetDrift:
    """The shifts of a fleet.

    Attributes:
        events: Those of many tenants at once, the most tenants first.
        alone: Those of single tenants, the largest effect first.
        doubtful: How many tenants' shifts do not hold among so many streams.
    """

    events: tuple[FleetEvent, ...] = ()
    alone: tuple[TenantShift, ...] = ()
    doubtful: int = 0


def gather_drift(judgements: Iterable[Judgement]) -> FleetDrift:
    """Look at the judgements of a fleet together.

    Evidence of a stream that is not said to have shifted counts as none: only those that are said
    to have may make others pass. A shift without a p-value is a fact, another form of the rows: it
    holds whatever else there is.

    Args:
        judgements: At most one of each tenant and window.
    """
    found = [one for one in judgements if one.drift]
    streams = [
        TenantShift(one.window, one.tenant, shift)
        for one in found
        for shift in one.drift
        if shift.p_value is not None
    ]
    bar = find_bar(
        [one.shift.evidence if one.shift.drifted else 0.0 for one in streams], FALSE_SHARE
    )
    drifted = [one for one in streams if one.shift.drifted]
    held = [one for one in drifted if one.shift.evidence >= bar]
    doubtful = len(drifted) - len(held)
    held += [
        TenantShift(one.window, one.tenant, shift)
        for one in found
        for shift in one.drift
        if shift.p_value is None and shift.drifted
    ]
    judged: dict[str, int] = defaultdict(int)
    for one in found:
        judged[one.window] += 1
    events = _find_events(held, judged)
    known = {(event.window, event.name) for event in events}
    alone = [one for one in held if (one.window, one.shift.name) not in known]
    return FleetDrift(
        events=tuple(events),
        alone=tuple(sorted(alone, key=lambda one: (-(one.shift.effect or 0), one.tenant))),
        doubtful=doubtful,
    )


def find_bar(evidence: Sequence[float], share: float) -> float:
    """Return the evidence from which a stream shifted, so that few of those said did not.

    The e-BH procedure (Wang and Ramdas, 2022), valid however the streams depend on each other:
    among the streams that pass the bar, `share` have not shifted, on average. Evidence is gathered
    with a mean of at most the years since it began, so after more than one the share grows with
    them.

    Args:
        evidence: Of every stream of the fleet.
        share: The false discovery rate.
    """
    passing = float("inf")
    for rank, value in enumerate(sorted(evidence, reverse=True), start=1):
        if value * rank * share >= len(evidence):
            passing = value
    return passing


def _find_events(held: Iterable[TenantShift], judged: dict[str, int]) -> list[FleetEvent]:
    together: dict[tuple[str, str], list[TenantShift]] = defaultdict(list)
    for one in held:
        together[one.window, one.shift.name].append(one)
    events = [
        FleetEvent(
            window=window,
            name=name,
            tenants=tuple(sorted(one.tenant for one in some)),
            judged=judged[window],
            effect=sorted(one.shift.effect or 0.0 for one in some)[len(some) // 2],
        )
        for (window, name), some in together.items()
        if len(some) >= max(EVENT_TENANTS, EVENT_SHARE * judged[window])
    ]
    return sorted(events, key=lambda one: (-len(one.tenants), one.window, one.name))
