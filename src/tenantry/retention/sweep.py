"""Collecting: find what may go, then remove it tenant by tenant, beside whatever runs.

A tenant that a run is working on is left alone. What was written lately is, too, whatever it is: it
may belong to something whose record is still to come. Right before a tenant's sweep everything is
read again, and only what may still go does. What goes is put on record first.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tenantry import layout
from tenantry.champions import Champion, read_champion
from tenantry.erasure.tombstones import is_erased
from tenantry.errors import Fault, SpecError
from tenantry.holdings import Holdings
from tenantry.openings import busy_tenants
from tenantry.retention.collected import Collection, write_collection
from tenantry.retention.keeping import Keeping
from tenantry.retention.product import find_pooled_waste, find_run_waste, find_specs_waste
from tenantry.retention.tenant import find_waste
from tenantry.retention.waste import Waste
from tenantry.specs.bundle import withdraw
from tenantry.specs.faults import suggest
from tenantry.specs.load import Fleet
from tenantry.store.contract import ObjectStore

POOLED, RUNS, SPECS = "pooled models", "runs", "specs"
"""Names of the parts that are no tenant's; no tenant is called so."""


@dataclass(frozen=True)
class Request:
    """What is to be collected.

    Attributes:
        as_of: The logical time from which ages are counted.
        now: The clock's time.
        grace: What was written this lately stays.
        tenant: Only this one's; the whole product's when empty.
    """

    as_of: datetime
    now: datetime
    grace: timedelta = timedelta(days=1)
    tenant: str = ""


@dataclass(frozen=True)
class Part:
    """What may go of a tenant, of the pooled models, of the runs or of published specs.

    Attributes:
        name: The tenant, or `POOLED`, `RUNS` or `SPECS`.
        waste: What may go, in the order in which it does.
        left: Why nothing may; empty when something may, or there is nothing.
        is_fault: Whether that is a fault that somebody must mend.
    """

    name: str
    waste: tuple[Waste, ...] = ()
    left: str = ""
    is_fault: bool = False

    @property
    def size(self) -> int:
        """Bytes of it."""
        return sum(one.size for one in self.waste)


