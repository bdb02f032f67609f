"""The state of a fleet after a run, from what the run left in the store.

The ledgers in the store are the truth: a shard that died has left the ledger of its last finished
stage, and whatever was due after that is unknown. Imports no pandas: the fleet page, the verdict
and the command line read it.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tenantry import layout
from tenantry.at_work import find_at_work
from tenantry.champions import read_champion
from tenantry.errors import ObjectMissingError
from tenantry.ledger import STAGES, Header, Ledger
from tenantry.members import Member, State
from tenantry.monitoring.history import Judged
from tenantry.monitoring.judgements import Judgement, last_judgement, read_judgement
from tenantry.plans import RunPlan, read_plan
from tenantry.records import passing_over
from tenantry.store.contract import ObjectStore
from tenantry.surveys import Survey, survey
from tenantry.text import counted
from tenantry.times import Window

_WARNINGS = 10
"""Objects that cannot be read which a report names; how many more there are it counts."""


@dataclass(frozen=True)
class FleetState:
    """A fleet as a run left it.

    Attributes:
        run: The run's id.
        product: The product; empty when nobody knows (the run never planned).
        plan: The run's plan; None when it left none.
        members: The tenants, by name: those of the run, or those in the store without a plan.
        zones: Residency zone → version of the pooled model the run used.
        pooled_seconds: CPU seconds that training the pooled models took.
        pooled_process: CPU seconds of the process that did.
        checking: CPU seconds of the process that checked how the run went.
        processes: Shard → stage → CPU seconds of the process; see `Header.processes`.
        import_seconds: CPU seconds of the processes of plan, pooled models and shards that went
            into starting and importing.
        warnings: What is to be known of how the run was done, in sentences.
    """

    run: str
    product: str
    plan: RunPlan | None
    members: tuple[Member, ...]
    zones: Mapping[str, str] = field(default_factory=dict)
    pooled_seconds: float = 0.0
    pooled_process: float = 0.0
    checking: float = 0.0
    processes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    import_seconds: float = 0.0
    warnings: tuple[str, ...] = ()

    def having(self, *states: State) -> tuple[Member, ...]:
        """Return the members in one of these states."""
        return tuple(member for member in self.members if member.state in states)

    @property
    def due(self) -> tuple[Member, ...]:
        """The members for which something was due."""
        return tuple(member for member in self.members if member.due)


def read_run(store: ObjectStore, run: str) -> FleetState | None:
    """Read what a run planned and did, from plan and ledgers alone.

    Returns:
        The fleet without champions and judgements; None when the run left no plan.

    Raises:
        ValueError: The plan in the store cannot be read.
    """
    plan = read_plan(store, run)
    if plan is None:
        return None
    ledgers = _last_ledgers(store, plan)
    entries = {entry.tenant: entry for ledger in ledgers.values() for entry in ledger.entries}
    deaths = {shard: _died_in(ledgers.get(shard)) for shard in plan.shards}
    members = (
        Member(
            tenant=tenant,
            planned=planned,
            entry=entries.get(tenant),
            died_in=deaths.get(planned.shard or "", ""),
        )
        for tenant, planned in sorted(plan.tenants.items())
    )
    zones = {zone: v for ledger in ledgers.values() for zone, v in ledger.header.zones.items()}
    return FleetState(
        run,
        plan.product,
        plan,
        tuple(members),
        dict(sorted(zones.items())),
        processes={shard: ledger.header.processes for shard, ledger in sorted(ledgers.items())},
        import_seconds=_import_seconds([ledger.header for ledger in ledgers.values()]),
    )


def read_fleet(store: ObjectStore, run: str, product: str = "") -> FleetState:
    """Read the whole state of the fleet that a run left: ledgers, champions, judgements.

    Args:
        store: The store.
        run: The run's id.
        product: The product, for a run that left no plan: the fleet is then what the store holds.
    """
    state = read_run(store, run) or _read_stored(store, run, product)
    if not state.members:
        return state
    found = survey(store, state.product)
    shards = {member.planned.shard or "" for member in state.members if member.unfinished}
    marks = (find_at_work(store, layout.at_work(state.product, run, shard)) for shard in shards)
    busy = {tenant for mark in marks if mark for tenant in mark.tenants}
    unread: list[str] = []
    members = tuple(_with_state(found, member, run, busy, unread) for member in state.members)
    seconds, process, imports = _pooled_seconds(store, run)
    return replace(
        state,
        members=members,
        pooled_seconds=seconds,
        pooled_process=process,
        checking=_checking(store, run),
        import_seconds=state.import_seconds + imports,
        warnings=tuple(_warn_of(unread)),
    )


def _warn_of(unread: Sequence[str]) -> Iterator[str]:
    for words in unread[:_WARNINGS]:
        yield f"{words}. It was passed over: restore it, or remove it and run `tenantry reindex`."
    if (more := len(unread) - _WARNINGS) > 0:
        yield f"{counted(more, 'object')} more cannot be read: `tenantry status` names them."


def _import_seconds(headers: Sequence[Header]) -> float:
    planning = max((header.imports.get("plan", 0.0) for header in headers), default=0.0)
    stages = (header.imports.get(stage, 0.0) for header in headers for stage in STAGES)
    return planning + sum(stages)


def _pooled_seconds(store: ObjectStore, run: str) -> tuple[float, float, float]:
    """Return the CPU seconds of training the pooled models, of the process, of its imports."""
    try:
        record = json.loads(store.get(layout.pooled_outcome(run)).content)
        seconds = float(record["cpu_seconds"])
        process = float(record.get("process_seconds", seconds))
        return seconds, process, float(record.get("import_seconds", 0.0))
    except (ObjectMissingError, ValueError, KeyError, TypeError):  # none, or torn by a crash
        return 0.0, 0.0, 0.0


def _checking(store: ObjectStore, run: str) -> float:
    """Return the CPU seconds of checking the run; 0 where it was not."""
    try:
        return float(json.loads(store.get(layout.checked(run)).content)["cpu_seconds"])
    except (ObjectMissingError, ValueError, KeyError, TypeError):  # none, or torn by a crash
        return 0.0


def _read_stored(store: ObjectStore, run: str, product: str) -> FleetState:
    names = store.list_folders(layout.product_folder(product)) if product else iter(())
    return FleetState(run, product, None, tuple(Member(tenant=name) for name in names))


def _with_state(
    found: Survey, member: Member, run: str, busy: Collection[str], unread: list[str]
) -> Member:
    """Add what a tenant's folder says of it; what cannot be read goes to `unread`, in words."""
    in_progress = bool(member.unfinished) and member.tenant in busy
    member = replace(member, in_progress=in_progress)
    with passing_over(unread):
        champion = read_champion(found.store, found.product, member.tenant)
        member = replace(member, champion=champion)
    with passing_over(unread):
        return _with_judgements(found, member, run)
    return member


