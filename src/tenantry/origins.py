"""Where a snapshot's rows came from: the source files and queries of every ingest that gave it.

A snapshot is named by its rows, so what was read to make it is recorded beside it, one record an
ingest. A record's name is the ingest's `as_of` and a digest of what was read; which run came first
and when a file was last modified are in the record, not in its name. So two runs of one slot leave
one record, and equal runs leave equal names.

Imports no pandas: lineage and retention read these records, too.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pydantic import Field

from tenantry import layout
from tenantry.digests import digest
from tenantry.records import Record
from tenantry.store.adding import put_new
from tenantry.store.contract import ObjectStore
from tenantry.times import Moment, compact, parse_compact

_DIGITS = 12


class SourceFile(Record):
    """A file as it was when it was read.

    Attributes:
        name: Its path below the connection's folder.
        size: Bytes.
        sha256: Digest of its content.
        modified: When it was last written.
    """

    name: str
    size: int
    sha256: str
    modified: Moment


class SourceRead(Record):
    """A source as an ingest read it.

    Attributes:
        source: The source's name in the spec.
        connection: The connection's name.
        kind: `parquet`, `csv` or `sql`.
        path: The file, folder or table, with the tenant's name filled in.
        equals: Column → the value that rows must have there.
        within: Time column, start and end of the span asked for; empty when all were.
        rows: Rows that the source gave.
        files: Its files; empty for a table.
        digest: Of a table: the fingerprint of the rows it gave.
        changed: Whether a file was written while it was read.
        types: Column → the type that its values came as; without columns that held none.
    """

    source: str
    connection: str
    kind: str
    path: str
    equals: dict[str, str] = Field(default_factory=dict)
    within: tuple[str, ...] = ()
    rows: int
    files: tuple[SourceFile, ...] = ()
    digest: str = ""
    changed: bool = False
    types: dict[str, str] = Field(default_factory=dict)


class Origin(Record):
    """What an ingest read when it made a snapshot, or made it again.

    Attributes:
        product: The product.
        tenant: The tenant.
        snapshot: The snapshot.
        as_of: The logical time of the run.
        run: The run that first read exactly this as of then.
        spec_digest: Of the spec that said what to read.
        code_version: Of the code that read it.
        rows: Rows of the snapshot.
        fingerprint: Of those rows, over the columns that a pooled model learns from; a pooled
            model's card holds the same of what each tenant contributed. Empty when the tenant's
            rows lack such a column.
        reads: What was read, in the spec's order.
    """

    product: str
    tenant: str
    snapshot: str
    as_of: Moment
    run: str
    spec_digest: str
    code_version: str
    rows: int
    fingerprint: str
    reads: tuple[SourceRead, ...]

    @property
    def name(self) -> str:
        """The record's name beside its snapshot; names sort by time."""
        aside: dict[str, Any] = {"files": {"__all__": {"modified"}}, "types": True}
        reads = [read.model_dump(mode="json", exclude=aside) for read in self.reads]
        return f"{compact(self.as_of)}-{digest([self.spec_digest, reads])[:_DIGITS]}"


class OriginName(Record):
    """What a listing tells of an ingest.

    Attributes:
        key: The record's key.
        snapshot: The snapshot that it gave.
        as_of: The logical time of the run.
        size: Bytes of the record.
        modified: When it was written.
    """

    key: str
    snapshot: str
    as_of: Moment
    size: int
    modified: datetime


def write_origin(store: ObjectStore, origin: Origin) -> str:
    """Record an ingest and return the record's key; one that is there already stays as it is."""
    key = layout.origin(origin.product, origin.tenant, origin.snapshot, origin.name)
    put_new(store, key, origin.to_json())
    return key


def read_origin(store: ObjectStore, key: str) -> Origin:
    """Read the record of one ingest.

    Raises:
        ObjectMissingError: There is none.
        ValueError: The object is not such a record.
    """
    return Origin.from_json(store.get(key).content, key)


def list_origins(
    store: ObjectStore, product: str, tenant: str, snapshot: str
) -> Iterator[OriginName]:
    """Yield the ingests that gave a snapshot, by `as_of`: one listing, no reads."""
    folder = layout.origins_folder(product, tenant, snapshot)
    for info in store.list(folder):
        as_of = info.key.removeprefix(folder).split("-")[0]
        yield OriginName(
            key=info.key,
            snapshot=snapshot,
            as_of=parse_compact(as_of),
            size=info.size,
            modified=info.modified,
        )
