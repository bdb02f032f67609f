"""What a run cost each tenant: its own work, and its part of what was done for all.

The parts add up to what all processes of the run took. Kubernetes and Kubeflow take more on top,
which no process of ours can measure.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields

from tenantry.fleet import FleetState
from tenantry.members import Member


@dataclass(frozen=True)
class Charge:
    """A tenant's part of a run.

    Attributes:
        tenant: Whose.
        own_cpu_seconds: User and system time of its own work.
        shared_cpu_seconds: Its part of what was done for several: a shard's process (imports,
            ledgers) in equal parts among the tenants that its stage worked on, the pooled model
            among those that were trained, plan, check and report among all.
        bytes_read: From the store.
        bytes_written: To the store.
        share: Of the CPU time of the whole run, 0 to 1.
    """

    tenant: str
    own_cpu_seconds: float
    shared_cpu_seconds: float
    bytes_read: int
    bytes_written: int
    share: float

    @property
    def cpu_seconds(self) -> float:
        """User and system time, own and shared."""
        return self.own_cpu_seconds + self.shared_cpu_seconds


def make_bill(state: FleetState, *, reporting: float = 0.0) -> tuple[Charge, ...]:
    """Divide what a run took among its tenants, by name.

    Args:
        state: The fleet as the run left it.
        reporting: CPU-seconds of the report so far.
    """
    shared = _share_out(state, reporting)
    whole = sum(shared.values()) + sum(member.cpu_seconds for member in state.members)
    charges = []
    for member in state.members:
        own, part = member.cpu_seconds, shared[member.tenant]
        charges.append(
            Charge(
                tenant=member.tenant,
                own_cpu_seconds=round(own, 3),
                shared_cpu_seconds=round(part, 3),
                bytes_read=sum(outcome.cost.bytes_read for outcome in member.outcomes),
                bytes_written=sum(outcome.cost.bytes_written for outcome in member.outcomes),
                share=round((own + part) / whole, 6) if whole else 0.0,
            )
        )
    return tuple(charges)


def write_bill(charges: Iterable[Charge]) -> str:
    """Write charges as CSV, a line a tenant."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(field.name for field in fields(Charge))
    writer.writerows(map(astuple, charges))
    return text.getvalue()


def _share_out(state: FleetState, reporting: float) -> Mapping[str, float]:
    """Return tenant → its part of what was done for several."""
    parts: defaultdict[str, float] = defaultdict(float)
    planning = max((one.get("plan", 0.0) for one in state.processes.values()), default=0.0)
    _divide(planning + state.checking + reporting, state.members, parts)
    trained = [one for one in state.members if any(due.action == "train" for due in one.due)]
    _divide(max(state.pooled_process, state.pooled_seconds), trained or state.members, parts)
    for shard, stages in state.processes.items():
        inside = [one for one in state.members if one.planned.shard == shard]
        for stage, seconds in stages.items():
            if stage == "plan":
                continue
            at_work = [one for one in inside if _seconds_in(one, stage) is not None]
            own = sum(_seconds_in(one, stage) or 0.0 for one in at_work)
            _divide(max(seconds - own, 0.0), at_work or inside, parts)
    return parts


def _divide(seconds: float, members: Sequence[Member], parts: defaultdict[str, float]) -> None:
    for member in members:
        parts[member.tenant] += seconds / len(members)


def _seconds_in(member: Member, stage: str) -> float | None:
    """Return what a stage took for a tenant; None where it did nothing for it."""
    outcome = member.entry.outcome(stage) if member.entry else None
    return outcome.cost.cpu_seconds if outcome else None
