"""The planner: specs × state × `as_of` → what is due for each tenant, and why.

Everything here is a pure function; `stages/plan.py` reads the state and writes the ledgers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tenantry.agenda import Agenda
from tenantry.backoff import Hold, find_holds, holding
from tenantry.champions import describe_pin
from tenantry.facts import Attempt
from tenantry.ledger import Action, Due
from tenantry.recalls import find_recall
from tenantry.request import Backfill
from tenantry.serving.announce import why_publish
from tenantry.serving.entries import Entry
from tenantry.specs.model import Spec
from tenantry.states import TenantState
from tenantry.text import counted
from tenantry.times import Window, format_duration, format_moment, shifted


@dataclass(frozen=True)
class DueWork:
    """What is due for one tenant.

    Attributes:
        due: The work, with reasons; empty when there is none.
        note: Why there is none, or what was left out.
        promised: By when the oldest of it was to be done; None when there is none.
        held: What would be due, had it not failed too often lately.
    """

    due: tuple[Due, ...] = ()
    note: str = ""
    promised: datetime | None = None
    held: tuple[Action, ...] = ()


@dataclass(frozen=True)
class _Case:
    """What a tenant's work is decided from; see `plan_tenant`."""

    spec: Spec
    state: TenantState
    as_of: datetime
    force: bool
    backfill: Backfill | None
    served: Entry | None = None


def plan_tenant(  # noqa: PLR0913 - what a decision is made from
    spec: Spec,
    state: TenantState,
    as_of: datetime,
    *,
    force: bool = False,
    backfill: Backfill | None = None,
    served: Entry | None = None,
) -> DueWork:
    """Decide what is due for a tenant.

    Args:
        spec: What Git declares.
        state: What the store holds, as of `as_of`.
        as_of: The run's logical time.
        force: Whether to train whatever the state.
        backfill: What the run is asked to predict besides.
        served: What the change index tells servers of it; None when nothing.
    """
    if note := _why_nothing(spec, state):
        return DueWork(note=note)
    case = _Case(spec, state, as_of, force, backfill, served)
    work = _Work(case, find_holds(state.failures, spec.retry))
    if spec.state == "retired":
        work.add(Due(action="retire", reason="its spec says state: retired"), spec.predict.start)
        return work.done()
    trains = _add_training(case, work)
    _add_rollback(case, work, trains=trains)
    agenda = Agenda(spec, state, as_of)
    soon: list[Window] = []
    if trains or state.champion is not None:  # without a model there is nothing to predict by
        soon += _add_predictions(agenda, work)
        soon += _add_backfill(case, agenda, work, new=len(soon), trains=trains)
    judged = agenda.judge(frozenset(soon))
    if judged:
        due = _windows_due("monitor", "labels are known and it was not judged yet", judged)
        work.add(due, agenda.labels_known_at(judged[0]))
    _add_publishing(case, work)
    if agenda.too_old:
        history = format_duration(spec.train.history)
        work.notes.append(f"{agenda.too_old} windows are older than train.history ({history})")
    return work.done()


def _why_nothing(spec: Spec, state: TenantState) -> str:
    if state.erased:
        return "erased"
    if spec.state == "paused":
        return "paused by its spec"
    return "retired" if spec.state == "retired" and state.retired else ""


@dataclass
class _Work:
    """Gathers what is due for a tenant; what failed too often lately is held back."""

    case: _Case
    holds: Mapping[str, Hold]
    due: list[Due] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    since: list[datetime] = field(default_factory=list)
    held: list[Action] = field(default_factory=list)

    def add(self, due: Due, since: datetime) -> bool:
        """Add something that is due since a moment; say whether it was."""
        hold = holding(due.action, self.holds)
        if hold is None or (self.case.force and due.action == "train"):
            until = since
        elif hold.until > self.case.as_of:
            self.held.append(due.action)
            self.notes.append(f"{due.action} {hold.in_words()}")
            return False
        else:
            until = hold.until  # it stands in line again since then: no failing tenant goes first
        self.due.append(due)
        self.since.append(min(max(since, until), self.case.as_of))
        return True

    def done(self) -> DueWork:
        """Return all that was gathered."""
        notes = self.notes or ([] if self.due else ["up to date"])
        promised = None
        if self.since:
            promised = shifted(min(self.since), self.case.spec.predict.fresh_within)
        return DueWork(tuple(self.due), "; ".join(notes), promised, tuple(self.held))


# --- training -------------------------------------------------------------------------------------


def _add_training(case: _Case, work: _Work) -> bool:
    reason, since = _why_train(case)
    if not reason:
        return False
    pin = case.state.champion.pin if case.state.champion else None
    if pin is not None:
        work.notes.append(f"not trained ({reason}): {describe_pin(pin)}")
        return False
    return work.add(Due(action="train", reason=reason), since)


