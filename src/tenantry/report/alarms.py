"""What a run found of decay and drift, the most harm first."""

from collections.abc import Iterator
from dataclasses import dataclass

from tenantry.fleet import FleetState
from tenantry.monitoring.fleet_drift import FleetEvent, gather_drift
from tenantry.monitoring.judgements import Judgement
from tenantry.report.words import span
from tenantry.times import Window

_NAMED = 5
"""Tenants that an event names."""


@dataclass(frozen=True)
class AlarmLine:
    """One line of the list of alarms.

    Attributes:
        who: A tenant, or how many.
        window: Which, for people; empty when several are meant.
        what: What happened, in a sentence.
    """

    who: str
    window: str
    what: str


def list_alarms(state: FleetState) -> Iterator[AlarmLine]:
    """List what the run judged to be decay or drift.

    First the tenants whose models decayed, by what that costs; then what many tenants share, as one
    event; then the shifts of single tenants that hold among all streams of the fleet.
    """
    judged = [one.judgement for one in state.members if one.judgement]
    judged = [one for one in judged if one.run == state.run]
    decayed = [one for one in judged if one.status == "decayed"]
    for judgement in sorted(decayed, key=lambda one: (-_harm(one), one.tenant)):
        yield AlarmLine(judgement.tenant, span(judgement.span), judgement.sentence)
    drift = gather_drift(judged)
    for event in drift.events:
        who = f"{len(event.tenants):,} of {event.judged:,} tenants"
        yield AlarmLine(who, span(Window.parse(event.window)), _say_event(event))
    for one in drift.alone:
        note = f" ({one.shift.note})" if one.shift.note else ""
        words = f"{one.shift.name} drifted by {one.shift.effect:.2f}{note}."
        yield AlarmLine(one.tenant, span(Window.parse(one.window)), words)
    if drift.doubtful:
        words = f"Shifts that may be chance among so many streams: {drift.doubtful:,}."
        yield AlarmLine("", "", words)


def _say_event(event: FleetEvent) -> str:
    few = ", ".join(event.tenants[:_NAMED])
    more = f" and {len(event.tenants) - _NAMED:,} more" if len(event.tenants) > _NAMED else ""
    return f"One event: {event.name} drifted by {event.effect:.2f} in {few}{more}."


def _harm(judgement: Judgement) -> float:
    """Return by how much a window was worse than promised, over all its labelled rows."""
    quality = judgement.quality
    if quality is None or quality.promised is None:
        return 0.0
    return (quality.realised - quality.promised) * judgement.labelled
