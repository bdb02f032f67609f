import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.errors import PlanError
from tenantry.packing import Parcel, pack, select_tenants

NAMES = st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True)
PARCELS = st.lists(
    st.builds(
        Parcel,
        tenant=NAMES,
        region=st.sampled_from(["east", "west"]),
        rows=st.none() | st.integers(0, 100_000),
        alone=st.booleans(),
        suspect=st.booleans(),
    ),
    unique_by=lambda parcel: parcel.tenant,
    max_size=40,
)


def parcels(count, **fields):
    return [Parcel(f"t{n:02d}", "east", **fields) for n in range(count)]


def test_while_they_fit_each_tenant_has_a_shard_of_its_name():
    assert pack(parcels(3), 3) == {"t00": ("t00",), "t01": ("t01",), "t02": ("t02",)}


def test_past_that_the_largest_go_first_to_the_emptiest_shard():
    rows = {"a": 100, "b": 60, "c": 50, "d": 10}
    packed = pack([Parcel(name, "east", n) for name, n in rows.items()], 2)
    assert packed == {"east_01": ("a", "d"), "east_02": ("b", "c")}


def test_a_tenant_that_must_be_alone_is():
    packed = pack([Parcel("big", "east", alone=True), *parcels(5)], 3)
    assert packed["big"] == ("big",)
    assert sorted(name for name in packed if name != "big") == ["east_01", "east_02"]


def test_suspects_are_alone_while_there_is_room():
    some = [*parcels(5), Parcel("x", "east", suspect=True), Parcel("y", "east", suspect=True)]
    packed = pack(some, 3)
    assert packed["x"] == ("x",)
    assert packed["y"] == ("y",)
    assert "x" in pack(some, 2)
    assert pack(some, 2)["east_01"] == ("t00", "t01", "t02", "t03", "t04", "y")
    assert list(pack(some, 1)) == ["east_01"]


def test_no_shard_mixes_regions():
    mixed = [Parcel(f"e{n}", "east") for n in range(6)] + [Parcel("w0", "west")]
    packed = pack(mixed, 3)
    assert packed["west_01"] == ("w0",)
    assert len(packed) == 3


def test_too_few_shards_are_a_fault_with_a_remedy():
    with pytest.raises(PlanError, match=r"raise max_shards \(now 2\), or split the run with part"):
        pack([*parcels(2, alone=True), Parcel("x", "east")], 2)


@given(PARCELS, st.integers(4, 12), st.randoms())
def test_every_tenant_is_in_one_shard_whatever_the_order(some, max_shards, random):
    try:
        packed = pack(some, max_shards)
    except PlanError:
        assert sum(parcel.alone for parcel in some) + 1 > max_shards - 1
        return
    assert sorted(name for names in packed.values() for name in names) == sorted(
        parcel.tenant for parcel in some
    )
    assert len(packed) <= max_shards
    shuffled = random.sample(some, len(some))
    assert pack(shuffled, max_shards) == packed
    region = {parcel.tenant: parcel.region for parcel in some}
    assert all(len({region[name] for name in names}) == 1 for names in packed.values())


FLEET = [f"t{n}" for n in range(50)]


def test_without_a_wish_all_tenants_are_chosen():
    assert select_tenants(FLEET, "", "") == tuple(sorted(FLEET))


def test_a_filter_names_tenants():
    assert select_tenants(FLEET, "t3, t1,", "") == ("t1", "t3")


@given(st.integers(1, 7))
def test_partitions_cover_the_fleet_once(parts):
    chosen = [select_tenants(FLEET, "", f"{part}/{parts}") for part in range(1, parts + 1)]
    assert sorted(name for names in chosen for name in names) == sorted(FLEET)


def test_all_faults_of_a_request_come_at_once():
    with pytest.raises(PlanError) as caught:
        select_tenants(["ua", "dl"], "uua,zz", "3/2")
    assert str(caught.value).splitlines() == [
        "partition: '3/2' is not i/n, 1 ≤ i ≤ n; write e.g. 1/4",
        "tenants: 'uua' is not a tenant of this product; did you mean ua?",
        "tenants: 'zz' is not a tenant of this product; see tenant_specs/ for their names",
    ]