def _why_train(case: _Case) -> tuple[str, datetime]:
    """Say why training is due, empty when it is not, and since when."""
    spec, state, as_of = case.spec, case.state, case.as_of
    attempt = state.attempt
    if attempt is None or state.champion is None:
        return "no model yet", spec.predict.start
    if attempt.training_digest != spec.training_digest:
        return "its spec changed what a model is trained on", attempt.as_of
    if why := state.champion.tainted.get(state.champion.current.version):
        return f"its champion is to be replaced: {why}", attempt.as_of
    if as_of - attempt.as_of >= spec.train.every:
        every = format_duration(spec.train.every)
        reason = f"last trained as of {format_moment(attempt.as_of)}, train.every is {every}"
        return reason, attempt.as_of + spec.train.every
    why, since = _why_alarmed(state, attempt)
    if why:
        return why, since
    return ("forced by the run" if case.force else ""), as_of


def _why_alarmed(state: TenantState, attempt: Attempt) -> tuple[str, datetime]:
    """Say which judgement asks for a training, empty when none does, and since when."""
    for alarm in state.judgements:
        if alarm.action == "retrain" and alarm.as_of > attempt.as_of:
            return f"{alarm.status} in window {alarm.window}", alarm.as_of
    recall = find_recall(state)
    if recall and recall.refuge is None:
        return f"{recall.why}, and no model is left to go back to", recall.alarm.as_of
    return "", attempt.as_of


# --- rollback -------------------------------------------------------------------------------------


def _add_rollback(case: _Case, work: _Work, *, trains: bool) -> None:
    recall = find_recall(case.state)
    if recall is None or recall.refuge is None:
        return
    if case.state.champion and case.state.champion.pin:
        pin = describe_pin(case.state.champion.pin)
        work.notes.append(f"not rolled back ({recall.why}): {pin}")
    elif trains:
        work.notes.append(f"not rolled back ({recall.why}): it is trained anyway")
    else:
        version = recall.refuge.version
        reason = f"{recall.why}: back to {version}"
        windows = (recall.alarm.window.id,)
        due = Due(action="rollback", reason=reason, windows=windows, version=version)
        work.add(due, recall.alarm.as_of)


# --- serving --------------------------------------------------------------------------------------


def _add_publishing(case: _Case, work: _Work) -> None:
    """Have servers told of what the run does, or of what they were not told.

    Where windows are predicted they are told anyway; where a later run was, by that one.
    """
    actions = {due.action for due in work.due}
    is_later = case.served is not None and case.served.as_of > case.as_of
    if is_later or not actions.isdisjoint(("predict", "backfill")):
        return
    moves = not actions.isdisjoint(("train", "rollback"))
    reason = why_publish(case.spec, case.state.champion, case.served, moves=moves)
    if reason:
        work.add(Due(action="publish", reason=reason), case.as_of)


# --- windows --------------------------------------------------------------------------------------


def _add_predictions(agenda: Agenda, work: _Work) -> list[Window]:
    """Add windows to be predicted; return those that nobody predicted before."""
    cap = agenda.spec.predict.max_windows_per_run
    new, late = agenda.new[:cap], agenda.late
    if not (new or late):
        return []
    reasons = []
    since = []
    if new:
        reasons.append(_describe(new, "not yet predicted"))
        since.append(agenda.known_at(new[0]))
    if late:
        reasons.append(_describe(late, "rows may have arrived late"))
        since += [look for window in late if (look := agenda.last_look(window))]
    windows = tuple(window.id for window in sorted((*new, *late)))
    due = Due(action="predict", reason="; ".join(reasons), windows=windows)
    added = work.add(due, min(since))
    if added and len(new) < len(agenda.new):
        rest = len(agenda.new) - len(new)
        work.notes.append(_left_for_later(counted(rest, "window"), cap))
    return list(new) if added else []


def _add_backfill(
    case: _Case, agenda: Agenda, work: _Work, *, new: int, trains: bool
) -> list[Window]:
    """Add the windows of a backfill; return those that the model of then is to predict."""
    if case.backfill is None:
        return []
    asked = agenda.backfill(case.backfill, trains=trains)
    cap = case.spec.predict.max_windows_per_run
    chosen = asked if cap is None else asked[: max(cap - new, 0)]
    if len(chosen) < len(asked):
        rest = f"{counted(len(asked) - len(chosen), 'window')} of the backfill"
        work.notes.append(_left_for_later(rest, cap))
    if not chosen:
        return []
    order = case.backfill
    by = "the model that reigned then" if order.model == "then" else "today's champion"
    due = _windows_due("backfill", f"asked for, by {by}", chosen)
    asked_for = {"model": order.model, "since": order.since, "until": order.until}
    added = work.add(due.model_copy(update=asked_for), case.as_of)
    return list(chosen) if added and order.model == "then" else []


def _left_for_later(windows: str, cap: int | None) -> str:
    return f"left for later runs: {windows} (predict.max_windows_per_run is {cap})"


def _windows_due(action: Action, reason: str, windows: Sequence[Window]) -> Due:
    ids = tuple(window.id for window in windows)
    return Due(action=action, reason=_describe(windows, reason), windows=ids)


def _describe(windows: Sequence[Window], reason: str) -> str:
    first, last = format_moment(windows[0].start), format_moment(windows[-1].end)
    return f"{counted(len(windows), 'window')} from {first} to {last}: {reason}"
