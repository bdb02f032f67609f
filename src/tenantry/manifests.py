"""What snapshots are made of; read without pandas, so that lineage and retention can."""

from tenantry import layout
from tenantry.digests import sha256
from tenantry.errors import StoreError
from tenantry.quality import Quality
from tenantry.records import Record
from tenantry.store.contract import ObjectStore


class Chunk(Record):
    """Rows of a month, or of several.

    Attributes:
        month: The calendar month of the events, UTC, e.g. ``2013-10``; of several the first and the
            last, ``2013-01/2013-06``.
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


def read_manifest(store: ObjectStore, product: str, tenant: str, sha: str) -> Manifest:
    """Read what a snapshot is made of.

    Raises:
        ObjectMissingError: There is no such snapshot.
        StoreError: Its bytes are not those that its name stands for.
    """
    key = layout.snapshot(product, tenant, sha)
    return Manifest.from_json(get_whole(store, key, sha), key)


def get_whole(store: ObjectStore, key: str, sha: str) -> bytes:
    """Read an object that is named by its digest.

    Raises:
        ObjectMissingError: There is none.
        StoreError: Its bytes have another digest.
    """
    content = store.get(key).content
    if sha256(content) != sha:
        msg = f"{key}: the bytes have another digest; delete it, and the next ingest writes it"
        raise StoreError(msg)
    return content
