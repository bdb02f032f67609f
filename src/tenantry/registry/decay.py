"""Roll a tenant back when a judgement asks for it, as a run's plan says."""

from tenantry.champions import Champion
from tenantry.crowning import Seen
from tenantry.decisions import champion_facts
from tenantry.errors import RegistryError
from tenantry.jobs import Job, Result
from tenantry.ledger import Due
from tenantry.monitoring.judgements import read_judgement
from tenantry.registry.orders import MONITOR, Order, record_rollback
from tenantry.registry.rollback import Aim, find_move, make_move
from tenantry.registry.versions import FileCheck, require_seen
from tenantry.times import Window


def roll_back(job: Job, due: Due) -> Result:
    """Go back to the model that the plan says, from the one that was judged as decayed.

    Made once, however often it is planned: a champion that moved since, by another run or a person,
    stays, and so does the judged one where it was made to reign again. Everything in the reign and
    its event follows from the plan and the judgement.

    Args:
        job: The tenant.
        due: The rollback.

    Raises:
        RegistryError: The model's files are gone, or it must not be used.
    """
    seen = require_seen(job.store, job.product, job.tenant)
    window = Window.parse(due.windows[0])
    judgement = read_judgement(job.store, job.product, job.tenant, window)
    if seen.champion.current.version == due.version:
        return _made_before(job, seen.champion)
    if judgement is None or seen.champion.current.version != judgement.model:
        return _stays(seen.champion, "another champion reigns by now")
    if judgement.as_of <= seen.champion.current.since:
        return _stays(seen.champion, "it was made to reign again since it was judged")
    if seen.champion.pin:
        return _stays(seen.champion, f"it was pinned by {seen.champion.pin.who}")
    order = Order(who=MONITOR, why=f"decayed in window {window}", when=job.as_of)
    return _move(job, due, seen, order)


def _move(job: Job, due: Due, seen: Seen, order: Order) -> Result:
    files, aim = FileCheck(job.store, job.product), Aim(version=due.version)
    try:
        move = find_move(
            job.store,
            job.product,
            job.tenant,
            seen,
            aim,
            since=job.as_of,
            order=order,
            files=files,
        )
        champion = make_move(job.store, job.product, move)
    except RegistryError:
        found = require_seen(job.store, job.product, job.tenant).champion
        if found.counter == seen.champion.counter:
            raise
        made = found.current.version == due.version
        return _made_before(job, found) if made else _stays(found, "it was moved meanwhile")
    replaced = move.replaced.version
    message = f"rolled back from {replaced} to {due.version}: {order.why}"
    return Result(message, facts={"rolled_back": True} | champion_facts(champion.current))


def _made_before(job: Job, champion: Champion) -> Result:
    """Tell of a rollback that stands; a run of this slot may have died before its event."""
    current = champion.current
    if current.restores and (current.since, current.restores.who) == (job.as_of, MONITOR):
        record_rollback(job.store, job.product, job.tenant, champion.current)
    message = f"{champion.current.version} reigns already"
    return Result(message, facts={"rolled_back": False} | champion_facts(champion.current))


def _stays(champion: Champion, why: str) -> Result:
    message = f"not rolled back: {why}"
    return Result(message, facts={"rolled_back": False} | champion_facts(champion.current))
