"""Copy each tenant's rows as of the run's time into its snapshot, checked against its contract."""

from dataclasses import replace

from tenantry import layout
from tenantry.digests import digest
from tenantry.erasure.suppression import read_suppressed
from tenantry.errors import ContractError, SourceError
from tenantry.intake import Taken, take_rows
from tenantry.jobs import Job, Result
from tenantry.ledger import Scalar
from tenantry.origins import Origin, write_origin
from tenantry.serving.publish import make_state
from tenantry.serving.state import write_state
from tenantry.snapshots import write_chunks
from tenantry.sources.collect import old_rows_span
from tenantry.sources.read import preload
from tenantry.times import Window

__all__ = ["ingest", "preload"]


def ingest(job: Job) -> Result:
    """Read a tenant's sources, check the contract and write the snapshot and its origin.

    A backfill of windows older than the history gets a snapshot of its own, so that what else is
    due is done from the rows that it is always done from. Where that one cannot be had, the rest
    goes on.

    Where the tenant is served, it leaves its online features, too.

    Facts: `snapshot` (its SHA-256), `rows`, `labelled`, `quarantined`; the same of the backfill's,
    named ``backfill_…``; `online` (the SHA-256 of the online features).

    Raises:
        SourceError: Sources are missing, unreadable or lack a column.
        SourceUnavailableError: Sources did not answer.
        ContractError: The rows break the contract.
        StoreError: The store failed.
    """
    backfill = job.entry.due_for("backfill")
    span = old_rows_span(job.spec, backfill, job.as_of)
    if span is None:
        return _take_in(job)
    if job.entry.due == (backfill,):
        return _take_in(job, span, "backfill_")
    usual = _take_in(job)
    try:
        old = _take_in(job, span, "backfill_")
    except (SourceError, ContractError) as error:
        if error.transient:
            raise
        message = f"{usual.message}; the backfill stays due: {error}"
        return replace(usual, message=message, status="fell_back")
    return replace(
        usual,
        message=f"{usual.message}; for the backfill {old.message}",
        facts=usual.facts | old.facts,
        keys=(*usual.keys, *old.keys),
    )


def _take_in(job: Job, span: Window | None = None, prefix: str = "") -> Result:
    """Write a snapshot of the rows in a span; facts are named with the prefix."""
    suppressed = read_suppressed(job.store, job.product, job.tenant) if job.has_erasures else None
    taken = take_rows(job, span, suppressed)
    checked = taken.checked
    snapshot = write_chunks(job.store, job.spec, checked, taken.chunks)
    quality = checked.quality
    keys = [
        layout.snapshot(job.product, job.tenant, snapshot),
        _write_origin(job, taken, snapshot),
    ]
    if quality.quarantined:
        keys.append(layout.quarantine(job.product, job.tenant, snapshot))
    published: dict[str, Scalar] = {}
    if job.spec.serving.enabled and span is None:
        state = make_state(checked, job.spec, job.as_of)
        published["online"] = write_state(job.store, job.product, job.tenant, state)
        keys.append(layout.online_features(job.product, job.tenant, str(published["online"])))
    later = f", {checked.not_yet_known:,} not yet known" if checked.not_yet_known else ""
    facts: dict[str, Scalar] = {
        "snapshot": snapshot,
        "rows": quality.rows,
        "labelled": quality.labelled,
        "quarantined": quality.quarantined,
    }
    return Result(
        message=quality.sentence + later,
        facts={f"{prefix}{name}": fact for name, fact in facts.items()} | published,
        keys=tuple(keys),
    )


def _write_origin(job: Job, taken: Taken, snapshot: str) -> str:
    """Record beside the snapshot what was read to make it; its name does not depend on that."""
    origin = Origin(
        product=job.product,
        tenant=job.tenant,
        snapshot=snapshot,
        as_of=job.as_of,
        run=job.run,
        spec_digest=digest(job.spec.model_dump(mode="json")),
        code_version=job.code_version,
        rows=taken.checked.quality.rows,
        fingerprint=taken.fingerprint,
        reads=taken.checked.reads,
    )
    return write_origin(job.store, origin)
