"""Markdown summaries, as the Kubeflow UI shows them beside each task."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from tenantry.ledger import Ledger
from tenantry.overview import Line, make_lines, say_cost, say_counts, say_straggler
from tenantry.plans import RunPlan
from tenantry.text import plain
from tenantry.times import format_moment

_NAMES = 20
"""Tenants that a line names; the others are counted."""

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~$&-])")


def as_text(value: object) -> str:
    """Write a value so that Markdown shows it as it is: no markup, no line breaks."""
    return _SPECIAL.sub(r"\\\1", " ".join(plain(str(value)).split()))


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a Markdown table; every cell is text."""
    lines = [head, ["---"] * len(head), *([as_text(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def plan_markdown(made: RunPlan) -> str:
    """Show a plan: what is due and why, tenants with the same reason in one line."""
    due = [planned for planned in made.tenants.values() if planned.due]
    head = f"# Plan of {as_text(made.product + made.where)} as of {format_moment(made.as_of)}\n\n"
    count = (
        f"{len(due):,} of {len(made.tenants):,} tenants are due: {say_counts(made)}; "
        f"{say_cost(made)}.\n\n"
    )
    if said := say_straggler(made):
        count += f"{as_text(said)}.\n\n"
    rows = [(line.kind, len(line.tenants), line.why, _names(line)) for line in make_lines(made)]
    return head + count + table(("what", "tenants", "why", "who"), rows)


def _names(line: Line) -> str:
    more = len(line.tenants) - _NAMES
    return ", ".join(line.tenants[:_NAMES]) + (f" and {more:,} more" if more > 0 else "")


class PooledSummary(Protocol):
    """What is shown of pooled training; `tenantry.stages.train_pooled` makes one."""

    @property
    def contributors(self) -> Mapping[str, int]:
        """Tenant → rows."""
        ...

    @property
    def failures(self) -> Mapping[str, str]:
        """Tenant → why it was left out."""
        ...

    @property
    def denied(self) -> tuple[str, ...]:
        """Tenants that allow no pooling."""
        ...

    @property
    def strict(self) -> tuple[str, ...]:
        """Tenants whose rows stay in their region."""
        ...

    @property
    def message(self) -> str:
        """One sentence a zone."""
        ...


def pooled_markdown(outcome: PooledSummary) -> str:
    """Show who contributed to the pooled model, who did not and why."""
    rows = [(tenant, f"{rows:,} rows") for tenant, rows in sorted(outcome.contributors.items())]
    rows += [(tenant, f"left out: {why}") for tenant, why in sorted(outcome.failures.items())]
    rows += [(tenant, "allows no pooling") for tenant in outcome.denied]
    strict = "left out: its rows stay in its region, and the zone has several"
    rows += [(tenant, strict) for tenant in outcome.strict]
    head = "".join(f"{as_text(line)}\n\n" for line in outcome.message.splitlines())
    return f"# The pooled model\n\n{head}" + table(("tenant", "part"), rows)


def ledger_markdown(ledger: Ledger) -> str:
    """Show what a stage did: one line a tenant."""
    header = ledger.header
    head = f"# {header.stage} of shard {as_text(header.shard)}\n\n"
    outcomes = [(entry.tenant, entry.outcome(header.stage)) for entry in ledger.entries]
    rows = [
        (tenant, outcome.status, outcome.message, f"{outcome.cost.cpu_seconds:.1f}")
        for tenant, outcome in outcomes
        if outcome
    ]
    if not rows:
        return head + "Nothing was due here.\n"
    return head + table(("tenant", "outcome", "message", "CPU s"), rows)