def _with_judgements(found: Survey, member: Member, run: str) -> Member:
    judged = found.record(member.tenant).judged
    last = last_judgement(found.store, found.product, member.tenant, judged)
    ran = _read_own(found, member, run, last)
    return replace(
        member,
        judgement=last,
        ran=ran,
        judged=tuple(_list_own(found, member, ran)) if ran else (),
    )


def _read_own(found: Survey, member: Member, run: str, last: Judgement | None) -> Judgement | None:
    """Read the judgement of the latest window that the run judged, whatever was judged since."""
    for window in reversed(_watched(member)):
        is_last = last is not None and last.window == window.id
        one = last if is_last else _judgement(found, member, window)
        if one and one.run == run:
            return one
    return None


def _list_own(found: Survey, member: Member, ran: Judgement) -> Iterator[Judged]:
    """Yield the windows that the run judged, by time; `ran` is the latest of them."""
    past = {one.window: one for one in (*ran.history, ran.in_short)}
    for window in _watched(member):
        if window > ran.span:
            return
        if window.id in past:
            yield past[window.id]
        elif (one := _judgement(found, member, window)) and one.run == ran.run:
            yield one.in_short  # it was judged out of turn


def _watched(member: Member) -> tuple[Window, ...]:
    """Return the windows that the run was to judge, by time."""
    return tuple(sorted(member.entry.windows("monitor"))) if member.entry else ()


def _judgement(found: Survey, member: Member, window: Window) -> Judgement | None:
    return read_judgement(found.store, found.product, member.tenant, window)


def _last_ledgers(store: ObjectStore, plan: RunPlan) -> dict[str, Ledger]:
    """Read the last readable ledger of each shard."""
    left = {info.key for info in store.list(layout.run_folder(plan.run))}
    found: dict[str, Ledger] = {}
    for shard in plan.shards:
        for stage in reversed(("plan", *STAGES)):
            key = layout.ledger(plan.run, shard, stage)
            if key in left and (ledger := _read_ledger(store, key)):
                found[shard] = ledger
                break
    return found


def _read_ledger(store: ObjectStore, key: str) -> Ledger | None:
    try:
        return Ledger.from_lines(store.get(key).content, key)
    except ValueError:  # torn by a crash: the stage before it is the last one known
        return None


def _died_in(ledger: Ledger | None) -> str:
    """Return the stage after the last one that left a ledger; empty after the last stage."""
    order = ("plan", *STAGES, "")
    last = ledger.header.stage if ledger else "plan"
    return order[order.index(last) + 1]
