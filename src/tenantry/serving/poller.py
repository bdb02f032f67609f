"""The poller: follows the change index, and keeps what it says on disk."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tenantry import layout
from tenantry.errors import StoreError, StoreUnavailableError
from tenantry.serving.figures import Figures
from tenantry.serving.index import Changes, Entry, read_changes
from tenantry.serving.pool import Pool
from tenantry.serving.shelf import Shelf

Result = TypeVar("Result")

LOG = logging.getLogger(__name__)

_SWEEP_EVERY = 1000
"""Readings between two sweeps of pooled models that are used no more."""
_UNUSED_SECONDS = 86_400.0


class Poller:
    """Reads the index again and again; a store that does not answer changes nothing."""

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
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="poll")
        self.knows = False

    async def start(self) -> None:
        """Read the index for the first time; the one on disk where the store does not answer."""
        if await self.poll():
            return
        kept = await self._run(self._disk.read_index)
        for product, buckets in kept.items():
            if not self._products or product in self._products:
                self._follow(product, buckets, keep=False)
                self.knows = True
        if self.knows:
            LOG.warning("the store does not answer; serving what is on this machine's disk")

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
        self._shelf.wake()
        for product, changes in found.items():
            self._tags[product] = changes.tags
            if changes.buckets:
                self._follow(product, changes.buckets, keep=True)
        self._pool.catch_up()
        self._figures.fresh = time.time()
        self.knows = True
        if self._figures.polls % _SWEEP_EVERY == 0:
            for product in found:
                await self._run(self._disk.sweep_pooled, product, _UNUSED_SECONDS)
        return True

    def close(self) -> None:
        """Read nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _read(self) -> dict[str, Changes]:
        products = self._products or tuple(self._store.list_folders(layout.PRODUCTS_FOLDER))
        gone = [product for product in self._tags if product not in products]
        return {
            product: read_changes(self._store, product, self._tags.get(product, {}))
            for product in (*products, *gone)
        }

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
            self._thread.submit(self._keep, product, buckets, gone)

    def _keep(
        self, product: str, buckets: Mapping[str, Mapping[str, Entry]], gone: Iterable[str]
    ) -> None:
        """Write the index to disk, and remove who is gone."""
        for bucket, entries in buckets.items():
            self._disk.write_index(product, bucket, entries)
        for tenant in gone:
            self._disk.keep_only(product, tenant, ())

    def _tell_age(self) -> None:
        tenants = self._pool.tenants.values()
        moments = [tenant.entry.as_of.timestamp() for tenant in tenants]
        self._figures.tenants = len(moments)
        self._figures.newest = max(moments, default=0.0)
        self._figures.oldest = min(moments, default=0.0)
