"""States of tenants as runs left them, and what is due then."""

from datetime import timedelta

from tenantry.champions import Champion, Reign
from tenantry.facts import Attempt, Predicted
from tenantry.planner import plan_tenant
from tenantry.states import TenantState
from tenantry.times import Window, compact, parse_moment

START = parse_moment("2013-09-03")
WEEK = timedelta(days=7)
OCTOBER = parse_moment("2013-10-01")
NOVEMBER = parse_moment("2013-11-01")


def weeks(first, last):
    return [Window(START + n * WEEK, START + (n + 1) * WEEK) for n in range(first, last)]


def version(moment):
    return f"{compact(moment)}-abc"


def reign(since, **fields):
    return Reign(
        since=since,
        version=version(since),
        digest="d",
        trained_until=since,
        training_digest="t",
        recipe="pooled",
        gate="promoted",
        **fields,
    )


def attempt(spec, as_of, **fields):
    known = {"training_digest": spec.training_digest} | fields
    return Attempt(as_of, version(as_of), **known)


def by(moment, window, as_of=None):
    """What says that the model trained as of a moment predicted a window."""
    return (Predicted(as_of or moment, version(moment), in_sample=window.start < moment),)


def trained(spec, *moments, predicted=(), **fields):
    """The state after runs that trained at `moments`."""
    return TenantState(
        champion=Champion(counter=1, reigns=tuple(reign(moment) for moment in moments)),
        attempt=attempt(spec, moments[-1]),
        predicted={window: by(moments[0], window) for window in predicted},
        **fields,
    )


def due(spec, state, as_of, **options):
    return {one.action: one for one in plan_tenant(spec, state, as_of, **options).due}
