"""What a run found of decay and drift, the most harm first."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tenantry.fleet import FleetState
from tenantry.members import Member
from tenantry.monitoring.fleet_drift import FleetEvent, TenantShift, gather_drift
from tenantry.monitoring.judgements import IN_WORDS
from tenantry.report.words import span
from tenantry.times import Window

_NAMED = 5
"""Tenants that an event names."""


AlarmKind = Literal["decay", "event", "drift", "doubtful"]


@dataclass(frozen=True)
class AlarmLine:
    """One line of the list of alarms.

    Attributes:
        kind: What it is about.
        who: A tenant, or how many.
        window: Which, for people; empty when several are meant.
        what: What happened, in a sentence.
        tenant: The tenant; empty when it is about many.
        at: The latest window's id, where the tenant's page lies; empty when several are meant.
        harm: Of decay: the metric less the promise, over all labelled rows of the windows.
    """

    kind: AlarmKind
    who: str
    window: str
    what: str
    tenant: str = ""
    at: str = ""
    harm: float | None = None


def list_alarms(state: FleetState) -> Iterator[AlarmLine]:
    """List what the run judged to be decay or drift.

    First the tenants whose models decayed, by what that costs; then what many tenants share, as one
    event; then the shifts of single tenants that hold among all streams of the fleet.
    """
    decays = [line for one in state.members if (line := _tell_decay(one))]
    yield from sorted(decays, key=lambda one: (-(one.harm or 0.0), one.tenant))
    drift = gather_drift(one.ran for one in state.members if one.ran)
    for event in drift.events:
        who = f"{len(event.tenants):,} of {event.judged:,} tenants"
        yield AlarmLine("event", who, _span(event.window), _say_event(event), at=event.window)
    for one in drift.alone:
        yield _tell_shift(one)
    if drift.doubtful:
        words = f"Shifts that may be chance among so many streams: {drift.doubtful:,}."
        yield AlarmLine("doubtful", "", "", words)


def _tell_decay(member: Member) -> AlarmLine | None:
    """Tell of the windows that the run found worse than promised; None when there is none."""
    last, judged = member.ran, member.judged
    decayed = [one for one in judged if one.status == "decayed"]
    if last is None or not decayed:
        return None
    words, many = last.sentence, f"{len(decayed):,} of the {len(judged):,} windows of this run"
    if last.status != "decayed":
        words = f"Worse than promised in {many}; the last one is: {IN_WORDS[last.status]}."
    elif len(decayed) > 1:
        words = f"{words} So it was in {many}."
    return AlarmLine(
        kind="decay",
        who=last.tenant,
        window=span(decayed[-1].span),
        what=words,
        tenant=last.tenant,
        at=last.window,
        harm=sum(one.harm for one in decayed),
    )


def _tell_shift(one: TenantShift) -> AlarmLine:
    note = f" ({one.shift.note})" if one.shift.note else ""
    words = f"{one.shift.name} drifted by {one.shift.effect:.2f}{note}."
    window = _span(one.window)
    return AlarmLine("drift", one.tenant, window, words, tenant=one.tenant, at=one.window)


def _span(window: str) -> str:
    return span(Window.parse(window))


def _say_event(event: FleetEvent) -> str:
    few = ", ".join(event.tenants[:_NAMED])
    more = f" and {len(event.tenants) - _NAMED:,} more" if len(event.tenants) > _NAMED else ""
    return f"One event: {event.name} drifted by {event.effect:.2f} in {few}{more}."
