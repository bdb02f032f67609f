"""Running a stage for one tenant, whatever happens: a failure is an outcome, too."""

import logging
import resource
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from importlib import import_module
from multiprocessing.connection import Connection
from typing import cast

from tenantry.cpu import own_seconds
from tenantry.errors import TenantryError
from tenantry.isolation.errands import Errands
from tenantry.isolation.grants import tenant_grant
from tenantry.jobs import Assignment, Job, Result, Stage
from tenantry.ledger import Cost, Outcome
from tenantry.log import log_fault
from tenantry.specs.model import Spec
from tenantry.store.guarded import GuardedStore
from tenantry.store.metered import MeteredStore
from tenantry.store.remembering import RememberingStore
from tenantry.transient import retry_transient

LOG = logging.getLogger(__name__)


def run_assignment(assignment: Assignment, pipe: Connection, specs: Mapping[str, Spec]) -> Outcome:
    """Do what a nursery's worker was given; what it may not do itself the shard does.

    Where an answer of the shard was not heard the tenant fails, for what failed it may be swallowed
    on the way, and the worker ends with it.

    Args:
        assignment: What to do.
        pipe: To the shard.
        specs: Tenant → spec, as far as the nursery has told.
    """
    errands, job = Errands(pipe), assignment.job(specs)
    outcome = run_assigned(assignment.stage, job, errands)
    if errands.is_waiting and outcome.status != "failed":
        lost = _failed_for_memory(assignment.stage, assignment.memory_mib)
        return lost.model_copy(update={"cost": outcome.cost})
    return outcome


def run_assigned(stage: str, job: Job, errands: Errands | None = None) -> Outcome:
    """Run a stage for one tenant; the job's store lets it touch what is the tenant's only.

    Args:
        stage: The stage.
        job: What it works on.
        errands: Writes events, and lists; the store does when None.
    """
    metered = MeteredStore(GuardedStore(job.store, tenant_grant(job.product, job.tenant), errands))
    function = cast("Stage", getattr(import_module(f"tenantry.stages.{stage}"), stage))
    return run_job(stage, function, replace(job, store=RememberingStore(metered)), metered)


def run_job(stage: str, function: Stage, job: Job, store: MeteredStore) -> Outcome:
    """Run a stage for one tenant, retry what is transient, account for what it took.

    Returns:
        The outcome; a failure is an outcome, too.
    """
    retrying = retry_transient()
    wall, cpu = time.monotonic(), own_seconds()
    outcome = _try(stage, partial(retrying, function, job), job.spec.resources.memory_mib)
    cost = Cost(
        cpu_seconds=round(own_seconds() - cpu, 4),
        wall_seconds=round(time.monotonic() - wall, 4),
        peak_mib=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        bytes_read=store.bytes_read,
        bytes_written=store.bytes_written,
        tries=retrying.statistics.get("attempt_number", 1),
    )
    return outcome.model_copy(update={"cost": cost})


def _try(stage: str, call: "partial[Result]", memory_mib: int) -> Outcome:
    try:
        result = call()
    except MemoryError:
        return _failed_for_memory(stage, memory_mib)
    except TenantryError as error:
        return failed(stage, error, str(error))
    except Exception as error:  # one tenant's failure, of whatever kind, is data
        log_fault(LOG, error, stage)
        message = f"{type(error).__name__} in {stage}: this is a fault of ours; see the stage's log"
        return failed(stage, error, message)
    return Outcome(
        stage=stage,
        status=result.status,
        message=result.message,
        facts=result.facts,
        keys=result.keys,
    )


def _failed_for_memory(stage: str, memory_mib: int) -> Outcome:
    message = f"needed more than {memory_mib} MiB; raise resources.memory_mib"
    return Outcome(stage=stage, status="failed", kind="MemoryError", message=message)


def failed(stage: str, error: Exception, message: str) -> Outcome:
    """Return the outcome of a tenant whose stage failed."""
    return Outcome(stage=stage, status="failed", kind=type(error).__name__, message=message[:2000])
