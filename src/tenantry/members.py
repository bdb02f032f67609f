"""A tenant of the fleet as a run left it, and how the run ended for it. Imports no pandas."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from tenantry.champions import Champion
from tenantry.ledger import Action, Due, Entry, Outcome, Scalar
from tenantry.monitoring.history import Judged
from tenantry.monitoring.judgements import Judgement
from tenantry.plans import Planned

State = Literal["failed", "unknown", "fell_back", "waiting", "done", "idle"]

STATES: dict[State, str] = {
    "failed": "failed",
    "unknown": "unknown",
    "fell_back": "fell back",
    "waiting": "waits",
    "done": "done",
    "idle": "up to date",
}
"""A tenant's state in a run as people read it, worst first."""

_FINISHED_BY: dict[Action, str] = {
    "train": "promote",
    "rollback": "promote",
    "retire": "promote",
    "predict": "predict",
    "backfill": "predict",
    "monitor": "monitor",
    "publish": "predict",
}


@dataclass(frozen=True)
class Member:
    """A tenant of the fleet as a run left it.

    Attributes:
        tenant: Its name.
        planned: What the run meant to do for it.
        entry: Its line in the last ledger of its shard; None when nothing was due.
        died_in: The stage in which its shard died; empty when the shard came to its end.
        in_progress: Whether it was being worked on when its shard died.
        champion: Its champion and those before.
        judgement: The judgement of its latest judged window, by whichever run.
        ran: The judgement of the latest window that this run judged; None when it judged none.
        judged: All windows that this run judged, in short, by time.
    """

    tenant: str
    planned: Planned = field(default_factory=Planned)
    entry: Entry | None = None
    died_in: str = ""
    in_progress: bool = False
    champion: Champion | None = None
    judgement: Judgement | None = None
    ran: Judgement | None = None
    judged: tuple[Judged, ...] = ()

    @property
    def due(self) -> tuple[Due, ...]:
        """What was due."""
        return self.planned.due

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What each stage did, in order."""
        return self.entry.outcomes if self.entry else ()

    @cached_property
    def failures(self) -> tuple[Outcome, ...]:
        """The outcomes that failed."""
        return self.entry.failures if self.entry else ()

    @cached_property
    def unfinished(self) -> tuple[Action, ...]:
        """What was due and has neither an outcome nor a failure that explains it."""
        if self.failures or not self.planned.shard:
            return ()
        done = {outcome.stage for outcome in self.outcomes}
        return tuple(due.action for due in self.due if _FINISHED_BY[due.action] not in done)

    @cached_property
    def state(self) -> State:
        """How the run ended for this tenant, in a word."""
        if self.failures:
            return "failed"
        if self.unfinished:
            return "unknown"
        if not self.due:
            return "waiting" if self.planned.waits else "idle"
        lesser = any(outcome.status == "fell_back" for outcome in self.outcomes)
        return "fell_back" if lesser else "done"

    @property
    def cpu_seconds(self) -> float:
        """User and system time of all stages."""
        return sum(outcome.cost.cpu_seconds for outcome in self.outcomes)

    def fact(self, stage: str, name: str) -> Scalar:
        """Return a fact that `stage` recorded, or None."""
        return self.entry.fact(stage, name) if self.entry else None

    def count(self, stage: str, name: str) -> int:
        """Return a count that `stage` recorded, 0 when it recorded none."""
        value = self.fact(stage, name)
        return int(value) if isinstance(value, int | float) else 0
