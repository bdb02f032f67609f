"""The index: what is known of all tenants of a product in a few objects, so that planning is cheap.

The truth stays in the tenants' folders. The index is the join of its segments, each an immutable
object named by its content with a line a tenant. Joining is what makes it safe without a lock:
segments may be written by any number of writers, in any order and twice; and whoever has put the
join of some segments may remove those, for nothing that was in the index ever leaves it.

``index.json`` says that the index is whole; without it there is none, whatever segments there are.
What is not in the index yet is told by openings, see `tenantry.openings`. The reasons are in
`docs/decisions/0006-index.md`.
"""

import json
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from typing import TypeVar

from tenantry import layout
from tenantry.digests import canonical_json, sha256
from tenantry.errors import ObjectMissingError, StoreUnavailableError
from tenantry.facts import Measured
from tenantry.index_lines import from_line, tenant_of, to_line
from tenantry.states import TenantRecord
from tenantry.store.contract import ObjectStore
from tenantry.truth import read_state

T = TypeVar("T")

LOG = logging.getLogger(__name__)

FORM = 1
"""Grows when lines change so that older ones cannot be read; the index is then built anew."""

MANY = 8
"""Segments from which a plan that writes joins them into one."""

_TRIES = 100
_READERS = 8
"""Threads that read tenants' folders: a store far away answers slowly."""


@dataclass(frozen=True)
class Index:
    """The segments of a product's index, read.

    Attributes:
        product: The product.
        segments: Their keys.
        lines: Tenant → its lines in them, each once.
    """

    product: str
    segments: tuple[str, ...] = ()
    lines: Mapping[str, list[bytes]] = field(default_factory=dict)

    def record(self, tenant: str) -> TenantRecord | None:
        """Return what is known of a tenant; None when nothing is.

        Raises:
            ValueError: A line cannot be read.
        """
        place = layout.segments_folder(self.product)
        records = [from_line(line, place) for line in self.lines.get(tenant, ())]
        return reduce(TenantRecord.join, records) if records else None


def read_index(store: ObjectStore, product: str) -> Index | None:
    """Read the index of a product; None when there is none that is whole and sound.

    Raises:
        StoreUnavailableError: Others joined the segments a hundred times while they were read.
    """
    if not _is_whole(store, product):
        return None
    for _ in range(_TRIES):
        keys = _segments(store, product)
        with suppress(ObjectMissingError):  # joined meanwhile: what it held is in another one
            contents = [store.get(key).content for key in keys]
            return _index(product, keys, contents)
    msg = f"{layout.segments_folder(product)}: joined {_TRIES} times while it was read; run again"
    raise StoreUnavailableError(msg)


def read_records(store: ObjectStore, product: str) -> dict[str, TenantRecord]:
    """Return what the index knows, by tenant; nothing when there is none.

    Raises:
        ValueError: A line cannot be read.
    """
    index = read_index(store, product) or Index(product)
    found = ((tenant, index.record(tenant)) for tenant in sorted(index.lines))
    return {tenant: record for tenant, record in found if record}


def write_segment(store: ObjectStore, product: str, records: Iterable[TenantRecord]) -> str:
    """Add what is known of some tenants to the index; return the segment's key, empty for none."""
    return _write_lines(store, product, [to_line(record) for record in records])


def compact(store: ObjectStore, index: Index) -> None:
    """Join the segments that were read into one, and remove them."""
    lines = [_joined_line(index, tenant) for tenant in index.lines]
    key = _write_lines(store, index.product, lines)
    _remove(store, index.segments, but=key)


def forget(store: ObjectStore, product: str, tenant: str) -> None:
    """Take an erased tenant out of the index, and out of older versions of its segments.

    Its tombstone holds off whoever knows it still; who joined segments meanwhile is looked through
    again. A damaged segment goes with the index, which the next plan builds anew.
    """
    for _ in range(_TRIES):
        holding = [
            key for key in _segments(store, product) if _forget_in(store, product, key, tenant)
        ]
        if not holding:
            break
    store.purge(layout.segments_folder(product), keep_latest=True)


def _forget_in(store: ObjectStore, product: str, key: str, tenant: str) -> bool:
    """Put a segment's other lines in its place; say whether it had any of the tenant."""
    try:
        content = store.get(key).content
    except ObjectMissingError:
        return False
    if tenant.encode() not in content:
        return False
    if layout.segment(product, sha256(content)) != key:
        store.delete(layout.index(product))
        kept = None
    else:
        lines = content.splitlines()
        kept = [line for line in lines if tenant_of(line) != tenant]
        if len(kept) == len(lines):
            return False
    if kept:
        _write_lines(store, product, kept)
    store.purge(key)
    return True


def rebuild(store: ObjectStore, product: str) -> tuple[TenantRecord, ...]:
    """Build the index anew from the tenants' folders, and call it whole.

    What tenants cost is kept from the index before: their folders do not tell it.

    Returns:
        What is known of each tenant, by name.
    """
    before = _segments(store, product)
    costs = _costs(store, product)
    tenants = store.list_folders(layout.product_folder(product))
    read = partial(read_state, store, product)
    records = tuple(
        replace(record, costs=costs.get(record.tenant, record.costs))
        for record in map_tenants(read, tuple(tenants))
    )
    key = write_segment(store, product, records)
    store.put(layout.index(product), canonical_json({"form": FORM}))
    _remove(store, before, but=key)
    return records


def map_tenants(read: Callable[[str], T], tenants: Collection[str]) -> Iterator[T]:
    """Yield what `read` returns for each tenant, in order; of many several are read at once."""
    if len(tenants) <= _READERS:
        yield from map(read, tenants)
        return
    with ThreadPoolExecutor(_READERS) as pool:
        yield from pool.map(read, tenants)


def _is_whole(store: ObjectStore, product: str) -> bool:
    try:
        marker = json.loads(store.get(layout.index(product)).content)
    except ObjectMissingError:
        return False
    return bool(marker == {"form": FORM})


def _segments(store: ObjectStore, product: str) -> tuple[str, ...]:
    return tuple(info.key for info in store.list(layout.segments_folder(product)))


def _index(product: str, keys: tuple[str, ...], contents: list[bytes]) -> Index | None:
    lines: dict[str, list[bytes]] = {}
    for key, content in zip(keys, contents, strict=True):
        if layout.segment(product, sha256(content)) != key:
            LOG.warning("%s is not what was written; the index is not used", key)
            return None
        for line in content.splitlines():
            known = lines.setdefault(tenant_of(line), [])
            if line not in known:
                known.append(line)
    return Index(product, keys, lines)


def _joined_line(index: Index, tenant: str) -> bytes:
    lines = index.lines[tenant]
    if len(lines) == 1:
        return lines[0]
    return to_line(index.record(tenant) or TenantRecord(tenant))


def _write_lines(store: ObjectStore, product: str, lines: Iterable[bytes]) -> str:
    content = b"".join(line + b"\n" for line in sorted(lines))
    if not content:
        return ""
    key = layout.segment(product, sha256(content))
    store.put(key, content)
    return key


def _remove(store: ObjectStore, keys: Iterable[str], *, but: str) -> None:
    for key in keys:
        if key != but:
            store.delete(key)


def _costs(store: ObjectStore, product: str) -> dict[str, Mapping[str, Measured]]:
    with suppress(ValueError):
        return {tenant: one.costs for tenant, one in read_records(store, product).items()}
    return {}
