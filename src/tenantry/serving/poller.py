"""The poller: follows the change index, and keeps what it says on disk."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from tenantry import layout
from tenantry.errors import StoreError, StoreUnavailableError
from tenantry.serving.entries import Entry
from tenantry.serving.figures import Figures
from tenantry.serving.index import Changes, read_changes
from tenantry.serving.pool import Pool
from tenantry.serving.shelf import Shelf

Result = TypeVar("Result")

LOG = logging.getLogger(__name__)

_SWEEP_EVERY = 1000
"""Readings between two sweeps of the disk; the first reading that succeeds begins with one."""


class Poller:
    """Reads the index again and again; a store that does not answer changes nothing.

    Nor does one that holds nothing of a product's index any more: a folder that is not mounted
    looks like that, while the index of a product whose last tenant is erased is still there, and
    says that there is nobody.
    """

    def __init__(
        self, shelf: Shelf, pool: Pool, figures: Figures, products: Sequence[str] = ()
    ) -> None:
        """Follow these products; all that the store has where none are named."""
        self._shelf = shelf
        self._store = shelf.store
        self._disk = shelf.disk
        self._pool = pool
        self._figures = figures
        self._products = tuple(products)
        self._tags: dict[str, Mapping[str, str]] = {}
        self._buckets: dict[str, dict[str, Mapping[str, Entry]]] = {}
        self._seen: set[str] = set()
        self._until_sweep = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="poll")
        self._told: frozenset[str] = frozenset()
        self.knows = False

    @property
    def missing(self) -> frozenset[str]:
        """The products that are to be served, by name, and of which nothing is published yet."""
        return frozenset(self._products) - self._buckets.keys()

    async def start(self) -> None:
        """Read the index for the first time; the one on disk where the store does not have it."""
        on_disk = await self._run(self._disk.find_products)
        self._seen = {one for one in on_disk if not self._products or one in self._products}
        await self.poll()
        if not (missing := self._seen - self._tags.keys()):
            return
        kept = await self._run(self._disk.read_index)
        for product in sorted(missing & kept.keys()):
            self._follow(product, kept[product], keep=False)
            self.knows = True
            LOG.warning("%s: serving what is on this machine's disk", product)

    async def poll(self) -> bool:
        """Read what changed and let it count; say whether the store answered."""
        self._figures.polls += 1
        try:
            found = await self._run(self._read)
        except (StoreError, ValueError) as error:
            self._figures.poll_failures += 1
            if isinstance(error, StoreUnavailableError):
                self._shelf.rest()
            LOG.warning("the change index cannot be read: %s", error)
            return False
        if lost := sorted(self._seen - found.keys()):
            self._figures.poll_failures += 1
            LOG.warning("the store has no change index of %s any more", ", ".join(lost))
            if not found:
                self._shelf.rest()
                return False
        self._shelf.wake()
        for product, changes in found.items():
            self._seen.add(product)
            self._tags[product] = changes.tags
            if changes.buckets:
                self._follow(product, changes.buckets, keep=True)
        self._tell_missing()
        self._pool.catch_up()
        self._figures.fresh = time.time()
        self.knows = True
        self._sweep_sometimes(found)
        return True

    def close(self) -> None:
        """Read nothing more; what was read is on disk when this returns."""
        self._thread.shutdown()

    def _read(self) -> dict[str, Changes]:
        """Return what changed, of each product that has an index."""
        products = self._products or tuple(self._store.list_folders(layout.PRODUCTS_FOLDER))
        read = {one: read_changes(self._store, one, self._tags.get(one, {})) for one in products}
        return {product: changes for product, changes in read.items() if changes.tags}

    async def _run(self, work: Callable[..., Result], *arguments: object) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    def _follow(
        self, product: str, buckets: Mapping[str, Mapping[str, Entry]], *, keep: bool
    ) -> None:
        """Hand over what differs from what was known of some buckets."""
        known = self._buckets.setdefault(product, {})
        changed: dict[str, Entry] = {}
        gone: list[str] = []
        for bucket, entries in buckets.items():
            before = known.get(bucket, {})
            gone += before.keys() - entries.keys()
            changed |= {name: one for name, one in entries.items() if before.get(name) != one}
            known[bucket] = entries
        self._pool.follow(product, changed, gone)
        self._tell_age()
        if keep:
            gone += [name for name, entry in changed.items() if entry.retired]
            self._thread.submit(self._keep, product, buckets, gone, changed)

    def _keep(
        self,
        product: str,
        buckets: Mapping[str, Mapping[str, Entry]],
        gone: Iterable[str],
        changed: Mapping[str, Entry],
    ) -> None:
        """Write the index to disk, and remove who is gone, and rows that were erased."""
        for bucket, entries in buckets.items():
            self._disk.write_index(product, bucket, entries)
        for tenant in gone:
            self._disk.keep_only(product, tenant, ())
        for tenant, entry in changed.items():
            if not entry.online:  # an erasure took the past, and models that learnt from it
                tried = {entry.trial.version} if entry.trial else set()
                self._disk.forget_rows(product, tenant, {entry.version, *tried})

    def _tell_missing(self) -> None:
        """Say once of which products that are to be served there is nothing."""
        missing, self._told = self.missing - self._told, self.missing
        for product in sorted(missing):
            LOG.warning(
                "%s: nothing is published of this product, so the server is not ready; is --product"
                " spelt right? It is served as soon as a run publishes it",
                product,
            )

    def _sweep_sometimes(self, products: Iterable[str]) -> None:
        self._until_sweep -= 1
        if self._until_sweep < 0:
            self._until_sweep = _SWEEP_EVERY
            for product in products:
                named = {name for entries in self._buckets[product].values() for name in entries}
                self._thread.submit(self._sweep, product, named)

    def _sweep(self, product: str, tenants: Collection[str]) -> None:
        """Remove from disk tenants that are gone, and pooled models that the store has no more."""
        self._disk.keep_tenants(product, tenants)
        with suppress(StoreError):
            for key in self._disk.pooled_keys(product):
                if self._store.find(key) is None:
                    self._disk.remove(key)

    def _tell_age(self) -> None:
        tenants = self._pool.tenants.values()
        moments = [tenant.entry.as_of.timestamp() for tenant in tenants]
        self._figures.tenants = len(moments)
        self._figures.newest = max(moments, default=0.0)
        self._figures.oldest = min(moments, default=0.0)
