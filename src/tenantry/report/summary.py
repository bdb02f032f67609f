"""The run in one sentence, in Markdown and in figures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tenantry.champions import Champion
from tenantry.fleet import FleetState
from tenantry.ledger import STAGES
from tenantry.members import STATES, Member
from tenantry.monitoring.judgements import IN_WORDS
from tenantry.report.alarms import list_alarms
from tenantry.summaries import as_text, table
from tenantry.times import format_moment

Tone = Literal["good", "fair", "bad"]

_HEAD = ("tenant", "state", "champion", "windows", "rows", "last judgement")

_WELL = {"SUCCEEDED", "COMPLETE"}
"""How Kubeflow's backend and its local runner call a run that went well."""

_LISTED = 100
"""Troubles, alarms and tenants that the Markdown lists each, the worst; the rest is counted."""

_SEE = "see the failed task in Kubeflow."


@dataclass(frozen=True)
class Verdict:
    """The run in one sentence.

    Attributes:
        tone: How it sounds.
        sentence: What to know.
    """

    tone: Tone
    sentence: str


def is_well(status: str) -> bool:
    """Whether Kubeflow says that the run went well."""
    return status.upper() in _WELL


def judge_run(state: FleetState, status: str) -> Verdict:
    """Say in one sentence how a run went.

    Args:
        state: The fleet as the run left it.
        status: What Kubeflow says of the run, e.g. `SUCCEEDED`, `COMPLETE`, `FAILED`.
    """
    if state.plan is None:
        return _judge_without_plan(status)
    waiting = len(state.having("waiting"))
    later = f" {count(waiting, 'tenant')} left for later runs." if waiting else ""
    if not state.due:
        idle = count(len(state.members) - waiting, "tenant")
        none = f"Nothing was due for {idle}{_pooled(state)}"
        return _judge_idle(none, status, later)
    failed, unknown = state.having("failed"), state.having("unknown")
    if failed or unknown:
        return _judge_troubles(state, len(failed), len(unknown))
    done = f"All {count(len(state.due), 'tenant')} went well"
    if not is_well(status):
        sentence = f"{done}, but the run ended as {status}: {_SEE}"
        return Verdict("bad", sentence)
    lesser = len(state.having("fell_back"))
    if lesser:
        way = f"{done}, {lesser:,} of them in a lesser way"
        return Verdict("fair", f"{way}: {_work(state)}.{later}")
    return Verdict("good", f"{done}: {_work(state)}.{later}")


def _judge_idle(none: str, status: str, later: str) -> Verdict:
    if is_well(status):
        return Verdict("good", f"{none}.{later}")
    return Verdict("bad", f"{none}, and the run ended as {status}: {_SEE}{later}")


def _pooled(state: FleetState) -> str:
    zones = ", ".join(state.plan.pooled) if state.plan else ""
    return f", but for the pooled model of {zones}" if zones else ""


def figures(state: FleetState) -> dict[str, float]:
    """Return the run's figures for a Metrics artifact.

    Returns:
        `tenants`, `trained`, `promoted`, `windows` and `rows` predicted, windows `judged`,
        `failed`, `unknown`, `cpu_seconds`.
    """
    members = state.members
    return {
        "tenants": len(members),
        "trained": sum(_went(one, "train") for one in members),
        "promoted": sum(bool(one.fact("promote", "promoted")) for one in members),
        "windows": sum(one.count("predict", "windows") for one in members),
        "rows": sum(one.count("predict", "rows") for one in members),
        "judged": sum(one.count("monitor", "judged") for one in members),
        "failed": len(state.having("failed")),
        "unknown": len(state.having("unknown")),
        "cpu_seconds": round(sum(stage_costs(state).values()), 2),
    }


def stage_costs(state: FleetState) -> dict[str, float]:
    """Return the CPU seconds of each stage, in their order: the pooled model's and the tenants'."""
    spent = {"train_pooled": state.pooled_seconds} if state.pooled_seconds else {}
    spent |= dict.fromkeys(STAGES, 0.0)
    for member in state.members:
        for outcome in member.outcomes:
            spent[outcome.stage] = spent.get(outcome.stage, 0.0) + outcome.cost.cpu_seconds
    return spent


