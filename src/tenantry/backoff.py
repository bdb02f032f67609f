"""Back-off: a stage that keeps failing for a tenant is tried again later and later.

Time is logical: it passes with the runs' `as_of`. What failed once is due again at once; the k-th
failure in a row holds it for `retry.after` × 2^(k−2), `retry.at_most` at most. A stage holds only
the work that needs it, so that a tenant whose training fails is still predicted (decision 0004).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tenantry.errors import StoreUnavailableError
from tenantry.events import Event, Kind
from tenantry.facts import Failure
from tenantry.ledger import Action, Entry, Header
from tenantry.needs import stages_for
from tenantry.specs.operation import Retry
from tenantry.times import format_moment, shifted

_OF_THE_STORE = StoreUnavailableError.__name__


@dataclass(frozen=True)
class Hold:
    """How long a stage that failed is left alone.

    Attributes:
        stage: Which stage.
        times: Runs in a row in which it failed.
        kind: The last error's class.
        until: Work that needs the stage is due again from then on.
    """

    stage: str
    times: int
    kind: str
    until: datetime

    def in_words(self) -> str:
        """Say why it is held, and until when."""
        runs = f"{self.times} runs in a row" if self.times > 1 else "the last run"
        until = format_moment(self.until)
        return f"waits until {until}: {self.stage} failed in {runs} ({self.kind})"


def find_holds(failures: Iterable[Failure], retry: Retry) -> dict[str, Hold]:
    """Return the hold of each stage that failed, whether it is over or not.

    A failure of the store is no tenant's, and holds nobody.

    Args:
        failures: Those since the stage last went well or was cleared.
        retry: The spec's rule.
    """
    by_stage: dict[str, list[Failure]] = {}
    for failure in sorted(one for one in failures if one.kind != _OF_THE_STORE):
        by_stage.setdefault(failure.stage, []).append(failure)
    holds = {}
    for stage, some in by_stage.items():
        times = len({failure.run for failure in some})
        until = shifted(some[-1].as_of, wait_after(times, retry))
        holds[stage] = Hold(stage, times, some[-1].kind, until)
    return holds


def wait_after(times: int, retry: Retry) -> timedelta:
    """Return how long to wait after so many failures in a row."""
    if times <= 1:
        return timedelta()
    doublings = min(times - 2, 60)  # past any `at_most`; the numbers stay small
    seconds = int(retry.after.total_seconds()) << doublings
    return min(timedelta(seconds=min(seconds, int(retry.at_most.total_seconds()))), retry.at_most)


def holding(action: Action, holds: Mapping[str, Hold]) -> Hold | None:
    """Return the hold that an action waits for longest; None when no stage of its failed."""
    found = (holds[stage] for stage in stages_for(action) if stage in holds)
    return max(found, key=lambda hold: hold.until, default=None)


def outcome_events(
    entry: Entry, header: Header, failures: Iterable[Failure] = ()
) -> tuple[Event, ...]:
    """Return the events that a run leaves of how a tenant's stages went; written by the closing.

    Args:
        entry: The tenant's line in the last ledger.
        header: The ledger's.
        failures: What is known of the tenant's failures since its stages last went well.

    Returns:
        `failed` for each stage that failed; `recovered` for each that went well after failures.
    """
    events = [
        _event("failed", failure.stage, entry, header).model_copy(
            update={"sentence": failure.message, "evidence": {"kind": failure.kind}}
        )
        for failure in entry.failures
    ]
    for stage in sorted({failure.stage for failure in failures}):
        outcome = entry.outcome(stage)
        if outcome is not None and outcome.status in ("done", "fell_back"):
            events.append(_event("recovered", stage, entry, header))
    return tuple(events)


def _event(kind: Kind, stage: str, entry: Entry, header: Header) -> Event:
    return Event(
        kind=kind,
        as_of=header.as_of,
        product=header.product,
        tenant=entry.tenant,
        run=header.run,
        stage=stage,
        sentence=f"{stage} went well again",
    )
