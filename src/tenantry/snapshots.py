"""Snapshots: immutable copies of a tenant's rows, in chunks of months that snapshots share."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tenantry import layout
from tenantry.chunks import make_chunks
from tenantry.contract import CheckedRows
from tenantry.digests import sha256
from tenantry.manifests import Chunk, Manifest, get_whole, read_manifest
from tenantry.parquet import from_parquet, from_parquets, to_parquet
from tenantry.specs.model import Spec
from tenantry.store.adding import put_new
from tenantry.store.contract import ObjectStore

__all__ = ["read_manifest", "read_quarantine", "read_snapshot", "write_snapshot"]


def write_snapshot(store: ObjectStore, spec: Spec, checked: CheckedRows) -> str:
    """Write a tenant's rows as a snapshot; what is there already is not written again.

    The snapshot's name depends on the rows, those set aside and their quality, not on the time of
    the run. Chunks are written first, the manifest last: a snapshot that can be found is whole.

    Returns:
        The SHA-256 that names the snapshot.
    """
    return write_chunks(store, spec, checked, make_chunks(checked.rows))


def write_chunks(
    store: ObjectStore, spec: Spec, checked: CheckedRows, made: Iterable[tuple[Chunk, bytes]]
) -> str:
    """Write a snapshot of chunks that `make_chunks` made; see `write_snapshot`."""
    product, tenant = spec.product, spec.tenant
    chunks = []
    for chunk, content in made:
        put_new(store, layout.chunk(product, tenant, chunk.sha256), content)
        chunks.append(chunk)
    aside = to_parquet(checked.quarantined) if len(checked.quarantined) else b""
    manifest = Manifest(
        rows=checked.quality.rows,
        chunks=tuple(chunks),
        quarantine=sha256(aside) if aside else None,
        quality=checked.quality,
    )
    content = manifest.to_json()
    sha = sha256(content)
    if aside:
        put_new(store, layout.quarantine(product, tenant, sha), aside)
    put_new(store, layout.snapshot(product, tenant, sha), content)
    return sha


def read_snapshot(store: ObjectStore, product: str, tenant: str, sha: str) -> pd.DataFrame:
    """Read a snapshot's rows frame (see `tenantry.columns`), sorted by event time, then key.

    Raises:
        ObjectMissingError: There is no such snapshot, or a chunk of it is gone.
        StoreError: Bytes are not those that their name stands for.
    """
    return SnapshotChunks(store, product, tenant, sha).read()


class SnapshotChunks:
    """A snapshot whose rows are read chunk by chunk, so that no more than asked for are held.

    Args:
        store: The object store.
        product: The product.
        tenant: The tenant.
        sha: The snapshot.

    Attributes:
        rows: How many it has.

    Raises:
        ObjectMissingError: There is no such snapshot.
        StoreError: Its bytes are not those that its name stands for.
    """

    def __init__(self, store: ObjectStore, product: str, tenant: str, sha: str) -> None:
        manifest = read_manifest(store, product, tenant, sha)
        self.rows = manifest.rows
        self._store, self._chunks = store, manifest.chunks
        self._keys = [layout.chunk(product, tenant, chunk.sha256) for chunk in manifest.chunks]

    def read(
        self,
        columns: Sequence[str] | None = None,
        rows: NDArray[np.bool_] | None = None,
        categories: Sequence[str] = (),
    ) -> pd.DataFrame:
        """Read rows by event time, then key.

        Args:
            columns: Only these; all when None.
            rows: Whether each is wanted; all are when None.
            categories: Columns of text that are read as categories.

        Raises:
            ObjectMissingError: A chunk is gone.
            StoreError: Bytes are not those that their name stands for.
        """
        return from_parquets(self._contents(rows), columns, rows, categories)

    def _contents(self, rows: NDArray[np.bool_] | None) -> Iterator[bytes | int]:
        """Yield the bytes of each chunk; where no row of one is wanted, how many it has."""
        start = 0
        for chunk, key in zip(self._chunks, self._keys, strict=True):
            end = start + chunk.rows
            is_wanted = rows is None or bool(rows[start:end].any())
            yield get_whole(self._store, key, chunk.sha256) if is_wanted else chunk.rows
            start = end


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
    return from_parquet(get_whole(store, key, manifest.quarantine))
