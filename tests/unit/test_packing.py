from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.errors import PlanError
from tenantry.packing import Parcel, choose, divide, pack, select_size, select_tenants

OVERHEAD = 0.05
START, DAY = datetime(2013, 10, 1, tzinfo=UTC), timedelta(days=1)
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True)
PARCELS = st.lists(
    st.builds(
        Parcel,
        tenant=NAMES,
        region=st.sampled_from(["east", "west"]),
        cost=st.floats(0, 1000),
        promised=st.none() | st.datetimes(timezones=st.just(UTC)),
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


def test_past_that_the_dearest_go_first_to_the_emptiest_shard():
    costs = {"a": 100, "b": 60, "c": 50, "d": 10}
    packed = pack([Parcel(name, "east", n) for name, n in costs.items()], 2)
    assert packed == {"east_01": ("a", "d"), "east_02": ("b", "c")}


def test_the_dearest_shard_is_started_first():
    assert list(pack([Parcel("a", "east", 1), Parcel("b", "east", 9)], 3)) == ["b", "a"]
    some = [Parcel("b", "east", 50), Parcel("c", "east", 90), Parcel("a", "east", 1)]
    assert pack(some, 2) == {"east_01": ("c",), "east_02": ("a", "b")}
    assert list(pack(some, 2)) == ["east_01", "east_02"]


@given(PARCELS, st.integers(1, 12))
def test_who_weighs_more_than_a_fair_share_has_a_shard_alone_and_started_before_lighter(some, most):
    shared = [replace(parcel, region="east", alone=False, suspect=False) for parcel in some]
    weights = {parcel.tenant: parcel.cost + OVERHEAD for parcel in shared}
    packed = pack(shared, most)
    loads = [sum(weights[name] for name in names) for names in packed.values()]
    assert loads == sorted(loads, reverse=True)
    for names in packed.values():
        heaviest = max(weights[name] for name in names)
        assert len(names) == 1 or heaviest <= sum(weights.values()) / len(packed) * (1 + 1e-9)


def test_a_tenant_that_must_be_alone_is():
    packed = pack([Parcel("big", "east", alone=True), *parcels(5)], 3)
    assert packed["big"] == ("big",)
    assert sorted(name for name in packed if name != "big") == ["east_01", "east_02"]


def test_suspects_are_alone_while_they_take_half_of_the_room():
    some = [*parcels(5), Parcel("x", "east", suspect=True), Parcel("y", "east", suspect=True)]
    packed = pack(some, 4)
    assert packed["x"] == ("x",)
    assert packed["y"] == ("y",)
    assert pack(some, 2) == {
        "east_01": ("t00", "t01", "t02", "t03", "t04"),
        "east_suspect_01": ("x", "y"),
    }
    assert list(pack(some, 1)) == ["east_01"]


@given(PARCELS, st.integers(4, 12))
def test_who_is_above_suspicion_shares_with_no_suspect_where_there_is_room(some, most):
    some = [replace(parcel, alone=False) for parcel in some]
    suspects = {parcel.tenant for parcel in some if parcel.suspect}
    assert all(
        suspects.issuperset(names) or suspects.isdisjoint(names)
        for names in pack(some, most).values()
    )


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


def in_line(*costs, **fields):
    """Tenants whose promises end one after the other."""
    return [
        Parcel(f"t{n:02d}", "east", cost, promised=START + n * DAY, **fields)
        for n, cost in enumerate(costs)
    ]


def chosen(choice):
    return [parcel.tenant for parcel in choice.chosen]


def test_without_a_budget_all_that_fit_are_chosen():
    assert chosen(choose(in_line(5, 5, 5), 1)) == ["t00", "t01", "t02"]


def test_a_budget_is_spent_on_those_whose_promise_ends_first():
    choice = choose(reversed(in_line(5, 5, 5)), 32, 11)
    assert chosen(choice) == ["t00", "t01"]
    why = "stays due: those promised earlier use up cpu_budget"
    assert choice.postponed == {"t02": why}


def test_one_that_does_not_fit_is_passed_over_but_the_first_never_is():
    assert chosen(choose(in_line(5, 50, 5), 32, 11)) == ["t00", "t02"]
    assert chosen(choose(in_line(50, 5), 32, 11)) == ["t00"]


def test_shards_go_to_those_whose_promise_ends_first():
    some = [*in_line(1, 1, alone=True), Parcel("x", "east", promised=START - DAY)]
    choice = choose(some, 2)
    assert chosen(choice) == ["t00", "x"]
    assert choice.postponed == {"t01": "stays due: no shard is left for it (2 at most)"}
    shared = choose([*in_line(1, alone=True), *parcels(5)], 1)
    assert chosen(shared) == ["t00"]


@given(PARCELS, st.integers(1, 6), st.floats(0, 2000), st.randoms())
def test_whatever_is_chosen_can_be_packed_and_the_order_changes_nothing(
    some, max_shards, budget, random
):
    choice = choose(some, max_shards, budget)
    assert {one.tenant for one in some} == {*chosen(choice), *choice.postponed}
    assert choose(random.sample(some, len(some)), max_shards, budget) == choice
    assert len(pack(choice.chosen, max_shards)) <= max_shards
    if some:
        assert chosen(choice)
    if budget and len(choice.chosen) > 1:
        assert sum(one.cost for one in choice.chosen) <= budget + 1e-6


@given(PARCELS, st.integers(1, 4), st.floats(1, 500))
def test_nobody_waits_for_ever(some, max_shards, budget):
    left, runs = list(some), 0
    while left:
        choice = choose(left, max_shards, budget)
        left = [one for one in left if one.tenant in choice.postponed]
        runs += 1
    assert runs <= len(some)


FLEET = [f"t{n}" for n in range(50)]


def test_without_a_wish_all_tenants_are_chosen():
    assert select_tenants(FLEET, "", "") == tuple(sorted(FLEET))


def test_a_filter_names_tenants():
    assert select_tenants(FLEET, "t3, t1,", "") == ("t1", "t3")


@given(st.integers(1, 7))
def test_partitions_cover_the_fleet_once(parts):
    chosen = [select_tenants(FLEET, "", f"{part}/{parts}") for part in range(1, parts + 1)]
    assert sorted(name for names in chosen for name in names) == sorted(FLEET)


def test_dividing_at_once_gives_what_each_partition_selects():
    tenants = [f"t{number}" for number in range(50)]
    each = tuple(select_tenants(tenants, "", f"{part}/3") for part in (1, 2, 3))
    assert divide(tenants, 3) == each


def test_all_faults_of_a_request_come_at_once():
    with pytest.raises(PlanError) as caught:
        select_tenants(["ua", "dl"], "uua,zz", "3/2")
    assert str(caught.value).splitlines() == [
        "partition: '3/2' is not i/n, 1 ≤ i ≤ n; write e.g. 1/4",
        "tenants: 'uua' is not a tenant of this product; did you mean ua?",
        "tenants: 'zz' is not a tenant of this product; see tenant_specs/ for their names",
    ]


SIZES = {"a": "standard", "b": "large", "c": "large"}


def test_a_size_chooses_its_tenants_and_none_chooses_all():
    assert select_size(SIZES, "large") == {"b", "c"}
    assert select_size(SIZES, "") == {"a", "b", "c"}


def test_a_size_of_nobody_is_a_fault_that_names_the_sizes():
    with pytest.raises(PlanError, match="size: no tenant .*'huge'; their sizes: large, standard"):
        select_size(SIZES, "huge")
