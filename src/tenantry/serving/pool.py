"""The pool: the tenants a server knows, and the models that it has loaded, up to so many bytes.

All of it lives on the event loop's thread; only loading runs on others. A tenant whose entry
changes keeps answering by what is loaded until the new one is: no request waits for a swap, and
none sees half of one.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from tenantry.packed.model import PackedModel
from tenantry.serving.entries import Entry
from tenantry.serving.figures import Figures
from tenantry.serving.limits import Limits
from tenantry.serving.loading import Loaded
from tenantry.serving.refusals import LOAD_TIMEOUT, NO_MODEL, UNAVAILABLE
from tenantry.serving.tenants import Loads, Tenant

LOG = logging.getLogger(__name__)

_RETRY_SECONDS = 2.0
"""How long a tenant that could not be loaded is not tried again."""


@dataclass(frozen=True)
class Room:
    """What loading may take.

    Attributes:
        bytes: Of models in memory; the least recently used go first.
        threads: That load at a time.
    """

    bytes: int = 256 << 20
    threads: int = 4


class Pool:
    """The tenants by name, and what is loaded of them."""

    def __init__(self, loader: Loads, *, limits: Limits, room: Room, figures: Figures) -> None:
        self.tenants: dict[str, Tenant] = {}
        self._loader = loader
        self._limits = limits
        self._room = room
        self._figures = figures
        self._used: OrderedDict[str, Tenant] = OrderedDict()
        self._flights: dict[Tenant, asyncio.Task[Loaded | None]] = {}
        self._searches: dict[Tenant, asyncio.Task[None]] = {}
        self._threads = ThreadPoolExecutor(room.threads, thread_name_prefix="load")

    @property
    def bytes(self) -> int:
        """Bytes of what is loaded, about."""
        return self._figures.loaded_bytes

    def at_hand(self, tenant: Tenant) -> Loaded | None:
        """Return what is loaded of a tenant, as the one used last; None where nothing is."""
        loaded = tenant.loaded
        if loaded is not None:
            self._used.move_to_end(tenant.name)
        return loaded

    async def fetch(self, tenant: Tenant) -> Loaded:
        """Load a tenant that is not loaded; all who ask meanwhile wait for the one load.

        Raises:
            RefusedError: It cannot be loaded, or not in time; the log says why.
        """
        if time.monotonic() < tenant.failed + _RETRY_SECONDS:
            raise UNAVAILABLE()
        flight = self._fly(tenant)
        try:
            loaded = await asyncio.wait_for(asyncio.shield(flight), self._limits.timeout)
        except TimeoutError:
            raise LOAD_TIMEOUT() from None
        if loaded is None:
            raise UNAVAILABLE()
        return loaded

    async def find_older(self, tenant: Tenant, version: str) -> Tenant:
        """Return an older version of a tenant's model; the store is asked once which there are.

        Raises:
            RefusedError: There is no such version, or it cannot be known now.
        """
        if tenant.older is None:
            search = self._searches.get(tenant)
            if search is None:
                search = asyncio.create_task(self._search(tenant), name=f"find {tenant.name}")
                self._searches[tenant] = search
            try:
                await asyncio.wait_for(asyncio.shield(search), self._limits.timeout)
            except TimeoutError:
                raise LOAD_TIMEOUT() from None
        if tenant.older is None:
            raise UNAVAILABLE()
        if version not in tenant.older:
            raise NO_MODEL()
        return tenant.older[version]

    def follow(self, product: str, entries: Mapping[str, Entry], gone: Iterable[str]) -> None:
        """Take in what changed in the index.

        Args:
            product: The product.
            entries: Tenant → its entry, new or changed.
            gone: Tenants that are in the index no more.
        """
        for name in gone:
            self._forget(f"{product}.{name}")
        for name, entry in entries.items():
            self._follow_one(product, name, entry)

    def catch_up(self) -> None:
        """Load anew what is loaded of an older entry, where that failed before."""
        now = time.monotonic()
        for tenant in self._used.values():
            is_old = tenant.loaded is not None and tenant.loaded.entry is not tenant.entry
            if is_old and now >= tenant.failed + _RETRY_SECONDS:
                self._fly(tenant)

    async def explain(self, name: str, model: PackedModel) -> None:
        """Build what a tenant's reasons are looked up in, on a thread that loads; make room for it.

        Args:
            name: ``<product>.<tenant>``.
            model: Its model, a challenger or an older version.
        """
        await asyncio.get_running_loop().run_in_executor(self._threads, model.prepare_parts)
        tenant = self.tenants.get(name)
        if tenant is not None:
            for one in (tenant, *(tenant.older or {}).values()):
                self._count(one)
            self._make_room()

    async def settle(self) -> None:
        """Wait until nothing is being loaded."""
        while self._flights:
            await asyncio.gather(*self._flights.values(), return_exceptions=True)

    def close(self) -> None:
        """Load nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _follow_one(self, product: str, name: str, entry: Entry) -> None:
        full = f"{product}.{name}"
        known = self.tenants.get(full)
        if entry.retired:
            self._forget(full)
        elif known is None:
            self.tenants[full] = Tenant(product, name, entry, self._limits)
        elif known.entry != entry:
            self._forget_older(known)
            known.entry, known.failed = entry, -math.inf
            if known.loaded is not None:
                if entry.trial is None:  # at once: it may have learnt from rows that were erased
                    known.loaded = replace(known.loaded, challenger=None)
                self._fly(known)

    def _forget(self, name: str) -> None:
        tenant = self.tenants.pop(name, None)
        if tenant is not None:
            tenant.is_gone = True
            self._forget_older(tenant)
            self._put_away(tenant)

    def _forget_older(self, tenant: Tenant) -> None:
        """Forget which older versions there are: a pointer moved, or something was erased."""
        for older in (tenant.older or {}).values():
            older.is_gone = True
            self._put_away(older)
        tenant.older = None

    def _put_away(self, tenant: Tenant) -> None:
        if tenant.loaded is not None:
            tenant.loaded = None
            self._count(tenant)
            del self._used[tenant.name]
            self._figures.loaded = len(self._used)

    def _fly(self, tenant: Tenant) -> asyncio.Task[Loaded | None]:
        """Return the load that is under way, or start one."""
        flight = self._flights.get(tenant)
        if flight is None:
            flight = asyncio.create_task(self._bring(tenant), name=f"load {tenant.name}")
            self._flights[tenant] = flight
        return flight

    async def _bring(self, tenant: Tenant) -> Loaded | None:
        """Load until what is loaded is what the entry says; None where it cannot be had."""
        try:
            while not tenant.is_gone:
                entry = tenant.entry
                loaded = await self._loaded(tenant, entry)
                if loaded is None or tenant.is_gone:
                    return None
                self._take_in(tenant, loaded)
                if tenant.entry is entry:
                    return loaded
            return None
        finally:
            del self._flights[tenant]

    async def _search(self, tenant: Tenant) -> None:
        """Ask the store which older versions there are."""
        loop, entry = asyncio.get_running_loop(), tenant.entry
        place = tenant.product, tenant.tenant
        try:
            reigns = await loop.run_in_executor(self._threads, self._loader.find_older, *place)
        except Exception as error:
            self._figures.load_failures += 1
            LOG.error("%s: no older versions: %s: %s", tenant.name, type(error).__name__, error)
        else:
            if tenant.entry is entry and not tenant.is_gone:
                tenant.older = {version: tenant.at(reign) for version, reign in reigns.items()}
        finally:
            del self._searches[tenant]

    async def _loaded(self, tenant: Tenant, entry: Entry) -> Loaded | None:
        start = time.monotonic()
        loop = asyncio.get_running_loop()
        load: Callable[[str, str, Entry], Loaded] = self._loader.load
        if tenant.reign is not None:
            load = partial(self._loader.load_older, reign=tenant.reign)
        try:
            loaded = await loop.run_in_executor(
                self._threads, load, tenant.product, tenant.tenant, entry
            )
        except Exception as error:
            tenant.failed = time.monotonic()
            self._figures.load_failures += 1
            LOG.error(
                "%s %s: not loaded: %s: %s", tenant.name, entry.version, type(error).__name__, error
            )
            return None
        self._figures.load_seconds.observe(time.monotonic() - start)
        return loaded

    def _take_in(self, tenant: Tenant, loaded: Loaded) -> None:
        """Let a model answer from now on; make room for it."""
        before = tenant.loaded
        if before is not None:
            self._figures.swaps += before.entry.version != loaded.entry.version
            self._figures.refreshes += before.entry.version == loaded.entry.version
        tenant.loaded, tenant.failed = loaded, -math.inf
        self._count(tenant)
        self._used[tenant.name] = tenant
        self._used.move_to_end(tenant.name)
        self._make_room()

    def _count(self, tenant: Tenant) -> None:
        """Count what a tenant takes by now."""
        taken = tenant.loaded.bytes if tenant.loaded is not None else 0
        self._figures.loaded_bytes += taken - tenant.counted
        tenant.counted = taken

    def _make_room(self) -> None:
        """Put away who was asked least recently, until what is loaded fits."""
        while self._figures.loaded_bytes > self._room.bytes and len(self._used) > 1:
            self._put_away(next(iter(self._used.values())))
            self._figures.evictions += 1
        self._figures.loaded = len(self._used)
