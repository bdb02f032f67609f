"""A fleet that is only simulated: a pure model of what the stages leave in a store.

Each effect is one atom, as one write to the store is; a run may be killed between any two. What a
tenant's state is as of a time, what is due, what a run takes on, and which events a shard leaves at
its end is decided by the code itself.
"""

from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from tenantry.backoff import outcome_events
from tenantry.champions import Champion, Reign
from tenantry.dispatch import find_tasks, make_run_plan
from tenantry.facts import Attempt, Failure, Predicted
from tenantry.ledger import STAGES, Entry, Header, Outcome
from tenantry.needs import NEEDS
from tenantry.request import PlanRequest
from tenantry.states import TenantRecord
from tenantry.times import Window, compact
from tests.unit.tiny_fleet import make_fleet, make_spec

START = datetime(2013, 9, 3, tzinfo=UTC)
WEEK, DAY = timedelta(days=7), timedelta(days=1)
PRODUCT = "arrival-delay"


class KilledError(Exception):
    """The run was killed before its next write."""


@dataclass
class Clock:
    """Counts writes; kills at the one that is said."""

    left: int | None = None

    def tick(self):
        if self.left is not None:
            if self.left == 0:
                raise KilledError
            self.left -= 1


@dataclass(frozen=True)
class Receipt:
    window: Window
    model: str
    as_of: datetime
    rows: int
    late: int
    in_sample: bool


@dataclass
class Folder:
    """What the store holds of a tenant."""

    reigns: dict = field(default_factory=dict)
    attempts: set = field(default_factory=set)
    receipts: list = field(default_factory=list)
    looked: set = field(default_factory=set)
    judged: set = field(default_factory=set)
    failures: set = field(default_factory=set)
    cleared: dict = field(default_factory=dict)
    retired: set = field(default_factory=set)

    def champion(self, as_of):
        known = [self.reigns[since] for since in sorted(self.reigns) if since <= as_of]
        return Champion(counter=len(known), reigns=tuple(known)) if known else None

    def record(self, tenant):
        predicted = {}
        for one in self.receipts:
            found = Predicted(one.as_of, one.model, one.in_sample)
            predicted.setdefault(one.window, set()).add(found)
        reigns = tuple(self.reigns[since] for since in sorted(self.reigns))
        return TenantRecord(
            tenant,
            champion=Champion(counter=len(reigns), reigns=reigns) if reigns else None,
            attempts=frozenset(self.attempts),
            predicted={window: frozenset(some) for window, some in predicted.items()},
            looked=frozenset(self.looked),
            judged=frozenset(self.judged),
            failures=frozenset(self.failures),
            retired=frozenset(self.retired),
        )

    def facts(self):
        """All that two equal stores share; runs and failures aside."""
        return (
            dict(self.reigns),
            frozenset(self.attempts),
            frozenset(self.receipts),
            frozenset(self.looked),
            frozenset(self.judged),
        )


