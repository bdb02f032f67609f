"""The records of decisions about a tenant's champion: which stand, and how they are told."""

from collections.abc import Sequence

from tenantry.champions import Champion, Reign, describe_rollback
from tenantry.events import (
    DECISIONS,
    Event,
    EventName,
    Kind,
    list_events,
    read_event,
    write_event,
)
from tenantry.gate import Decision
from tenantry.jobs import Job, Result
from tenantry.ledger import Scalar


def hold(
    job: Job, challenger: str, reign: Reign | None, made: Sequence[EventName], why: str
) -> Result:
    """Keep the champion whatever the challenger is worth: a person has decided."""
    held = Decision("champion", f"kept the champion without a comparison: {why}")
    event = make_event(job, "kept", challenger, held, turn=next_turn(job, reign, made))
    is_on_record = any(name.version == challenger for name in made)
    return make_result(event, reign, () if is_on_record else (write_event(job.store, event),))


def describe_revocation(champion: Champion, version: str) -> str:
    """Say who rolled a version back, and why."""
    judge = next(judge for place, judge in champion.revoked.items() if place[-1] == version)
    return f"{version} was {describe_rollback(judge)}"


def decisions_now(job: Job) -> list[EventName]:
    """Return the events of decisions made as of this very moment, by turn.

    Read them before the champion's pointer: that moves first and the events follow, so that
    another run's decision is seen whole, or by its reign, or not at all.
    """
    events = list_events(job.store, job.product, job.tenant)
    return [made for made in events if made.as_of == job.as_of and made.kind in DECISIONS]


def next_turn(job: Job, reign: Reign | None, made: Sequence[EventName]) -> int:
    """Return which decision of this moment the next one is."""
    turns = [name.turn for name in made]
    if reign is not None and reign.since == job.as_of:
        turns.append(reign.turn)
    return max(turns) + 1 if turns else 0


def find_standing(
    job: Job, challenger: str, reign: Reign | None, made: Sequence[EventName]
) -> tuple[Event, ...]:
    """Return the last decision of this moment when it was about this challenger.

    Returns:
        Its events, the one about the challenger last; none when there is no such decision.
    """
    for name in made:
        if name.version == challenger and name.turn == made[-1].turn:
            return (read_event(job.store, name.key),)
    if reign is None or reign.since != job.as_of or reign.evidence.get("challenger") != challenger:
        return ()
    # crowned, but the run died before it wrote all events, or is at it
    stood = Decision("champion", reign.gate, reign.evidence)
    kinds: dict[str, Kind] = {challenger: "kept", reign.version: "promoted"}
    return tuple(
        make_event(job, kinds[version], version, stood, turn=reign.turn)
        for version in dict.fromkeys((reign.version, challenger))
    )


def make_event(job: Job, kind: Kind, version: str, decision: Decision, *, turn: int) -> Event:
    """Make the event of a decision about a challenger."""
    return Event(
        kind=kind,
        as_of=job.as_of,
        product=job.product,
        tenant=job.tenant,
        run=job.run,
        version=version,
        training_digest=job.spec.training_digest,
        sentence=decision.sentence,
        evidence=decision.evidence,
        turn=turn,
    )


def make_result(
    event: Event, reign: Reign | None, keys: tuple[str, ...], *, is_new: bool = False
) -> Result:
    """Tell a decision: its event, and who reigns by it as of the run.

    Args:
        event: The event about the challenger.
        reign: Who reigns.
        keys: What was left in the store.
        is_new: Whether the event was not there before; the shard then need not read it again.
    """
    facts: dict[str, Scalar] = {"promoted": event.kind == "promoted"}
    facts |= {name: value for name, value in event.evidence.items() if name != "challenger"}
    if is_new:
        facts |= {"recorded": event.name, "training_digest": event.training_digest}
    instead_of = reign.evidence.get("challenger") if reign and reign.since == event.as_of else None
    has_fallen_back = event.kind == "kept" and instead_of == event.version
    return Result(
        event.sentence,
        status="fell_back" if has_fallen_back else "done",
        facts=facts | champion_facts(reign),
        keys=keys,
    )


def champion_facts(reign: Reign | None) -> dict[str, Scalar]:
    """Return what a ledger says of a champion."""
    if reign is None:
        return {}
    return {"champion": reign.version, "champion_recipe": reign.recipe}


def retire(job: Job, reign: Reign | None) -> Result:
    """Archive a tenant by an event."""
    last = f"its last champion was {reign.version}" if reign else "it never had a champion"
    event = Event(
        kind="retired",
        as_of=job.as_of,
        product=job.product,
        tenant=job.tenant,
        run=job.run,
        sentence=f"retired: {last}",
        evidence=champion_facts(reign),
    )
    key = write_event(job.store, event)
    return Result(event.sentence, facts={"retired": True} | champion_facts(reign), keys=(key,))