def to_markdown(state: FleetState, status: str, sent: str = "") -> str:
    """Write the run in Markdown: verdict, figures, what failed, alarms, tenants, the worst first.

    Args:
        state: The fleet as the run left it.
        status: What Kubeflow says of the run.
        sent: What became of the run's alerts, in a sentence; empty when there was nothing to send.
    """
    plan = state.plan
    named = f"{plan.title or state.product}{plan.where}" if plan else state.product
    title = as_text(named or "The fleet")
    when = f" as of {format_moment(state.plan.as_of)}" if state.plan else ""
    parts = [f"# {title}{when}", as_text(judge_run(state, status).sentence)]
    parts += [f"**{as_text(warning)}**" for warning in state.warnings]
    if state.plan:
        numbers = figures(state)
        parts.append(table(tuple(numbers), [[f"{value:,}" for value in numbers.values()]]))
    troubles = list(_troubles(state))
    parts += _list("Failed or unknown", ("tenant", "stage", "what happened"), troubles)
    alarms = [(one.who, one.window, one.what) for one in list_alarms(state)]
    parts += _list("Decay and drift", ("who", "window", "what happened"), alarms)
    if sent:
        parts.append(as_text(sent))
    states = list(STATES)
    worst = sorted(state.members, key=lambda one: states.index(one.state))
    parts += _list("Tenants", _HEAD, [_line(one) for one in worst])
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _list(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    """Yield a section with the first rows, and how many more there are; nothing without rows."""
    if not rows:
        return
    yield f"## {title}"
    yield table(head, rows[:_LISTED])
    more = len(rows) - _LISTED
    if more > 0:
        yield f"… and {more:,} more on the fleet's page."


def explain_unknown(member: Member) -> str:
    """Say why it is unknown what became of a tenant, and what follows."""
    undone = " and ".join(member.unfinished)
    where = f"its shard died in {member.died_in}" if member.died_in else "no ledger says more"
    who = " while this tenant was being worked on" if member.in_progress else ""
    stays = "stays" if len(member.unfinished) == 1 else "stay"
    return f"{where[0].upper()}{where[1:]}{who}; {undone} {stays} due for the next run."


def mark_orders(champion: Champion) -> str:
    """Say in a word or two which orders of people hold for a champion; empty when none does."""
    marks = {"rolled back": champion.current.restores, "pinned": champion.pin}
    return ", ".join(mark for mark, holds in marks.items() if holds)


def count(number: int, noun: str) -> str:
    """Write a number with its noun: ``1 tenant``, ``16 tenants``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _judge_without_plan(status: str) -> Verdict:
    if is_well(status):
        return Verdict("good", "Nothing was due: the store holds all that the specs ask for.")
    return Verdict(
        "bad",
        f"The plan did not finish (the run ended as {status}): see the log of the task plan. "
        "Below is what the store holds.",
    )


def _judge_troubles(state: FleetState, failed: int, unknown: int) -> Verdict:
    parts = [f"{failed:,} failed"] if failed else []
    parts += [f"{unknown:,} {'is' if unknown == 1 else 'are'} unknown"] if unknown else []
    well = len(state.due) - failed - unknown
    due = f"Of {count(len(state.due), 'tenant')} with work due"
    sentence = f"{due}, {' and '.join(parts)}; {well:,} went well"
    return Verdict("bad", f"{sentence}: {_work(state)}.")


def _work(state: FleetState) -> str:
    numbers = {name: int(value) for name, value in figures(state).items()}
    parts = [
        f"{count(numbers['trained'], 'model')} trained" if numbers["trained"] else "",
        f"{numbers['promoted']:,} promoted" if numbers["promoted"] else "",
        f"{count(numbers['windows'], 'window')} predicted" if numbers["windows"] else "",
        f"{numbers['judged']:,} judged" if numbers["judged"] else "",
    ]
    return ", ".join(part for part in parts if part) or "nothing came of it"


def _went(member: Member, stage: str) -> bool:
    return any(
        one.stage == stage and one.status in ("done", "fell_back") for one in member.outcomes
    )


def _troubles(state: FleetState) -> Iterator[tuple[str, str, str]]:
    for member in state.having("failed"):
        for one in member.failures:
            yield member.tenant, one.stage, one.message
    for member in state.having("unknown"):
        yield member.tenant, member.died_in or "–", explain_unknown(member)


def _line(member: Member) -> tuple[object, ...]:
    reign = member.champion.current if member.champion else None
    marks = f" ({mark})" if member.champion and (mark := mark_orders(member.champion)) else ""
    judgement = member.judgement
    return (
        member.tenant,
        STATES[member.state],
        f"{reign.recipe} {reign.version}{marks}" if reign else "none",
        member.count("predict", "windows"),
        f"{member.count('predict', 'rows'):,}",
        IN_WORDS[judgement.status] if judgement else "–",
    )