@dataclass
class Collector:
    """Finds and removes what a product's retention lets go.

    Attributes:
        store: The store.
        fleet: The product's specs.
        request: What is to be collected.
    """

    store: ObjectStore
    fleet: Fleet
    request: Request
    _pooled_kept: set[str] = field(default_factory=set)
    _pooled_left: str = ""
    _champions: dict[str, Champion | None] = field(default_factory=dict)

    def find(self) -> Iterator[Part]:
        """Yield what may go, tenant by tenant, then of what is no tenant's; removes nothing.

        Raises:
            SpecError: Neither specs nor store know the tenant.
            StoreError: The store failed.
        """
        for tenant in self._tenants():
            yield self.find_of(tenant)
        if not self.request.tenant:
            yield self.find_pooled()
            yield self.find_runs()
            yield self.find_specs()

    def find_of(self, tenant: str) -> Part:
        """Find what may go of a tenant; notes which pooled models its kept models stand on."""
        store, product = self.store, self.fleet.product
        if is_erased(store, product, tenant):
            return Part(tenant, left="it was erased")
        opened = busy_tenants(self.store, self.fleet.product).get(tenant)
        held = Holdings(store, product, tenant)
        spec = self.fleet.specs.get(tenant)
        if spec is None:
            parts = (card.pooled for card in held.cards.values())
            self._pooled_kept |= {f"{part.zone}/{part.version}" for part in parts if part}
            self._note_unreadable(held)
            return Part(tenant, left="no spec declares it")
        waste, left = find_waste(held, spec, self.request.as_of)
        self._pooled_kept |= Keeping(held, spec, self.request.as_of).pooled
        self._note_unreadable(held)
        self._champions[tenant] = held.champion
        if opened:
            return Part(tenant, left=f"{opened} is working on it")
        return Part(tenant, self._old(waste), left, is_fault=bool(left))

    def find_pooled(self) -> Part:
        """Find what may go of the pooled models, after all tenants were looked at."""
        opened = sorted(set(busy_tenants(self.store, self.fleet.product).values()))
        if self._pooled_left:
            return Part(POOLED, left=self._pooled_left, is_fault=True)
        if opened:
            return Part(POOLED, left=f"{opened[0]} is at work")
        kept = frozenset(self._pooled_kept)
        rules, as_of = self.fleet.retention, self.request.as_of
        try:
            found = tuple(find_pooled_waste(self.store, self.fleet.product, rules, as_of, kept))
        except ValueError as error:
            return Part(POOLED, left=str(error), is_fault=True)
        return Part(POOLED, self._old(found))

    def find_runs(self) -> Part:
        """Find what may go of old runs; none that is at work."""
        opened = set(busy_tenants(self.store, self.fleet.product).values())
        try:
            runs = find_run_waste(
                self.store, self.fleet.product, self.fleet.retention, self.request.as_of
            )
        except ValueError as error:
            return Part(RUNS, left=str(error), is_fault=True)
        old = (waste for run, waste in runs.items() if run not in opened)
        whole = (waste for waste in old if len(self._old(waste)) == len(waste))
        return Part(RUNS, tuple(one for waste in whole for one in waste))

    def find_specs(self) -> Part:
        """Find what may go of published specs; what a plan may be reading is young."""
        found = find_specs_waste(self.store, self.fleet.retention, self.request.as_of)
        return Part(SPECS, self._old(found))

    def sweep(self, shown: Iterable[Part]) -> Iterator[Part]:
        """Remove what was shown and may still go; yield what went.

        Everything is looked at again: a tenant right before its own sweep, pooled models after all
        tenants were, those that came since included.

        Args:
            shown: What `find` yielded.
        """
        again = Collector(self.store, self.fleet, self.request)
        parts = {part.name: part for part in shown}
        for tenant in self._tenants():
            yield again._sweep(again.find_of(tenant), parts)
        if not self.request.tenant:
            yield again._sweep(again.find_pooled(), parts)
            yield again._sweep(again.find_runs(), parts)
            yield again._sweep(again.find_specs(), parts)

    def _sweep(self, part: Part, shown: Mapping[str, Part]) -> Part:
        wanted = {one.key for one in shown.get(part.name, Part(part.name)).waste}
        going = tuple(one for one in part.waste if one.key in wanted)
        is_tenant = part.name not in (POOLED, RUNS, SPECS)
        if going and is_tenant and (moved := self._disturbance(part.name)):
            return Part(part.name, left=moved)
        if going:
            self._record(part.name if is_tenant else "", going)
        for one in going:
            if one.kind == "specs":
                withdraw(self.store, one.key)
            else:
                self.store.purge(one.key)
        fault = self._damage(part.name, going) if going and is_tenant else ""
        return replace(
            part, waste=going, left=fault or part.left, is_fault=part.is_fault or bool(fault)
        )

    def _disturbance(self, tenant: str) -> str:
        """Return who came between the looking and the sweeping; empty when nobody did."""
        if run := busy_tenants(self.store, self.fleet.product).get(tenant):
            return f"{run} is working on it"
        champion = read_champion(self.store, self.fleet.product, tenant)
        return "" if champion == self._champions.get(tenant) else "its champion was moved meanwhile"

    def _damage(self, tenant: str, gone: Iterable[Waste]) -> str:
        """Return what broke when a champion was moved in the very moment of the sweep."""
        champion = read_champion(self.store, self.fleet.product, tenant)
        folder = champion and layout.model_folder(
            self.fleet.product, tenant, champion.current.version
        )
        if folder and any(one.key.startswith(folder) for one in gone):
            return f"{folder} was restored while it was collected; roll back to another"
        return ""

    def _tenants(self) -> tuple[str, ...]:
        stored = tuple(self.store.list_folders(layout.product_folder(self.fleet.product)))
        wanted = self.request.tenant
        if not wanted:
            return stored
        if wanted not in stored:
            known = sorted({*stored, *self.fleet.specs})
            fault = "the store holds nothing of such a tenant"
            raise SpecError([Fault(wanted, fault, suggest(wanted, known))])
        return (wanted,)

    def _old(self, waste: Iterable[Waste]) -> tuple[Waste, ...]:
        young = self.request.now - self.request.grace
        return tuple(one for one in waste if one.modified <= young)

    def _note_unreadable(self, held: Holdings) -> None:
        if held.unreadable:
            self._pooled_left = f"{min(held.unreadable)} cannot be read, which may name one"

    def _record(self, tenant: str, waste: tuple[Waste, ...]) -> None:
        named = {
            layout.run_folder(one.key.split("/")[1]) if one.kind == "run" else one.key
            for one in waste
            if one.kind != "features"
        }
        record = Collection(
            product=self.fleet.product,
            tenant=tenant,
            as_of=self.request.as_of,
            when=self.request.now,
            keys=tuple(sorted(named)),
            features=sum(one.kind == "features" for one in waste),
            size=sum(one.size for one in waste),
        )
        write_collection(self.store, record)
