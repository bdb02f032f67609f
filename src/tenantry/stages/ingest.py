"""Copy each tenant's rows as of the run's time into its snapshot, checked against its contract."""

from tenantry import layout
from tenantry.contract import CheckedRows
from tenantry.digests import digest
from tenantry.fingerprints import pooled_fingerprint
from tenantry.jobs import Job, Result
from tenantry.origins import Origin, write_origin
from tenantry.snapshots import write_snapshot
from tenantry.sources.collect import collect_rows
from tenantry.sources.read import preload

__all__ = ["ingest", "preload"]


def ingest(job: Job) -> Result:
    """Read a tenant's sources, check the contract and write the snapshot and its origin.

    Facts: `snapshot` (its SHA-256), `rows`, `labelled`, `quarantined`.

    Raises:
        SourceError: Sources are missing, unreadable or lack a column.
        SourceUnavailableError: Sources did not answer.
        ContractError: The rows break the contract.
        StoreError: The store failed.
    """
    checked = collect_rows(job.spec, job.connections, job.as_of)
    snapshot = write_snapshot(job.store, job.spec, checked)
    quality = checked.quality
    keys = [
        layout.snapshot(job.product, job.tenant, snapshot),
        _write_origin(job, checked, snapshot),
    ]
    if quality.quarantined:
        keys.append(layout.quarantine(job.product, job.tenant, snapshot))
    later = f", {checked.not_yet_known:,} not yet known" if checked.not_yet_known else ""
    return Result(
        message=quality.sentence + later,
        facts={
            "snapshot": snapshot,
            "rows": quality.rows,
            "labelled": quality.labelled,
            "quarantined": quality.quarantined,
        },
        keys=tuple(keys),
    )


def _write_origin(job: Job, checked: CheckedRows, snapshot: str) -> str:
    """Record beside the snapshot what was read to make it; its name does not depend on that."""
    origin = Origin(
        product=job.product,
        tenant=job.tenant,
        snapshot=snapshot,
        as_of=job.as_of,
        run=job.run,
        spec_digest=digest(job.spec.model_dump(mode="json")),
        code_version=job.code_version,
        rows=len(checked.rows),
        fingerprint=pooled_fingerprint(checked.rows, job.spec),
        reads=checked.reads,
    )
    return write_origin(job.store, origin)
