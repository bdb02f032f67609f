"""Build each tenant's feature table from its snapshot."""

from typing import Any

import pandas as pd

from tenantry import layout
from tenantry.features.recipe import build_features as build_table
from tenantry.features.recipe import table_features
from tenantry.features.tables import write_features
from tenantry.jobs import Job, Result
from tenantry.snapshots import read_snapshot


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
    rows = read_snapshot(job.store, job.product, job.tenant, snapshot)
    columns = table_features(job.spec)
    table = build_table(rows, columns, job.spec)
    sha = write_features(job.store, job.spec, snapshot, table)
    return Result(
        message=_say(table, list(columns)),
        facts={f"{prefix}features": sha, f"{prefix}rows": len(table)},
        keys=(layout.features(job.product, job.tenant, sha),),
    )


def _say(table: pd.DataFrame, columns: list[str]) -> str:
    """Say how large the table is and which features have no value at all."""
    said = f"{len(table):,} rows, {len(columns)} features"
    empty = [name for name in columns if _is_empty(table[name])]
    if len(table) and empty:
        said += f"; without any value: {', '.join(empty)}"
    return said


def _is_empty(values: "pd.Series[Any]") -> bool:
    """Whether a feature has no value at all; texts and categories are never missing."""
    if isinstance(values.dtype, pd.StringDtype):
        return bool(values.eq("").all())
    return not values.count()
