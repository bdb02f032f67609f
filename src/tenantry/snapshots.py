"""Snapshots: immutable copies of a tenant's rows, in chunks by month that snapshots share."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from tenantry import layout
from tenantry.columns import EVENT_TIME
from tenantry.contract import CheckedRows
from tenantry.digests import sha256
from tenantry.errors import StoreError
from tenantry.parquet import from_parquet, to_parquet, to_parquets
from tenantry.quality import Quality
from tenantry.records import Record
from tenantry.specs.model import Spec
from tenantry.store.contract import ObjectStore


class Chunk(Record):
    """A month of rows.

    Attributes:
        month: The calendar month of the events, UTC, e.g. ``2013-10``.
        sha256: Digest of the chunk's bytes, part of its key.
        rows: How many.
    """

    month: str
    sha256: str
    rows: int


class Manifest(Record):
    """What a snapshot is made of; the digest of its JSON is the snapshot's name.

    Attributes:
        rows: Rows in all chunks.
        chunks: In order of time.
        quarantine: Digest of the file of rows set aside; None when there are none.
        quality: What the contract found.
    """

    rows: int
    chunks: tuple[Chunk, ...]
    quarantine: str | None = None
    quality: Quality


def write_snapshot(store: ObjectStore, spec: Spec, checked: CheckedRows) -> str:
    """Write a tenant's rows as a snapshot; what is there already is not written again.

    The snapshot's name depends on the rows, those set aside and their quality, not on the time of
    the run. Chunks are written first, the manifest last: a snapshot that can be found is whole.

    Returns:
        The SHA-256 that names the snapshot.
    """
    product, tenant = spec.product, spec.tenant
    chunks = []
    for chunk, content in _chunks(checked.rows):
        _put_new(store, layout.chunk(product, tenant, chunk.sha256), content)
        chunks.append(chunk)
    aside = to_parquet(checked.quarantined) if len(checked.quarantined) else b""
    manifest = Manifest(
        rows=len(checked.rows),
        chunks=tuple(chunks),
        quarantine=sha256(aside) if aside else None,
        quality=checked.quality,
    )
    content = manifest.to_json()
    sha = sha256(content)
    if aside:
        _put_new(store, layout.quarantine(product, tenant, sha), aside)
    _put_new(store, layout.snapshot(product, tenant, sha), content)
    return sha


def read_manifest(store: ObjectStore, product: str, tenant: str, sha: str) -> Manifest:
    """Read what a snapshot is made of.

    Raises:
        ObjectMissingError: There is no such snapshot.
        StoreError: Its bytes are not those that its name stands for.
    """
    key = layout.snapshot(product, tenant, sha)
    return Manifest.from_json(_get_whole(store, key, sha), key)


def read_snapshot(store: ObjectStore, product: str, tenant: str, sha: str) -> pd.DataFrame:
    """Read a snapshot's rows frame (see `tenantry.columns`), sorted by event time, then key.

    Raises:
        ObjectMissingError: There is no such snapshot, or a chunk of it is gone.
        StoreError: Bytes are not those that their name stands for.
    """
    manifest = read_manifest(store, product, tenant, sha)
    frames = []
    for chunk in manifest.chunks:
        key = layout.chunk(product, tenant, chunk.sha256)
        frames.append(from_parquet(_get_whole(store, key, chunk.sha256)))
    return pd.concat(frames, ignore_index=True)


def read_quarantine(store: ObjectStore, product: str, tenant: str, sha: str) -> pd.DataFrame | None:
    """Read the rows that a snapshot left out, as text, with `reason`; None when there are none.

    Raises:
        ObjectMissingError: There is no such snapshot, or the file is gone.
        StoreError: Bytes are not those that their name stands for.
    """
    manifest = read_manifest(store, product, tenant, sha)
    if manifest.quarantine is None:
        return None
    key = layout.quarantine(product, tenant, sha)
    return from_parquet(_get_whole(store, key, manifest.quarantine))


def _chunks(rows: pd.DataFrame) -> Iterator[tuple[Chunk, bytes]]:
    """Yield the rows by month, as a record and its bytes; they are sorted by event time."""
    events = rows[EVENT_TIME].dt
    months = (events.year * 12 + events.month - 1).to_numpy()
    named, starts, counts = np.unique(months, return_index=True, return_counts=True)
    pieces = to_parquets(rows, starts.tolist())
    for month, count, content in zip(named.tolist(), counts.tolist(), pieces, strict=True):
        name = f"{month // 12:04d}-{month % 12 + 1:02d}"
        yield Chunk(month=name, sha256=sha256(content), rows=count), content


def _put_new(store: ObjectStore, key: str, content: bytes) -> None:
    if store.find(key) is None:
        store.put(key, content)


def _get_whole(store: ObjectStore, key: str, sha: str) -> bytes:
    content = store.get(key).content
    if sha256(content) != sha:
        msg = f"{key}: the bytes have another digest; delete it, and the next ingest writes it"
        raise StoreError(msg)
    return content
