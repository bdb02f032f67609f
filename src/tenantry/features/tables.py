"""Feature tables in the store: Parquet whose bytes depend on nothing but the table's content."""

from collections.abc import Iterable

import pandas as pd

from tenantry import layout
from tenantry.digests import sha256
from tenantry.errors import StoreError
from tenantry.parquet import from_parquet, join_parquet
from tenantry.row_groups import ParquetRows
from tenantry.specs.model import Spec
from tenantry.store.adding import put_new
from tenantry.store.contract import ObjectStore


def write_features(
    store: ObjectStore, spec: Spec, snapshot: str, table: pd.DataFrame | Iterable[pd.DataFrame]
) -> str:
    """Write a feature table under the digest of its bytes; equal tables are one object.

    Args:
        store: The object store.
        spec: The tenant's spec.
        snapshot: The snapshot it was built from; noted in the file, with the features' digest.
        table: A feature frame, or its stretches.

    Returns:
        The SHA-256 of the object's bytes, part of its key.
    """
    notes = {"tenantry.snapshot": snapshot, "tenantry.features": spec.features_digest}
    pieces = [table] if isinstance(table, pd.DataFrame) else table
    content = join_parquet(pieces, notes, "lz4")  # it is read again in the same run
    sha = sha256(content)
    put_new(store, layout.features(spec.product, spec.tenant, sha), content)
    return sha


def read_features(store: ObjectStore, product: str, tenant: str, sha: str) -> pd.DataFrame:
    """Read a feature table.

    Raises:
        ObjectMissingError: There is none of that digest.
        StoreError: The object's bytes do not have the digest that its key says.
    """
    return from_parquet(_read(store, product, tenant, sha))


def open_features(
    store: ObjectStore, product: str, tenant: str, sha: str, columns: Iterable[str]
) -> ParquetRows:
    """Open a feature table to read columns of it some rows at a time.

    Raises:
        ObjectMissingError: There is none of that digest.
        StoreError: The object's bytes do not have the digest that its key says.
    """
    return ParquetRows(_read(store, product, tenant, sha), columns)


def _read(store: ObjectStore, product: str, tenant: str, sha: str) -> bytes:
    key = layout.features(product, tenant, sha)
    content = store.get(key).content
    if sha256(content) != sha:
        msg = f"{key}: the bytes have another digest; delete it, and the next run builds it again"
        raise StoreError(msg)
    return content
