"""The shard runner: takes one shard through one stage, whatever happens to single tenants.

It reads the ledger that the stage before left in the store, runs the stage for every tenant that
needs it in worker processes, and writes the next ledger. A tenant's failure is an outcome in the
ledger; only the machinery's own failure (the store is gone, the ledger unreadable) is raised.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

from tenantry import layout
from tenantry.at_work import Marker
from tenantry.cores import count_cores
from tenantry.cpu import own_seconds, process_seconds
from tenantry.erasure.guard import undo_erased, undo_stage
from tenantry.erasure.tombstones import Marks, erased_tenants, read_marks
from tenantry.errors import ObjectMissingError, PreconditionError, WorkerDiedError
from tenantry.imports import import_stage, limit_threads
from tenantry.isolation.errands import Runner
from tenantry.isolation.grants import Grant, tenant_grant
from tenantry.isolation.nursery import Nursery, works_alone
from tenantry.isolation.trails import find_trail
from tenantry.job_runner import failed, run_assigned
from tenantry.jobs import Assignment, Job
from tenantry.ledger import STAGES, Entry, Header, Ledger, Outcome
from tenantry.models.shared import USED_BY, open_shared, read_shared
from tenantry.needs import NEEDS
from tenantry.openings import close_shard, open_shard
from tenantry.progress import Progress
from tenantry.serving.announce import announce
from tenantry.settings import Settings
from tenantry.sources.connections import Connections, load_connections
from tenantry.specs.frozen import read_frozen_specs
from tenantry.specs.model import Spec
from tenantry.store.contract import ObjectStore
from tenantry.store.open import gives_sessions, limited, open_store
from tenantry.workers import Task, run_tasks

LOG = logging.getLogger(__name__)
_LEEWAY_SECONDS = 300
"""Credentials outlive the worker's time limit by this."""


def run_stage(
    stage: str,
    previous: Ledger,
    settings: Settings,
    *,
    pooled_versions: dict[str, str] | None = None,
    started: float = 0.0,
) -> Ledger:
    """Take a shard through `stage`; return the ledger that it left in the store.

    Args:
        stage: One of `STAGES`.
        previous: The ledger handed over; for a shard with work it only names the one in the store.
        settings: The environment's.
        pooled_versions: Residency zone → version of the pooled model, told to the first stage.
        started: CPU-seconds that the process took to start, and to import this module.

    Raises:
        StoreError: The store failed.
        ValueError: The ledger in the store cannot be read.
    """
    before, header = previous.header, _next_header(stage, previous.header, pooled_versions)
    if not previous.entries:
        return Ledger(header=header, entries=())
    store = open_store(settings, before.region)
    try:
        ledger = read_stored_ledger(store, before)
        specs = read_frozen_specs(store, before.run, before.shard)
    except ObjectMissingError:
        if not erased_tenants(store, before.product).issuperset(previous.tenants):
            raise
        return Ledger(header=header, entries=())  # an erasure has left nobody
    marks = read_marks(store, before.product)  # read last: whom it does not name, the others do
    living = ledger.without(marks.tenants)
    open_shard(store, living)
    shard = _Shard(header, specs, settings, marks, store, _Imports(started))
    done = dict(_run_tenants(shard, living))
    entries = tuple(
        entry.with_outcome(done[entry.tenant]) if entry.tenant in done else entry
        for entry in living.entries
    )
    spent = {
        "imports": before.imports | {stage: round(shard.imports.seconds, 3)},
        "processes": before.processes | {stage: process_seconds()},
    }
    result = Ledger(header=header.model_copy(update=spent), entries=entries)
    store.put(layout.ledger(header.run, header.shard, stage), result.to_lines())
    announce(store, header, result.entries, specs)
    result = undo_stage(store, result, marks, specs)
    if stage == STAGES[-1]:
        close_shard(store, result)
        _account(store, result.header)
    return result


def _account(store: ObjectStore, header: Header) -> None:
    """Add what a shard's last stage took after it had written its ledger, for the bill."""
    key = layout.ledger(header.run, header.shard, header.stage)
    with suppress(ObjectMissingError, PreconditionError):  # an erasure rewrites it, too
        found = store.get(key)
        ledger = Ledger.from_lines(found.content, key)
        spent = ledger.header.processes | {header.stage: process_seconds()}
        told = ledger.header.model_copy(update={"processes": spent})
        store.put_if_match(key, Ledger(header=told, entries=ledger.entries).to_lines(), found.tag)


def read_stored_ledger(store: ObjectStore, header: Header) -> Ledger:
    """Read the ledger that a header names.

    Raises:
        ObjectMissingError: There is none.
        ValueError: It cannot be read.
    """
    key = layout.ledger(header.run, header.shard, header.stage)
    return Ledger.from_lines(store.get(key).content, key)


def _next_header(stage: str, before: Header, pooled_versions: dict[str, str] | None) -> Header:
    zones = before.zones if pooled_versions is None else pooled_versions
    return before.model_copy(update={"stage": stage, "zones": zones})


@dataclass
class _Imports:
    """CPU-seconds that starting and importing have taken so far."""

    seconds: float


