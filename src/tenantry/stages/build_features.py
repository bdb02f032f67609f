"""Build each tenant's feature table from its snapshot."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from tenantry import layout
from tenantry.features.recipe import table_features
from tenantry.features.stretches import build_stretches
from tenantry.features.tables import write_features
from tenantry.jobs import Job, Result
from tenantry.snapshots import SnapshotChunks
from tenantry.values import is_all_missing


def build_features(job: Job) -> Result:
    """Build the features of the tenant's snapshot, its own and the pooled model's.

    Facts: `features` (digest of the table), `rows`; the same of the backfill's own snapshot, named
    ``backfill_…``. A feature without any value is named in the message; models leave it out.
    """
    built = [
        _build(job, prefix)
        for prefix in ("", "backfill_")
        if job.entry.fact("ingest", f"{prefix}snapshot")
    ]
    facts = {name: fact for one in built for name, fact in one.facts.items()}
    keys = tuple(key for one in built for key in one.keys)
    return Result("; for the backfill ".join(one.message for one in built), facts=facts, keys=keys)


def _build(job: Job, prefix: str) -> Result:
    snapshot = str(job.entry.fact("ingest", f"{prefix}snapshot"))
    chunks = SnapshotChunks(job.store, job.product, job.tenant, snapshot)
    columns = table_features(job.spec)
    empty = set(columns) if chunks.rows else set()

    def seen() -> Iterator[pd.DataFrame]:
        for table in build_stretches(chunks, job.spec):
            empty.intersection_update(name for name in empty if _is_empty(table[name]))
            yield table
            del table  # let go of one before the next is made

    sha = write_features(job.store, job.spec, snapshot, seen())
    said = f"{chunks.rows:,} rows, {len(columns)} features"
    if empty:
        said += f"; without any value: {', '.join(name for name in columns if name in empty)}"
    return Result(
        message=said,
        facts={f"{prefix}features": sha, f"{prefix}rows": chunks.rows},
        keys=(layout.features(job.product, job.tenant, sha),),
    )


def _is_empty(values: "pd.Series[Any]") -> bool:
    """Whether a feature has no value at all; texts and categories are never missing."""
    if isinstance(values.dtype, pd.StringDtype):
        return bool(values.eq("").all())
    return is_all_missing(values.array)
