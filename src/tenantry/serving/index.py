"""The change index: for every tenant of a product, what a server is to answer with now.

It is at most 256 objects, the *buckets*, each with the entries of the tenants whose names hash to
it. One listing tells by their tags which of them changed since. Champions' pointers stay the truth;
an entry says what was published of one, and of two entries of a tenant the later one counts, in
whatever order they are written. So a writer that lost a race tries again, one that comes late
undoes nothing, and an entry that was never written is made by the next run.
"""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from tenantry import layout
from tenantry.errors import ObjectMissingError, PreconditionError, StoreUnavailableError
from tenantry.serving.entries import Bucket, Entry
from tenantry.store.contract import ObjectStore

LOG = logging.getLogger(__name__)

_TRIES = 100
"""Lost races before we give up: each loss means that another writer won."""

_READERS = 8
"""Buckets read at once: a store far away answers slowly."""


@dataclass(frozen=True)
class Changes:
    """What changed in the index of a product since it was read last.

    Attributes:
        tags: Bucket → the tag by which it is known from now on; hand it over at the next reading.
        buckets: Bucket that changed → all of its entries by tenant; none when it is gone.
    """

    tags: Mapping[str, str] = field(default_factory=dict)
    buckets: Mapping[str, Mapping[str, Entry]] = field(default_factory=dict)


def bucket_of(tenant: str) -> str:
    """Return the bucket of a tenant: two hexadecimal digits."""
    return hashlib.sha256(tenant.encode()).hexdigest()[:2]


def read_changes(store: ObjectStore, product: str, known: Mapping[str, str]) -> Changes:
    """Read what changed in a product's index: one listing, and the buckets whose tags differ.

    A bucket that cannot be read as one is left as it was known, and told in the log; so the next
    reading looks at it again.

    Args:
        store: The store.
        product: The product.
        known: Bucket → its tag, as the last reading said; empty for the first.

    Raises:
        StoreUnavailableError: The store does not answer.
    """
    folder = layout.serving_folder(product)
    listed = {
        info.key.removeprefix(folder).removesuffix(".json"): info.tag for info in store.list(folder)
    }
    changed = [bucket for bucket, tag in listed.items() if known.get(bucket) != tag]
    tags = {bucket: tag for bucket, tag in known.items() if bucket in listed}
    buckets: dict[str, Mapping[str, Entry]] = {gone: {} for gone in known.keys() - listed.keys()}
    for bucket, read in zip(changed, _read_buckets(store, product, changed), strict=True):
        if read is not None:
            buckets[bucket], tags[bucket] = read
    return Changes(tags, buckets)


def _read_buckets(
    store: ObjectStore, product: str, buckets: Sequence[str]
) -> Iterator[tuple[Mapping[str, Entry], str] | None]:
    """Yield entries and tag of each, None where it cannot be read; of many several at once."""
    read = partial(_read_bucket, store, product)
    if len(buckets) <= _READERS:
        yield from map(read, buckets)
        return
    with ThreadPoolExecutor(_READERS) as pool:
        yield from pool.map(read, buckets)


def _read_bucket(
    store: ObjectStore, product: str, bucket: str
) -> tuple[Mapping[str, Entry], str] | None:
    key = layout.serving_bucket(product, bucket)
    try:
        stored = store.get(key)
        return Bucket.from_json(stored.content, key).tenants, stored.tag
    except ObjectMissingError:
        return None  # removed since it was listed; the next reading tells
    except ValueError as error:
        LOG.warning("%s; what was known of it is kept: run `tenantry reindex`", error)
        return None


def read_entries(store: ObjectStore, product: str) -> dict[str, Entry]:
    """Return all entries of a product by tenant.

    Raises:
        StoreUnavailableError: The store does not answer.
    """
    changes = read_changes(store, product, {})
    return {name: one for bucket in changes.buckets.values() for name, one in bucket.items()}


def read_entry(store: ObjectStore, product: str, tenant: str) -> Entry | None:
    """Return a tenant's entry; None when there is none.

    Raises:
        StoreUnavailableError: The store does not answer.
    """
    found, _ = _read(store, layout.serving_bucket(product, bucket_of(tenant)))
    return found.tenants.get(tenant)


def write_entries(store: ObjectStore, product: str, entries: Mapping[str, Entry]) -> None:
    """Put entries into the index; those that others wrote and that count more stay.

    Args:
        store: The store.
        product: The product.
        entries: Tenant → its entry.

    Raises:
        StoreUnavailableError: The store does not answer, or others won a hundred times in a row.
    """
    grouped: dict[str, dict[str, Entry]] = defaultdict(dict)
    for tenant, entry in entries.items():
        grouped[bucket_of(tenant)][tenant] = entry
    for bucket, some in grouped.items():

        def put(found: dict[str, Entry], some: dict[str, Entry] = some) -> dict[str, Entry]:
            return found | {name: one.after(found.get(name)) for name, one in some.items()}

        _change(store, product, bucket, put)


def change_entries(
    store: ObjectStore,
    product: str,
    tenants: Iterable[str],
    change: Callable[[Entry], Entry | None],
) -> None:
    """Change the entries of tenants that have one; the index names no tenant without an entry.

    Args:
        store: The store.
        product: The product.
        tenants: Whose.
        change: Returns what an entry becomes; None takes the tenant out of the index.

    Raises:
        StoreUnavailableError: The store does not answer, or others won a hundred times in a row.
    """
    grouped: dict[str, set[str]] = defaultdict(set)
    for tenant in tenants:
        grouped[bucket_of(tenant)].add(tenant)
    for bucket, some in grouped.items():

        def changed(found: dict[str, Entry], some: set[str] = some) -> dict[str, Entry]:
            pairs = ((name, change(one) if name in some else one) for name, one in found.items())
            return {name: one for name, one in pairs if one}

        _change(store, product, bucket, changed)


def remove_entries(store: ObjectStore, product: str, tenants: Iterable[str]) -> None:
    """Take tenants out of the index, as erased ones; see `change_entries`."""
    change_entries(store, product, tenants, lambda _: None)


def forget_served(store: ObjectStore, product: str, tenant: str) -> None:
    """Take an erased tenant out of the index, and out of older versions of its bucket."""
    remove_entries(store, product, [tenant])
    key = layout.serving_bucket(product, bucket_of(tenant))
    if store.find(key):
        store.purge(key, keep_latest=True)


def _change(
    store: ObjectStore,
    product: str,
    bucket: str,
    change: Callable[[dict[str, Entry]], dict[str, Entry]],
) -> None:
    """Swap a bucket's content; a lost race is tried again on what the winner wrote."""
    key = layout.serving_bucket(product, bucket)
    for _ in range(_TRIES):
        found, tag = _read(store, key)
        wanted = change(found.tenants)
        if wanted == found.tenants:
            return
        content = Bucket(tenants=wanted).to_json()
        with suppress(PreconditionError):
            if tag is None:
                store.put_if_absent(key, content)
            else:
                store.put_if_match(key, content, tag)
            return
    msg = f"{key}: other writers won {_TRIES} times in a row; run again"
    raise StoreUnavailableError(msg)


def _read(store: ObjectStore, key: str) -> tuple[Bucket, str | None]:
    """Return a bucket and its tag; an empty one where there is none, or none that can be read.

    What a damaged bucket said is said again by the next run, or by `tenantry reindex`.
    """
    try:
        stored = store.get(key)
    except ObjectMissingError:
        return Bucket(), None
    try:
        return Bucket.from_json(stored.content, key), stored.tag
    except ValueError as error:
        LOG.warning("%s; it is written anew", error)
        return Bucket(), stored.tag
