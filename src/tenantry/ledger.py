"""The ledger: the record of a shard, one entry a tenant: what is due, what happened, where it is.

A ledger is JSON lines: a header, then the entries by tenant. `plan` writes the first one of a
shard; every stage reads the one before and writes the next. Timings aside, equal runs write equal
ledgers.
"""

from collections.abc import Container
from typing import Literal, Self

from pydantic import Field

from tenantry.records import Record, Whole
from tenantry.text import Plain
from tenantry.times import Moment, Window

Scalar = str | Whole | float | bool | None
Action = Literal["train", "predict", "backfill", "monitor", "rollback", "retire", "publish"]
ModelChoice = Literal["then", "current"]
Status = Literal["done", "fell_back", "skipped", "failed"]

STAGES = ("ingest", "build_features", "train", "promote", "predict", "monitor")
"""The stages of a shard, in order."""


class Due(Record):
    """One thing to do for a tenant.

    Attributes:
        action: What.
        reason: Why, in words.
        windows: Ids of the windows it concerns (predict, backfill, monitor, rollback).
        model: Which model predicts them: that which reigned `then`, when the window began, or the
            `current` champion (backfill).
        since: When the first window asked for begins (backfill).
        until: Before when the last one does (backfill).
        version: The model to go back to (rollback); `windows` is the one that was judged.
    """

    action: Action
    reason: str
    windows: tuple[str, ...] = ()
    model: ModelChoice = "then"
    since: Moment | None = None
    until: Moment | None = None
    version: str = ""


class Cost(Record):
    """What a stage spent on a tenant; differs between equal runs, as `Header.processes` does.

    Attributes:
        cpu_seconds: User and system time of the worker.
        wall_seconds: Elapsed time.
        peak_mib: Largest resident memory of the worker so far, MiB; of earlier tenants, too, unless
            each has a process of its own.
        bytes_read: From the store.
        bytes_written: To the store.
        tries: How often it was tried (transient failures).
    """

    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    peak_mib: float = 0.0
    bytes_read: Whole = 0
    bytes_written: Whole = 0
    tries: Whole = 1


class Outcome(Record):
    """What a stage did for a tenant.

    Attributes:
        stage: Which stage.
        status: `done`; `fell_back` (done in a lesser way, the message says which); `skipped`
            (nothing to do); `failed`.
        message: One sentence for people; never quotes rows.
        kind: The error's class when it failed.
        facts: What later stages and the report need: versions, digests, counts, scores.
        keys: Objects it left in the store.
        cost: What it took.
    """

    stage: str
    status: Status
    message: Plain = ""
    kind: str = ""
    facts: dict[str, Scalar] = Field(default_factory=dict)
    keys: tuple[str, ...] = ()
    cost: Cost = Cost()


class Entry(Record):
    """One tenant's line in a ledger.

    Attributes:
        tenant: Who.
        due: What was due when the run was planned.
        outcomes: What each stage did, in order.
    """

    tenant: str
    due: tuple[Due, ...] = ()
    outcomes: tuple[Outcome, ...] = ()

    def due_for(self, action: Action) -> Due | None:
        """Return what is due of that action, or None."""
        return next((due for due in self.due if due.action == action), None)

    def windows(self, action: Action) -> tuple[Window, ...]:
        """Return the windows due for that action, in order of time."""
        due = self.due_for(action)
        return tuple(Window.parse(text) for text in due.windows) if due else ()

    def outcome(self, stage: str) -> Outcome | None:
        """Return what `stage` did, or None when it did not come to this tenant."""
        return next((done for done in self.outcomes if done.stage == stage), None)

    def fact(self, stage: str, name: str) -> Scalar:
        """Return a fact that `stage` recorded, or None."""
        outcome = self.outcome(stage)
        return outcome.facts.get(name) if outcome else None

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """The outcomes that failed."""
        return tuple(done for done in self.outcomes if done.status == "failed")

    def with_outcome(self, outcome: Outcome) -> Self:
        """Return the entry with one more outcome."""
        return self.model_copy(update={"outcomes": (*self.outcomes, outcome)})


class Header(Record):
    """What all entries of a ledger share.

    Attributes:
        run: The run's id.
        product: The product.
        as_of: The run's logical time.
        region: The region that the run serves; empty without `regions.yaml`.
        shard: The shard's name.
        stage: The stage that wrote this ledger; `plan` for the first.
        zones: Residency zone → version of the pooled model in use there.
        fleet: How many tenants the specs declare for the region, whatever part of them the run
            serves.
        processes: Stage → CPU-seconds of the process that took the shard through it, workers and
            imports included; of `plan` those of the whole run's plan. Equal runs differ in them.
        imports: Stage → CPU-seconds of them that its process took to start and to import.
    """

    run: str
    product: str
    as_of: Moment
    region: str = ""
    shard: str
    stage: str = "plan"
    zones: dict[str, str] = Field(default_factory=dict)
    fleet: int = 0
    processes: dict[str, float] = Field(default_factory=dict)
    imports: dict[str, float] = Field(default_factory=dict)


class Ledger(Record):
    """A shard's ledger."""

    header: Header
    entries: tuple[Entry, ...]

    @property
    def tenants(self) -> frozenset[str]:
        """Whose entries it has."""
        return frozenset(entry.tenant for entry in self.entries)

    def without(self, tenants: Container[str]) -> Self:
        """Return the ledger without the entries of `tenants`."""
        kept = tuple(entry for entry in self.entries if entry.tenant not in tenants)
        return self.model_copy(update={"entries": kept})

    def to_lines(self) -> bytes:
        """Write the ledger as JSON lines, entries by tenant."""
        entries = sorted(self.entries, key=lambda entry: entry.tenant)
        return b"".join(record.to_json() + b"\n" for record in (self.header, *entries))

    @classmethod
    def from_lines(cls, content: bytes, place: str) -> Self:
        """Read what `to_lines` wrote.

        Raises:
            ValueError: The content is not a ledger; names `place`.
        """
        first, *rest = content.splitlines() or [b""]
        header = Header.from_json(first, f"{place}:1")
        entries = (Entry.from_json(line, f"{place}:{n}") for n, line in enumerate(rest, start=2))
        return cls(header=header, entries=tuple(entries))
