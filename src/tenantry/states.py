"""What the store holds of a tenant: facts that only grow, and the state they make at a time.

A `TenantRecord` is what was read of a tenant, from its folder (`tenantry.truth`) or from the index.
Two records of one tenant join into one that knows all that either knew, in whatever order they are
joined and however often, so that a stale one never undoes a fresh one. A `TenantState` is what a
record says as of a moment; the planner decides by it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self, TypeVar

from tenantry.champions import Champion
from tenantry.facts import DEATHS, Alarm, Attempt, Failure, Measured, Predicted
from tenantry.times import Window

T = TypeVar("T", datetime, Measured)


@dataclass(frozen=True)
class TenantState:
    """A tenant's state as of a moment; what later runs decided does not count.

    Attributes:
        champion: Its reigns until then (see `TenantRecord.champion`), or None.
        attempt: The last training that the gate decided on.
        rows: Labelled rows of that attempt, a measure of the tenant's cost; None when unknown.
        predicted: What was predicted, window by window, by the receipts' `as_of`; later runs' too.
        looked_at: When rows that arrived late were last looked for.
        judged: The windows judged, by later runs too.
        judgements: Since the attempt, those of decay and those that ask for something to be done.
        decayed: The models that were ever judged as decayed.
        failures: Since it last recovered or was cleared, by time.
        interrupted: Whether it took its worker or shard down, or was in one that went down.
        retired: Whether it was archived and not trained since.
        erased: Whether it was erased; everything else is empty then.
        costs: Stage → CPU-seconds when last measured.
    """

    champion: Champion | None = None
    attempt: Attempt | None = None
    rows: int | None = None
    predicted: Mapping[Window, tuple[Predicted, ...]] = field(default_factory=dict)
    looked_at: datetime | None = None
    judged: frozenset[Window] = frozenset()
    judgements: tuple[Alarm, ...] = ()
    decayed: frozenset[str] = frozenset()
    failures: tuple[Failure, ...] = ()
    interrupted: bool = False
    retired: bool = False
    erased: bool = False
    costs: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class TenantRecord:
    """What was read of a tenant.

    Attributes:
        tenant: Its name.
        champion: As stored, without the gate's words and figures, digests and runs of its reigns.
        attempts: All trainings that the gate decided on.
        retired: When it was archived.
        predicted: What was predicted, window by window; each thing once, in order.
        looked: When rows that arrived late were looked for.
        judged: The windows judged.
        alarms: Judgements of decay, and those that ask for something to be done.
        failures: Those that nothing cleared.
        cleared: Stage → when it last recovered from failures; "" → when all stages were cleared.
        erased: Whether it was erased; everything else is empty then.
        marked: Whether it is being worked on, or was when its shard went down. Known to readers of
            the tenant's folder only.
        costs: Stage → what it took when last measured.
    """

    tenant: str
    champion: Champion | None = None
    attempts: frozenset[Attempt] = frozenset()
    retired: frozenset[datetime] = frozenset()
    predicted: Mapping[Window, tuple[Predicted, ...]] = field(default_factory=dict)
    looked: frozenset[datetime] = frozenset()
    judged: frozenset[Window] = frozenset()
    alarms: frozenset[Alarm] = frozenset()
    failures: frozenset[Failure] = frozenset()
    cleared: Mapping[str, datetime] = field(default_factory=dict)
    erased: bool = False
    marked: bool = False
    costs: Mapping[str, Measured] = field(default_factory=dict)

    def join(self, other: Self) -> Self:
        """Return what both records know together."""
        if self.erased or other.erased:
            return type(self)(self.tenant, erased=True)
        cleared = _latest(self.cleared, other.cleared)
        return type(self)(
            tenant=self.tenant,
            champion=_later_champion(self.champion, other.champion),
            attempts=_join_attempts(self.attempts, other.attempts),
            retired=self.retired | other.retired,
            predicted=_join_predicted(self.predicted, other.predicted),
            looked=self.looked | other.looked,
            judged=self.judged | other.judged,
            alarms=self.alarms | other.alarms,
            failures=uncleared(self.failures | other.failures, cleared),
            cleared=cleared,
            marked=self.marked or other.marked,
            costs=_latest(self.costs, other.costs),
        )

    def minus(self, known: Self) -> Self:
        """Return what `known` lacks of it; joined, they know what both know."""
        if self.erased:
            return self
        return replace(
            self,
            champion=None if self.champion == known.champion else self.champion,
            attempts=self.attempts - known.attempts,
            retired=self.retired - known.retired,
            predicted=_lacking_windows(self.predicted, known.predicted),
            looked=self.looked - known.looked,
            judged=self.judged - known.judged,
            alarms=self.alarms - known.alarms,
            failures=self.failures - known.failures,
            cleared=_lacking(self.cleared, known.cleared),
            costs=_lacking(self.costs, known.costs),
        )

    def as_of(self, moment: datetime) -> TenantState:
        """Return the state at `moment`."""
        attempts = [one for one in self.attempts if one.as_of <= moment]
        attempt = max(attempts, key=lambda one: one.place, default=None)
        since = attempt.as_of if attempt else None
        failures = sorted(one for one in self.failures if one.as_of <= moment)
        return TenantState(
            champion=self.champion.until(moment) if self.champion else None,
            attempt=attempt,
            rows=attempt.rows if attempt else None,
            predicted=self.predicted,
            looked_at=max((one for one in self.looked if one <= moment), default=None),
            judged=self.judged,
            judgements=tuple(
                one
                for one in sorted(self.alarms)
                if one.as_of <= moment and (since is None or one.as_of > since)
            ),
            decayed=frozenset(
                one.model for one in self.alarms if one.as_of <= moment and one.status == "decayed"
            ),
            failures=tuple(failures),
            interrupted=self.marked or any(one.kind in DEATHS for one in failures),
            retired=any(one <= moment and (since is None or one >= since) for one in self.retired),
            erased=self.erased,
            costs={stage: one.cpu_seconds for stage, one in self.costs.items()},
        )


def uncleared(failures: Iterable[Failure], cleared: Mapping[str, datetime]) -> frozenset[Failure]:
    """Return the failures that still count: later than what cleared their stage, or all stages."""
    return frozenset(
        one
        for one in failures
        if all(one.as_of > cleared[stage] for stage in (one.stage, "") if stage in cleared)
    )


def _later_champion(one: Champion | None, other: Champion | None) -> Champion | None:
    """Return the one that was written later: every write counts one more."""
    known = [champion for champion in (one, other) if champion]
    if one == other or len(known) < 2:
        return known[0] if known else None
    return max(known, key=lambda champion: (champion.counter, champion.to_json()))


def _join_predicted(
    one: Mapping[Window, tuple[Predicted, ...]], other: Mapping[Window, tuple[Predicted, ...]]
) -> dict[Window, tuple[Predicted, ...]]:
    joined = {**one, **other}
    for window in one.keys() & other.keys():
        if one[window] != other[window]:
            joined[window] = tuple(sorted({*one[window], *other[window]}))
    return joined


def _lacking_windows(
    one: Mapping[Window, tuple[Predicted, ...]], known: Mapping[Window, tuple[Predicted, ...]]
) -> dict[Window, tuple[Predicted, ...]]:
    lacking = {}
    for window, some in one.items():
        before = known.get(window, ())
        if news := tuple(fact for fact in some if fact not in before):
            lacking[window] = news
    return lacking


def _join_attempts(one: frozenset[Attempt], other: frozenset[Attempt]) -> frozenset[Attempt]:
    """Keep one of each place: the one that knows the rows."""
    if one <= other or other <= one:
        return one | other
    best: dict[object, Attempt] = {}
    for attempt in one | other:
        kept = best.setdefault(attempt.place, attempt)
        if kept != attempt:
            best[attempt.place] = max(kept, attempt, key=_knowledge)
    return frozenset(best.values())


def _knowledge(attempt: Attempt) -> tuple[int, str]:
    return -1 if attempt.rows is None else attempt.rows, attempt.training_digest


def _lacking(one: Mapping[str, T], known: Mapping[str, T]) -> dict[str, T]:
    return {stage: value for stage, value in one.items() if known.get(stage) != value}


def _latest(one: Mapping[str, T], other: Mapping[str, T]) -> dict[str, T]:
    """Keep the later of each stage."""
    if not one or not other:
        return {**one, **other}
    return {
        stage: max(known[stage] for known in (one, other) if stage in known)
        for stage in sorted(one.keys() | other.keys())
    }
