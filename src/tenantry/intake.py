"""Taking in a tenant's rows: all at once, or, where they are too many, stretch by stretch.

A snapshot, its quality and its fingerprint are the same either way. Rows whose key comes again in
another stretch can only be told apart side by side: then all are read at once.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tenantry.chunks import Chunker, make_chunks
from tenantry.contract import CheckedRows, join_parts, require_contract, rivals_of
from tenantry.erasure.suppression import Suppressed
from tenantry.fingerprints import join_fingerprints, pooled_fingerprint
from tenantry.jobs import Job
from tenantry.manifests import Chunk
from tenantry.origins import SourceRead
from tenantry.sources.collect import collect_parts, collect_rows, read_span
from tenantry.sources.stretches import find_stretches
from tenantry.times import Window


@dataclass(frozen=True)
class Taken:
    """Rows that were taken in.

    Attributes:
        checked: What the check found; the rows themselves only where they came all at once.
        chunks: The snapshot's chunks and their bytes, in order of time.
        fingerprint: Of the rows, as `fingerprints.pooled_fingerprint` gives it.
    """

    checked: CheckedRows
    chunks: tuple[tuple[Chunk, bytes], ...]
    fingerprint: str


def take_rows(job: Job, span: Window | None, suppressed: Suppressed | None) -> Taken:
    """Read and check a tenant's rows.

    Args:
        job: What for; a tenant that is served is read all at once, for its online features.
        span: The events to read; what a run reads when None.
        suppressed: Rows that were erased.

    Raises:
        SourceError: Sources are missing, unreadable or lack a column.
        SourceUnavailableError: Sources did not answer.
        ContractError: The rows break the contract.
    """
    wanted = span or read_span(job.spec, job.as_of)
    if not job.spec.serving.enabled:
        stretches = find_stretches(job.spec, job.connections, wanted)
        if len(stretches) > 1 and (taken := take_stretches(job, stretches, suppressed)):
            return taken
    checked = collect_rows(job.spec, job.connections, job.as_of, wanted, suppressed)
    print_ = pooled_fingerprint(checked.rows, job.spec)
    return Taken(checked, tuple(make_chunks(checked.rows)), print_)


def take_stretches(
    job: Job, stretches: Sequence[Window], suppressed: Suppressed | None
) -> Taken | None:
    """Read and check rows stretch by stretch; None where a key comes more than once.

    Memory is proportional to a stretch; and, some bytes a row, to the snapshot as it is stored.

    Raises:
        SourceError: Sources are missing, unreadable or lack a column.
        SourceUnavailableError: Sources did not answer.
        ContractError: The rows break the contract.
    """
    spec = job.spec
    parts: list[CheckedRows] = []
    chunks: list[tuple[Chunk, bytes]] = []
    prints: list[str] = []
    keys: list[NDArray[np.uint64]] = []
    chunker = Chunker()
    for part in collect_parts(spec, job.connections, job.as_of, stretches, suppressed):
        if rivals_of(spec) in part.quality.reasons:
            return None
        if spec.times.event_time not in spec.key:
            keys.append(_hashes(part.rows[list(spec.key)]))
        chunks += chunker.add(part.rows)
        prints.append(pooled_fingerprint(part.rows, spec))
        parts.append(replace(part, rows=part.rows.head(0).copy(), joined={}))
    if _repeats(keys):
        return None
    joined = join_parts(parts)
    require_contract(joined.quality, joined.not_yet_known, spec)
    reads = tuple(map(_join_reads, zip(*(part.reads for part in parts), strict=True)))
    chunks += chunker.finish()
    return Taken(replace(joined, reads=reads), tuple(chunks), join_fingerprints(prints))


def _hashes(keys: pd.DataFrame) -> NDArray[np.uint64]:
    return np.asarray(pd.util.hash_pandas_object(keys, index=False), dtype=np.uint64)


def _repeats(keys: Sequence[NDArray[np.uint64]]) -> bool:
    if not keys:
        return False
    every = np.concatenate(keys)
    every.sort()
    return bool((every[1:] == every[:-1]).any())


def _join_reads(reads: tuple[SourceRead, ...]) -> SourceRead:
    """Return the readings of one source in all stretches as one."""
    first, last = reads[0], reads[-1]
    within = (*first.within[:2], *last.within[2:])
    return first.model_copy(
        update={
            "within": within if len(within) == len(first.within) else (),
            "rows": sum(read.rows for read in reads),
            "digest": join_fingerprints([read.digest for read in reads]),
            "changed": any(read.changed for read in reads),
            "types": dict(_join_types(reads)),
        }
    )


def _join_types(reads: Iterable[SourceRead]) -> Iterator[tuple[str, str]]:
    found: dict[str, set[str]] = {}
    for read in reads:
        for name, kind in read.types.items():
            found.setdefault(name, set()).add(kind)
    for name, kinds in found.items():
        yield name, kinds.pop() if len(kinds) == 1 else "mixed"
