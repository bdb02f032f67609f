"""Whether a tenant got what it was promised: predictions in time, by a model that is fresh.

Counted in logical time, over a span that ends with the run's `as_of`: from the receipts of windows
and from the reigns of champions. Imports no pandas: plan and report use it.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import chain

from tenantry.agenda import Agenda
from tenantry.champions import Champion
from tenantry.records import Record
from tenantry.specs.model import Spec
from tenantry.states import TenantState
from tenantry.times import shifted

HOUR = timedelta(hours=1)


class Promise(Record):
    """How one promise was kept over a span of time.

    Attributes:
        total: Windows that were due in the span, or its hours.
        missed: Of them, those in which the promise was broken.
        allowed: Of them, those in which it may be: the error budget.
        broken: Whether it is broken at the end of the span.
    """

    total: float
    missed: float
    allowed: float
    broken: bool

    @property
    def budget(self) -> float:
        """The share of the error budget that is left; below 0 when it is overspent."""
        if self.allowed <= 0:
            return 0.0 if self.missed else 1.0
        return 1 - self.missed / self.allowed


class Promises(Record):
    """How a tenant's promises were kept.

    Attributes:
        predictions: Windows predicted within `predict.fresh_within` after they were known.
        model: Hours in which the champion had learnt up to `monitor.promises.model_age` ago.
    """

    predictions: Promise
    model: Promise


def measure_promises(spec: Spec, state: TenantState, as_of: datetime) -> Promises | None:
    """Measure how a tenant's promises were kept by now.

    What a run at `as_of` still does is not counted, nor is what came before its first model.

    Args:
        spec: What Git declares.
        state: What the store holds, as of `as_of`.
        as_of: The end of the span.

    Returns:
        None for a tenant that is paused, retired or erased, or that never had a model.
    """
    if spec.state != "active" or state.erased or state.champion is None:
        return None
    since = max(shifted(as_of, -spec.monitor.promises.over), state.champion.earliest.since)
    return Promises(
        predictions=_measure_predictions(Agenda(spec, state, as_of), since),
        model=_measure_model(spec, state.champion, since, as_of),
    )


def sum_promises(promises: Iterable[Promise]) -> Promise:
    """Return how a promise was kept over all tenants; broken where it is for any of them."""
    known = list(promises)
    return Promise(
        total=sum(one.total for one in known),
        missed=sum(one.missed for one in known),
        allowed=sum(one.allowed for one in known),
        broken=any(one.broken for one in known),
    )


def _measure_predictions(agenda: Agenda, since: datetime) -> Promise:
    total = missed = 0
    broken = False
    for window, deadline in agenda.deadlines(since):
        predicted = agenda.state.predicted.get(window, ())
        total += 1
        missed += not any(one.as_of <= deadline for one in predicted)
        broken |= not any(one.as_of <= agenda.as_of for one in predicted)
    return _promise(agenda.spec, total, missed, broken=broken)


def _measure_model(spec: Spec, champion: Champion, since: datetime, as_of: datetime) -> Promise:
    age = spec.monitor.promises.model_age or 2 * spec.train.every
    stale = timedelta()
    old_since = as_of
    for start, end, learnt in _reigned(champion, as_of):
        old_since = max(start, shifted(learnt, age))
        stale += max(end - max(old_since, since), timedelta())
    total = (as_of - since) / HOUR
    return _promise(spec, total, stale / HOUR, broken=old_since < as_of)


def _reigned(champion: Champion, as_of: datetime) -> Iterator[tuple[datetime, datetime, datetime]]:
    """Yield from when until when each model reigned, and until when it had learnt."""
    reigns = champion.reigns
    ends = chain((reign.since for reign in reigns[1:]), (as_of,))
    for reign, end in zip(reigns, ends, strict=True):
        yield reign.since, end, reign.trained_until


def _promise(spec: Spec, total: float, missed: float, *, broken: bool) -> Promise:
    allowed = (1 - spec.monitor.promises.kept) * total
    return Promise(
        total=round(total, 2), missed=round(missed, 2), allowed=round(allowed, 4), broken=broken
    )
