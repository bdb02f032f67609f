"""The snapshots of a lineage, and the source files and queries below them."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from tenantry import layout
from tenantry.lineage.nodes import Facts, Node
from tenantry.lineage.shelf import TenantShelf
from tenantry.manifests import Manifest
from tenantry.origins import Origin, SourceRead
from tenantry.times import format_moment


def snapshot_node(
    shelf: TenantShelf, sha: str, relation: str = "", *, as_of: datetime | None = None
) -> Node:
    """Return a snapshot and what it was read from.

    Args:
        shelf: The tenant's.
        sha: The snapshot.
        relation: How it hangs on the node above.
        as_of: Only the ingest of that time, where there is one; every ingest that gave the same
            rows when None.
    """
    key = layout.snapshot(shelf.product, shelf.tenant, sha)
    manifest = shelf.manifest(sha)
    chunks = [
        layout.chunk(shelf.product, shelf.tenant, chunk.sha256)
        for chunk in (manifest.chunks if manifest else ())
    ]
    origins = shelf.origins_of(sha)
    at_that_time = [one for one in origins if one.as_of == as_of]
    return Node(
        kind="snapshot",
        name=sha,
        relation=relation,
        key=key,
        state=shelf.state_of(key, *chunks),
        facts=_snapshot_facts(shelf.tenant, manifest),
        below=tuple(origin_nodes(at_that_time or origins)),
    )


def origin_nodes(origins: Sequence[Origin]) -> Iterator[Node]:
    """Yield each ingest with the sources that it read."""
    for origin in origins:
        yield Node(
            kind="ingest",
            name=format_moment(origin.as_of),
            relation="read",
            key=layout.origin(origin.product, origin.tenant, origin.snapshot, origin.name),
            facts={
                "run": origin.run,
                "rows": origin.rows,
                "spec_digest": origin.spec_digest,
                "code_version": origin.code_version,
                "fingerprint": origin.fingerprint,
            },
            below=tuple(_read_node(read) for read in origin.reads),
        )


def _read_node(read: SourceRead) -> Node:
    facts: dict[str, str | int | bool] = {"rows": read.rows}
    if read.equals:
        facts["filter"] = ", ".join(f"{name} = {value}" for name, value in read.equals.items())
    if read.within:
        time, start, end = read.within
        facts["span"] = f"{time} from {start} to {end}"
    if read.digest:
        facts["digest"] = read.digest
    if read.changed:
        facts["changed"] = True
    return Node(
        kind="source",
        name=f"{read.connection}:{read.path}",
        relation=f"from {read.kind}",
        state="outside",
        facts=facts,
        below=tuple(
            Node(
                kind="file",
                name=f"{read.connection}:{file.name}",
                relation="file",
                state="outside",
                facts={
                    "size": file.size,
                    "sha256": file.sha256,
                    "modified": format_moment(file.modified),
                },
            )
            for file in read.files
        ),
    )


def _snapshot_facts(tenant: str, manifest: Manifest | None) -> Facts:
    if manifest is None:
        return {"tenant": tenant}
    return {
        "tenant": tenant,
        "rows": manifest.rows,
        "quarantined": manifest.quality.quarantined,
        "chunks": len(manifest.chunks),
    }