@dataclass(frozen=True)
class _Shard:
    header: Header
    specs: dict[str, Spec]
    settings: Settings
    marks: Marks
    store: ObjectStore
    imports: _Imports

    @property
    def works_alone(self) -> bool:
        """Whether each tenant has a process of its own, where it has credentials of its own."""
        return works_alone(self.header.stage, self.settings.isolation)


def _run_tenants(shard: _Shard, ledger: Ledger) -> Iterator[tuple[str, Outcome]]:
    """Yield each due tenant's outcome, keeping the store told who is being worked on."""
    header, stage = shard.header, shard.header.stage
    due = [entry for entry in ledger.entries if NEEDS[stage].met_by(entry)]
    if not due:
        return
    limit_threads()
    specs = [shard.specs[entry.tenant] for entry in due]
    connections = load_connections(shard.settings.connections, os.environ)
    tasks = [_task(shard, entry, connections) for entry in due]
    workers = min(shard.settings.workers or count_cores(), len(tasks))
    died = {entry.tenant for entry in ledger.entries if _took_worker_down(entry)}
    marker = Marker(shard.store, header, [entry.tenant for entry in due], died)
    with (
        Progress(stage, header.shard, len(tasks)) as progress,
        _nursery(shard, specs) as nursery,
    ):
        for tenant, answer in run_tasks(tasks, workers, on_start=marker.begin, nursery=nursery):
            outcome = _as_outcome(stage, answer)
            _log(header, tenant, outcome)
            progress.advance(tenant, outcome.status)
            marker.end(tenant, died=isinstance(answer, WorkerDiedError))
            yield tenant, outcome
    marker.close()


def _took_worker_down(entry: Entry) -> bool:
    """Say whether the tenant did in an earlier stage: it then stays named for the next plan."""
    return any(failure.kind == WorkerDiedError.__name__ for failure in entry.failures)


@contextmanager
def _nursery(shard: _Shard, specs: Sequence[Spec]) -> Iterator[Nursery | None]:
    """Import what the stage needs, in a process without secrets where tenants are kept apart."""
    header = shard.header
    zones = header.zones if header.stage in USED_BY else {}
    shared = read_shared(shard.store, header.product, zones)
    if gives_sessions(shard.store):
        with Nursery(header.stage, specs, shared, alone=shard.works_alone) as nursery:
            yield nursery
            shard.imports.seconds += nursery.import_seconds()
        return
    before = own_seconds()
    import_stage(header.stage, specs)
    if shared:
        open_shared(shared, header.stage, len(specs))
    shard.imports.seconds += own_seconds() - before
    try:
        yield None
    finally:
        if shared:
            open_shared(())


def _task(shard: _Shard, entry: Entry, connections: Connections) -> Task:
    header, spec, parent = shard.header, shard.specs[entry.tenant], os.getpid()
    resources = spec.resources
    seconds = resources.timeout.total_seconds()
    make_job = partial(
        Job,
        run=header.run,
        as_of=header.as_of,
        entry=entry,
        connections=connections.only(_sources_of(header.stage, spec)),
        pooled_version=header.zones.get(spec.residency.zone),
        code_version=shard.settings.code_version,
        has_erasures=spec.tenant in shard.marks.rows,
        fleet=header.fleet,
    )
    job = make_job(spec=spec, store=shard.store)

    def run() -> Outcome:
        outcome = run_assigned(header.stage, job)
        if os.getppid() != parent:  # nobody is left to see to it
            undo_erased(shard.store, header.product, shard.marks, {spec.tenant: spec})
        return outcome

    def assign() -> Assignment:
        store = limited(shard.store, _grant(job), seconds=seconds + _LEEWAY_SECONDS)
        own = spec if shard.works_alone else None
        make_own = partial(make_job, store=store)
        return Assignment(header.stage, spec.tenant, make_own, own, resources.memory_mib)

    return Task(
        tenant=spec.tenant,
        run=run,
        memory_mib=resources.memory_mib,
        timeout_seconds=seconds,
        assign=assign,
        answer=Runner(shard.store, _grant(job), find_trail(header, entry)).answer,
    )


def _sources_of(stage: str, spec: Spec) -> Iterator[str]:
    """Yield the connections that a stage reads for a tenant: whoever reads none is told none."""
    if stage == STAGES[0]:
        for source in (*spec.sources.rows, *spec.sources.joins):
            yield source.connection


def _grant(job: Job) -> Grant:
    return tenant_grant(job.product, job.tenant)


def _as_outcome(stage: str, answer: Outcome | WorkerDiedError) -> Outcome:
    if isinstance(answer, WorkerDiedError):
        return failed(stage, answer, str(answer))
    return answer


def _log(header: Header, tenant: str, outcome: Outcome) -> None:
    fields = {
        "run": header.run,
        "product": header.product,
        "tenant": tenant,
        "shard": header.shard,
        "stage": outcome.stage,
        "status": outcome.status,
        "kind": outcome.kind,
        "seconds": outcome.cost.wall_seconds,
    }
    level = logging.WARNING if outcome.status == "failed" else logging.INFO
    LOG.log(level, "%s", outcome.message or outcome.status, extra=fields)
