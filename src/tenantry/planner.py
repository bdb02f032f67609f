"""The planner: specs × state × `as_of` → what is due for each tenant, and why.

Everything here is a pure function; `stages/plan.py` reads the state and writes the ledgers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tenantry.champions import Reign
from tenantry.errors import Fault, PlanError
from tenantry.ledger import Due
from tenantry.specs.model import Spec
from tenantry.states import TenantState
from tenantry.times import Window, format_duration, format_moment, windows_until


@dataclass(frozen=True)
class DueWork:
    """What is due for one tenant.

    Attributes:
        due: The work, with reasons; empty when there is none.
        note: Why there is none, or what was left out.
    """

    due: tuple[Due, ...] = ()
    note: str = ""


def plan_tenant(spec: Spec, state: TenantState, as_of: datetime, *, force: bool = False) -> DueWork:
    """Decide what is due for a tenant.

    Args:
        spec: What Git declares.
        state: What the store holds, as of `as_of`.
        as_of: The run's logical time.
        force: Whether to train whatever the state.
    """
    if spec.state == "paused":
        return DueWork(note="paused by its spec")
    if spec.state == "retired":
        if state.retired:
            return DueWork(note="retired")
        return DueWork((Due(action="retire", reason="its spec says state: retired"),))
    train = _training_reason(spec, state, as_of, force=force)
    known = list(_known_windows(spec, as_of))
    readable = [window for window in known if window.start >= as_of - spec.train.history]
    predict = [window for window in readable if window not in state.predicted]
    monitor = [window for window in readable if _is_judgeable(window, spec, state, as_of)]
    due = (
        *((Due(action="train", reason=train),) if train else ()),
        *_windows_due("predict", "not yet predicted", predict),
        *_windows_due("monitor", "labels are known and it was not judged yet", monitor),
    )
    return DueWork(due, _note(spec, due, left_out=len(known) - len(readable)))


def _training_reason(spec: Spec, state: TenantState, as_of: datetime, *, force: bool) -> str:
    """Say why training is due; empty when it is not."""
    attempt = state.attempt
    if attempt is None or state.champion is None or state.champion.at(as_of) is None:
        return "no model yet"
    if attempt.training_digest != spec.training_digest:
        return "its spec changed what a model is trained on"
    if as_of - attempt.as_of >= spec.train.every:
        every = format_duration(spec.train.every)
        return f"last trained as of {format_moment(attempt.as_of)}, train.every is {every}"
    for judgement in state.judgements:
        if judgement.action == "retrain" and judgement.as_of > attempt.as_of:
            return f"{judgement.status} in window {judgement.window}"
    return "forced by the run" if force else ""


def _known_windows(spec: Spec, as_of: datetime) -> Iterator[Window]:
    """Yield the windows all of whose rows are known by `as_of`."""
    lead = spec.times.known_at.lead or timedelta()
    return windows_until(spec.predict.start, spec.predict.window, as_of + lead)


def _is_judgeable(window: Window, spec: Spec, state: TenantState, as_of: datetime) -> bool:
    """Say whether a window is to be judged: labels known, not judged, out of sample.

    It is predicted already, or will be in this very run.
    """
    delay = max(spec.times.label_known_at.delay or timedelta(), spec.monitor.wait)
    if window in state.judged or window.end + delay > as_of:
        return False
    reign = _predicting_reign(window, state)
    return reign is not None and window.start >= reign.unseen_from


def _predicting_reign(window: Window, state: TenantState) -> Reign | None:
    """Return the reign whose model predicted the window, or will."""
    if state.champion is None:
        return None
    models = {one.model for one in state.predicted.get(window, ())}
    if models:
        reigns = [reign for reign in state.champion.reigns if reign.version in models]
        return reigns[-1] if reigns else None
    return state.champion.at(window.start)


def _windows_due(action: str, reason: str, windows: list[Window]) -> tuple[Due, ...]:
    if not windows:
        return ()
    count = f"{len(windows)} window" + ("s" if len(windows) > 1 else "")
    first, last = format_moment(windows[0].start), format_moment(windows[-1].end)
    ids = tuple(window.id for window in windows)
    reason = f"{count} from {first} to {last}: {reason}"
    return (Due.model_validate({"action": action, "reason": reason, "windows": ids}),)


def _note(spec: Spec, due: tuple[Due, ...], left_out: int) -> str:
    notes = [] if due else ["up to date"]
    if left_out:
        history = format_duration(spec.train.history)
        notes.append(f"{left_out} windows are older than train.history ({history})")
    return "; ".join(notes)


def check_presence(
    specs: Mapping[str, Spec], stored: set[str], retired_share: float, retiring: set[str]
) -> None:
    """Refuse what could be a mistake rather than an order.

    Args:
        specs: All specs of the product, before any filter.
        stored: Tenants that the store knows.
        retired_share: Share of the fleet that may be retired by one run.
        retiring: Tenants that this run would retire.

    Raises:
        PlanError: A tenant of the store has no spec, or too many are to be retired at once.
    """
    remedy = "restore its file, or write state: retired into it"
    faults = [
        Fault(f"{tenant}.yaml", "the store holds this tenant, but it has no spec", remedy)
        for tenant in sorted(stored - specs.keys())
    ]
    if len(retiring) > max(1, retired_share * len(specs)):
        names = ", ".join(sorted(retiring)[:10])
        fault = f"{len(retiring)} of {len(specs)} tenants are to be retired at once ({names})"
        remedy = f"retire fewer, or raise retire_max_share (now {retired_share:g})"
        faults.append(Fault("product.yaml", fault, remedy))
    if faults:
        raise PlanError(faults)
