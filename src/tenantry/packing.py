"""Which tenants a run serves, and how they are packed into shards."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

from tenantry.errors import Fault, PlanError
from tenantry.request import PlanRequest
from tenantry.specs.load import Fleet

_OVERHEAD = 0.05
"""CPU-seconds that a tenant costs its shard whatever is due; spreads tenants that cost nothing."""


def select_served(fleet: Fleet, request: PlanRequest) -> tuple[str, ...]:
    """Return the tenants of a run, sorted, of those whom the fleet serves.

    Raises:
        PlanError: As `select_tenants` and `select_size`.
    """
    homes = {name: spec.region for name, spec in fleet.elsewhere.items()}
    chosen = select_tenants(sorted(fleet.specs), request.tenants, request.partition, homes)
    everyone = {**fleet.elsewhere, **fleet.specs}
    sizes = {name: spec.resources.size for name, spec in everyone.items()}
    wanted = select_size(sizes, request.size)
    return tuple(name for name in chosen if name in wanted)


def select_tenants(
    tenants: Sequence[str],
    wanted: str,
    partition: str,
    elsewhere: Mapping[str, str] | None = None,
) -> tuple[str, ...]:
    """Return the tenants of a run, sorted.

    Args:
        tenants: The whole fleet, as far as it is at home in the run's region.
        wanted: Names with commas between; all when empty.
        partition: ``i/n``: part i (from 1) of n, by a stable hash of the name; all when empty.
        elsewhere: The other tenants, and where they are at home.

    Raises:
        PlanError: A name is not in the fleet, or the partition has another form.
    """
    names = {name.strip() for name in wanted.split(",") if name.strip()}
    unknown = sorted(names - set(tenants))
    faults = [_unknown(name, tenants, (elsewhere or {}).get(name, "")) for name in unknown]
    match = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", partition or "1/1")
    if match is None or int(match[1]) > int(match[2]):
        faults.append(Fault("partition", f"{partition!r} is not i/n, 1 ≤ i ≤ n", "write e.g. 1/4"))
    if match is None or faults:
        raise PlanError(faults)
    part, parts = int(match[1]) - 1, int(match[2])
    chosen = names or set(tenants)
    return tuple(sorted(name for name in chosen if _part_of(name, parts) == part))


def select_size(sizes: Mapping[str, str], size: str) -> frozenset[str]:
    """Return the tenants of a size class.

    Args:
        sizes: Tenant → its `resources.size`, of all regions.
        size: The class; all when empty.

    Raises:
        PlanError: No tenant is of that class.
    """
    chosen = frozenset(name for name, own in sizes.items() if size in ("", own))
    if size and not chosen:
        known = ", ".join(sorted({*sizes.values()})) or "none"
        fault = f"no tenant of this product has resources.size {size!r}"
        raise PlanError([Fault("size", fault, f"their sizes: {known}")])
    return chosen


def divide(tenants: Iterable[str], parts: int) -> tuple[tuple[str, ...], ...]:
    """Return the tenants of each of so many partitions, as `select_tenants` does one by one."""
    divided: list[list[str]] = [[] for _ in range(parts)]
    for tenant in tenants:
        divided[_part_of(tenant, parts)].append(tenant)
    return tuple(tuple(sorted(names)) for names in divided)


def _part_of(tenant: str, parts: int) -> int:
    return int.from_bytes(sha256(tenant.encode()).digest()[:8]) % parts


def _unknown(name: str, tenants: Sequence[str], home: str) -> Fault:
    if home:
        fault = f"{name!r} is at home in {home}, which this run does not serve"
        return Fault("tenants", fault, f"run it with region {home}")
    near = difflib.get_close_matches(name, tenants, 1)
    remedy = f"did you mean {near[0]}?" if near else "see tenant_specs/ for their names"
    return Fault("tenants", f"{name!r} is not a tenant of this product", remedy)


@dataclass(frozen=True)
class Parcel:
    """One tenant to pack.

    Attributes:
        tenant: Who.
        region: Where its results live; a shard serves one region.
        cost: CPU-seconds expected; what a budget counts.
        weight: CPU-seconds expected by its rows alone, by which shards are packed: unlike what was
            measured, it is the same in equal runs. The cost when None.
        alone: Whether it needs a shard of its own.
        suspect: Whether it may have taken a worker or shard down: apart from others, see `pack`.
        promised: By when the oldest of its work was to be done.
    """

    tenant: str
    region: str
    cost: float = 0.0
    weight: float | None = None
    alone: bool = False
    suspect: bool = False
    promised: datetime | None = None


@dataclass(frozen=True)
class Choice:
    """Which tenants a run takes on.

    Attributes:
        chosen: Those it does, by name.
        postponed: Tenant → why it stays due for the next run.
    """

    chosen: tuple[Parcel, ...]
    postponed: dict[str, str]


def choose(parcels: Iterable[Parcel], max_shards: int, cpu_budget: float = 0.0) -> Choice:
    """Choose the tenants that fit into a run; whose promise ends first goes first.

    The first one is chosen whatever it costs, so that none waits for ever. One that does not fit
    is passed over for those after it that do; in the next run it stands further ahead.

    Args:
        parcels: All that are due, in any order.
        max_shards: Iterations at most.
        cpu_budget: CPU-seconds at most; 0 means all that it takes.
    """
    chosen: list[Parcel] = []
    postponed: dict[str, str] = {}
    room, spent = _Room(max_shards), 0.0
    for parcel in sorted(parcels, key=_urgency):
        if cpu_budget and chosen and spent + parcel.cost > cpu_budget:
            postponed[parcel.tenant] = "stays due: those promised earlier use up cpu_budget"
        elif not room.takes(parcel):
            postponed[parcel.tenant] = f"stays due: no shard is left for it ({max_shards} at most)"
        else:
            chosen.append(parcel)
            spent += parcel.cost
    return Choice(tuple(sorted(chosen, key=_name)), postponed)


def _urgency(parcel: Parcel) -> tuple[bool, datetime, str]:
    promised = parcel.promised
    return promised is None, promised or datetime.max.replace(tzinfo=UTC), parcel.tenant


@dataclass
class _Room:
    """Counts the shards that the chosen need: one each while they fit, else shared by region."""

    max_shards: int
    tenants: int = 0
    alone: int = 0
    regions: set[str] = field(default_factory=set)

    def takes(self, parcel: Parcel) -> bool:
        """Take a tenant in if there is a shard for it; say whether there was."""
        alone = self.alone + parcel.alone
        regions = self.regions if parcel.alone else self.regions | {parcel.region}
        if self.tenants + 1 > self.max_shards and alone + len(regions) > self.max_shards:
            return False
        self.tenants, self.alone, self.regions = self.tenants + 1, alone, regions
        return True


def pack(parcels: Sequence[Parcel], max_shards: int) -> dict[str, tuple[str, ...]]:
    """Pack tenants into at most `max_shards` shards.

    A tenant each while they fit, named after it. Past that those that must be alone are, then the
    suspects while they take up no more than half of what is left; the others share the rest, region
    by region, the largest first to the emptiest shard (longest processing time first): one that
    weighs more than the fair share of its region's shards shares its own with nobody. A tenant is
    never split: its models, pointers and ledger are one worker's. Shared shards are named
    ``<region>_<number>``; more suspects than that share shards, too, ``<region>_suspect_<number>``
    where there is one for each region: the next that dies names fewer.

    Returns:
        Tenants by shard, sorted; the dearest shard first, so that it is started first.

    Raises:
        PlanError: There are not enough shards.
    """
    if len(parcels) <= max_shards:
        return _dearest_first({parcel.tenant: (parcel.tenant,) for parcel in parcels}, parcels)
    alone = [parcel for parcel in parcels if parcel.alone]
    shared = sorted((parcel for parcel in parcels if not parcel.alone), key=_name)
    room = max_shards - len(alone) - len({parcel.region for parcel in shared})
    _check_room(len(alone), room, max_shards)
    suspects = [parcel for parcel in shared if parcel.suspect]
    if len(suspects) <= (room + 1) // 2:
        alone += suspects
        shared, suspects = [parcel for parcel in shared if not parcel.suspect], []
    shards: dict[str, tuple[str, ...]] = {parcel.tenant: (parcel.tenant,) for parcel in alone}
    groups = _group(shared, apart=len({parcel.region for parcel in suspects}) <= room)
    for group, count in _share_out(groups, max_shards - len(alone)).items():
        for number, tenants in enumerate(_spread(groups[group], count), start=1):
            shards[f"{group}_{number:02d}"] = tenants
    return _dearest_first(shards, parcels)


def _group(parcels: Iterable[Parcel], *, apart: bool) -> dict[str, list[Parcel]]:
    """Group parcels by what may share a shard: a region, and where suspects are apart they."""
    groups: dict[str, list[Parcel]] = {}
    for parcel in parcels:
        group = f"{parcel.region}_suspect" if parcel.suspect and apart else parcel.region
        groups.setdefault(group, []).append(parcel)
    return groups


def _dearest_first(
    shards: Mapping[str, tuple[str, ...]], parcels: Iterable[Parcel]
) -> dict[str, tuple[str, ...]]:
    weights = {parcel.tenant: _weight(parcel) for parcel in parcels}
    loads = {shard: sum(weights[name] for name in names) for shard, names in shards.items()}
    return {shard: shards[shard] for shard in sorted(shards, key=lambda one: (-loads[one], one))}


def _name(parcel: Parcel) -> str:
    return parcel.tenant


def _check_room(alone: int, room: int, max_shards: int) -> None:
    if room < 0:
        regions = max_shards - alone - room
        fault = f"{alone} tenants need a shard of their own and {regions} regions one at least"
        remedy = f"raise max_shards (now {max_shards}), or split the run with partition"
        raise PlanError([Fault("max_shards", fault, remedy)])


def _share_out(regions: Mapping[str, Sequence[Parcel]], shards: int) -> dict[str, int]:
    """Give each region shards by its cost, one at least and no more than it has tenants."""
    counts = dict.fromkeys(regions, 1)
    loads = {region: sum(map(_weight, parcels)) for region, parcels in regions.items()}
    for _ in range(shards - len(regions)):
        open_regions = [region for region in regions if counts[region] < len(regions[region])]
        if not open_regions:
            break
        fullest = max(open_regions, key=lambda region: (loads[region] / counts[region], region))
        counts[fullest] += 1
    return counts


def _weight(parcel: Parcel) -> float:
    return (parcel.cost if parcel.weight is None else parcel.weight) + _OVERHEAD


def _spread(parcels: Sequence[Parcel], count: int) -> list[tuple[str, ...]]:
    by_weight = sorted(parcels, key=lambda parcel: (-_weight(parcel), parcel.tenant))
    loads = [0.0] * count
    bins: list[list[str]] = [[] for _ in range(count)]
    for parcel in by_weight:
        emptiest = loads.index(min(loads))
        loads[emptiest] += _weight(parcel)
        bins[emptiest].append(parcel.tenant)
    return [tuple(sorted(names)) for names in bins]