@dataclass
class Simulation:
    """A fleet and its store.

    Attributes:
        specs: By tenant.
        arrivals: Tenant → for each week, days after the week's end at which its rows arrive.
        broken: Tenant → stage that always fails for it.
    """

    specs: dict
    arrivals: dict = field(default_factory=dict)
    broken: dict = field(default_factory=dict)
    folders: dict = field(default_factory=dict)
    runs: int = 0

    def __post_init__(self):
        self.folders = {tenant: Folder() for tenant in self.specs}

    def with_specs(self, specs):
        """A copy of the fleet as its store stands, declared in another way."""
        other = replace(self, specs=specs)
        other.folders = {name: deepcopy(self.folders.get(name, Folder())) for name in specs}
        return other

    def plan(self, as_of, **asked):
        request = PlanRequest(f"run-{self.runs}", as_of, **asked)
        fleet = make_fleet(self.specs)
        tasks = find_tasks(
            request,
            self.specs.values(),
            lambda tenant: self.folders[tenant].record(tenant).as_of(as_of),
        )
        return make_run_plan(request, fleet, tasks, pooled={}, zones=())

    def run(self, as_of, *, kill_after=None, order=sorted, **asked):
        """Plan and do a run; its shards one after the other. Return the plan."""
        made = self.plan(as_of, **asked)
        self.runs += 1
        clock = Clock(kill_after)
        try:
            for shard in order(made.shards):
                self._run_shard(made, shard, clock, order)
        except KilledError:
            pass
        return made

    def run_until_done(self, as_of, *, most=60, **asked):
        """Run until nothing is due; return how many runs did something."""
        for count in range(most):
            made = self.run(as_of, **asked)
            if not made.shards:
                return count
        raise AssertionError({name: one for name, one in made.tenants.items() if one.due})

    def _run_shard(self, made, shard, clock, order):
        mine = [name for name, planned in made.tenants.items() if planned.shard == shard]
        entries = {name: Entry(tenant=name, due=made.tenants[name].due) for name in mine}
        known = {name: self.folders[name].record(name).as_of(made.as_of) for name in mine}
        for stage in STAGES:
            for name in order(mine):
                if NEEDS[stage].met_by(entries[name]):
                    outcome = self._run_stage(made, stage, entries[name], clock)
                    entries[name] = entries[name].with_outcome(outcome)
        header = Header(run=made.run, product=PRODUCT, as_of=made.as_of, shard=shard)
        for name in order(mine):
            self._close(entries[name], header, known[name].failures, clock)

    def _close(self, entry, header, failures, clock):
        folder = self.folders[entry.tenant]
        for event in outcome_events(entry, header, failures):
            clock.tick()
            if event.kind == "failed":
                failure = Failure(event.as_of, event.run, event.stage, str(event.evidence["kind"]))
                folder.failures.add(failure)
            else:
                folder.failures = {
                    one
                    for one in folder.failures
                    if one.stage != event.stage or one.as_of > event.as_of
                }

    def _run_stage(self, made, stage, entry, clock):
        if self.broken.get(entry.tenant) == stage:
            return Outcome(stage=stage, status="failed", kind="BrokenError", message="broken")
        work = getattr(self, f"_{stage}", None)
        if work:
            work(self.specs[entry.tenant], self.folders[entry.tenant], entry, made.as_of, clock)
        return Outcome(stage=stage, status="done")

    def _promote(self, spec, folder, entry, as_of, clock):
        if entry.due_for("retire"):
            clock.tick()
            folder.retired.add(as_of)
            return
        version = f"{compact(as_of)}-abc"
        reign = Reign(
            since=as_of,
            version=version,
            digest="d",
            trained_until=as_of,
            training_digest=spec.training_digest,
            recipe="pooled",
            gate="promoted",
        )
        clock.tick()
        folder.reigns[as_of] = reign
        clock.tick()
        folder.attempts.add(Attempt(as_of, version, spec.training_digest, rows=100))

    def _predict(self, spec, folder, entry, as_of, clock):
        known = folder.champion(as_of)
        if known is None:
            return
        done, vain = set(), False
        for action in ("predict", "backfill"):
            due = entry.due_for(action)
            for window in entry.windows(action):
                then = known.at(window.start) or known.earliest
                reign = known.current if due.model == "current" else then
                earlier = folder_receipt(folder, window, reign.version)
                if (window, reign.version) in done or (action == "backfill" and earlier):
                    continue
                done.add((window, reign.version))
                rows = self.rows(spec, window, as_of)
                late = max(rows - earlier.rows, 0) if earlier else 0
                end = window.end + spec.predict.late_rows
                if earlier and not (late and earlier.as_of < min(end, as_of)):
                    vain |= earlier.as_of != as_of
                    continue
                clock.tick()
                in_sample = window.start < reign.unseen_from
                folder.receipts.append(Receipt(window, reign.version, as_of, rows, late, in_sample))
        if vain:
            clock.tick()
            folder.looked.add(as_of)

    def _monitor(self, spec, folder, entry, as_of, clock):
        for window in entry.windows("monitor"):
            receipts = [r for r in folder.receipts if r.window == window and r.as_of <= as_of]
            if receipts:
                clock.tick()
                folder.judged.add(window)

    def rows(self, spec, window, as_of):
        """How many rows of a window have arrived by then: one at once, others late."""
        late = self.arrivals.get(spec.tenant, ())
        return 1 + sum(window.end + days * DAY <= as_of for days in late)


def folder_receipt(folder, window, model):
    """The latest receipt of a window by a model."""
    mine = [one for one in folder.receipts if one.window == window and one.model == model]
    return max(mine, key=lambda one: one.as_of, default=None)


def simulate(tenants=3, *, arrivals=None, broken=None, resources=None, **predict):
    """Make a simulation of some tenants; `predict` changes that part of their specs."""
    parts = {"window": "7d", "start": "2013-09-03", "fresh_within": "1d"} | predict
    names = [f"t{n}" for n in range(tenants)]
    specs = {
        name: make_spec(name, predict=parts, resources=(resources or {}).get(name, {}))
        for name in names
    }
    return Simulation(specs, arrivals or {}, broken or {})


def twin(simulation):
    """The same fleet with an empty store."""
    return replace(simulation, folders={}, runs=0)
