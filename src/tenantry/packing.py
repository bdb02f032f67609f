"""Which tenants a run serves, and how they are packed into shards."""

import difflib
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from tenantry.errors import Fault, PlanError


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
        rows: Rows expected, the measure of its cost; None when unknown.
        alone: Whether it needs a shard of its own.
        suspect: Whether it took a worker or shard down: alone while there is room for that.
    """

    tenant: str
    region: str
    rows: int | None = None
    alone: bool = False
    suspect: bool = False


def pack(parcels: Sequence[Parcel], max_shards: int) -> dict[str, tuple[str, ...]]:
    """Pack tenants into at most `max_shards` shards.

    A tenant each while they fit, named after it. Past that those that must be alone are, then the
    suspects while there is room; the others share what is left, region by region, the largest
    first to the emptiest shard (longest processing time first). Shared shards are named
    ``<region>_<number>``.

    Returns:
        Tenants by shard, both sorted.

    Raises:
        PlanError: There are not enough shards.
    """
    if len(parcels) <= max_shards:
        return {parcel.tenant: (parcel.tenant,) for parcel in sorted(parcels, key=_name)}
    alone = [parcel for parcel in parcels if parcel.alone]
    shared = sorted((parcel for parcel in parcels if not parcel.alone), key=_name)
    room = max_shards - len(alone) - len({parcel.region for parcel in shared})
    _check_room(len(alone), room, max_shards)
    suspects = [parcel for parcel in shared if parcel.suspect][:room]
    alone += suspects
    regions: dict[str, list[Parcel]] = {}
    for parcel in shared:
        if parcel not in suspects:
            regions.setdefault(parcel.region, []).append(parcel)
    shards: dict[str, tuple[str, ...]] = {parcel.tenant: (parcel.tenant,) for parcel in alone}
    for region, count in _share_out(regions, max_shards - len(alone)).items():
        for number, tenants in enumerate(_spread(regions[region], count), start=1):
            shards[f"{region}_{number:02d}"] = tenants
    return dict(sorted(shards.items()))


def _name(parcel: Parcel) -> str:
    return parcel.tenant


def _check_room(alone: int, room: int, max_shards: int) -> None:
    if room < 0:
        regions = max_shards - alone - room
        fault = f"{alone} tenants need a shard of their own and {regions} regions one at least"
        remedy = f"raise max_shards (now {max_shards}), or split the run with partition"
        raise PlanError([Fault("max_shards", fault, remedy)])


def _share_out(regions: Mapping[str, Sequence[Parcel]], shards: int) -> dict[str, int]:
    """Give each region shards by its rows, one at least and no more than it has tenants."""
    counts = dict.fromkeys(regions, 1)
    loads = {region: sum(_weights(parcels)) for region, parcels in regions.items()}
    for _ in range(shards - len(regions)):
        open_regions = [region for region in regions if counts[region] < len(regions[region])]
        if not open_regions:
            break
        fullest = max(open_regions, key=lambda region: (loads[region] / counts[region], region))
        counts[fullest] += 1
    return counts


def _weights(parcels: Sequence[Parcel]) -> list[float]:
    """Return each parcel's cost: its rows, the median of the known where they are unknown."""
    known = [parcel.rows for parcel in parcels if parcel.rows is not None]
    usual = statistics.median(known) if known else 1
    return [1.0 + (usual if parcel.rows is None else parcel.rows) for parcel in parcels]


def _spread(parcels: Sequence[Parcel], count: int) -> list[tuple[str, ...]]:
    by_weight = sorted(
        zip(_weights(parcels), parcels, strict=True), key=lambda pair: (-pair[0], pair[1].tenant)
    )
    loads = [0.0] * count
    bins: list[list[str]] = [[] for _ in range(count)]
    for weight, parcel in by_weight:
        emptiest = loads.index(min(loads))
        loads[emptiest] += weight
        bins[emptiest].append(parcel.tenant)
    return [tuple(sorted(names)) for names in bins]
