"""The certificate of an erasure: what was removed, by whom and why, and what is left to others."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from tenantry import layout
from tenantry.digests import sha256
from tenantry.erasure.orders import Counts
from tenantry.records import Record
from tenantry.store.contract import ObjectStore
from tenantry.times import Moment, compact, format_moment


class Certificate(Record):
    """What was erased; holds none of it.

    Attributes:
        of: `tenant`, `rows` or `lift` (a tombstone was removed, so that the name can be used
            again).
        product: The product.
        tenant: The tenant.
        when: When the order was given, wall clock.
        who: Who gave it.
        why: Why.
        removed: Kind → objects and bytes, old versions included.
        rewritten: Kind → objects and bytes that were written anew without what was erased.
        columns: For rows: what their keys are values of.
        keys: For rows: how many keys.
        rows: For rows: how many rows those named.
        models: For rows: versions that learnt from them; those in `waiting` are still there.
        pooled: Pooled models that learnt from what was erased, ``<zone>/<version>``.
        waiting: Of both, those that stay in use until the next run has replaced them.
        runs: Runs whose artifacts and logs outside the store the operator must delete.
    """

    of: Literal["tenant", "rows", "lift"]
    product: str
    tenant: str
    when: Moment
    who: str
    why: str
    removed: Counts = Field(default_factory=dict)
    rewritten: Counts = Field(default_factory=dict)
    columns: tuple[str, ...] = ()
    keys: int = 0
    rows: int = 0
    models: tuple[str, ...] = ()
    pooled: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """The SHA-256 of the certificate, which stands in its key."""
        return sha256(self.to_json())

    @property
    def key(self) -> str:
        """Where it is stored; what comes later sorts later."""
        name = f"{compact(self.when)}-{self.of}-{self.digest[:12]}.json"
        return layout.erasures_folder(self.product, self.tenant) + name


def write_certificate(store: ObjectStore, certificate: Certificate) -> str:
    """Store a certificate; return its key."""
    store.put(certificate.key, certificate.to_json())
    return certificate.key


def to_text(certificate: Certificate) -> str:
    """Write a certificate for people."""
    return "\n".join(_lines(certificate))


def _lines(certificate: Certificate) -> Iterator[str]:
    one = certificate
    what = {"tenant": "the tenant", "rows": f"{one.rows:,} rows of", "lift": "the tombstone of"}
    yield f"Certificate of erasure: {what[one.of]} {one.tenant} of {one.product}"
    yield f"  ordered   {format_moment(one.when)} by {one.who}: {one.why}"
    yield f"  digest    {one.digest}"
    if one.of == "rows":
        named = f"{one.keys:,} key{'' if one.keys == 1 else 's'} of {', '.join(one.columns)}"
        yield f"  named by  {named}; kept as keyed hashes, so that no later run reads them again"
    yield from _table("removed", one.removed)
    yield from _table("rewritten", one.rewritten)
    for title, names in (("learnt from it", one.models), ("pooled, too", one.pooled)):
        if names:
            yield f"  {title}: {', '.join(names)}"
    if one.waiting:
        yield f"  in use until the next run has replaced them: {', '.join(one.waiting)}"
    if one.of != "lift":
        yield "Left to you, outside this store:"
        yield from (f"  - {line}" for line in remaining(one))


def _table(title: str, counts: Counts) -> Iterator[str]:
    if counts:
        objects, size = (sum(part) for part in zip(*counts.values(), strict=True))
        yield f"  {title:<9} {objects:,} objects, {size:,} bytes"
        for kind, (number, length) in sorted(counts.items()):
            yield f"            {number:>7,}  {length:>13,}  {kind}"


def remaining(certificate: Certificate) -> tuple[str, ...]:
    """Return what no command of ours can delete, in words."""
    runs = ", ".join(certificate.runs) or "none"
    return (
        f"Kubeflow's artifacts (ledgers, summaries, metrics, fleet pages) and pod logs of runs: "
        f"{runs}",
        "the rows in the source systems themselves",
        "the tenant's file in Git and its history"
        if certificate.of == "tenant"
        else "what the tenant itself made of the predictions",
        "backups and replicas of the store, and of the sources",
        "log aggregation, caches and what was downloaded",
    )
