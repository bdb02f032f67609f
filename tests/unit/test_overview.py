from datetime import timedelta

from tenantry.ledger import Due
from tenantry.overview import make_lines, say_cost, say_counts, say_straggler
from tenantry.plans import Planned, RunPlan
from tenantry.times import parse_moment

AS_OF = parse_moment("2013-10-01")


def make_plan(tenants, **fields):
    shards = tuple(sorted({one.shard for one in tenants.values() if one.shard}))
    return RunPlan(
        run="r", product="p", title="P", as_of=AS_OF, shards=shards, tenants=tenants, **fields
    )


def to_train(reason="no model yet", **fields):
    return Planned(shard="s", due=(Due(action="train", reason=reason),), **fields)


def to_predict(windows, reason="not yet predicted"):
    return Planned(shard="s", due=(Due(action="predict", reason=reason, windows=windows),))


def test_tenants_with_the_same_reason_share_a_line():
    made = make_plan(
        {
            "a": to_train(),
            "b": to_train(note="left for later runs: 1 window"),
            "c": to_predict(("w1", "w2")),
            "d": Planned(note="up to date"),
            "e": Planned(waiting=(Due(action="train", reason="r"),), note="stays due: too dear"),
        },
        pooled={"eu": "there was none"},
    )
    assert [(line.kind, line.why, line.tenants, line.windows) for line in make_lines(made)] == [
        ("pooled", "there was none", ("eu",), 0),
        ("train", "no model yet", ("a", "b"), 0),
        ("predict", "not yet predicted", ("c",), 2),
        ("left", "left for later runs: 1 window", ("b",), 0),
        ("left", "stays due: too dear", ("e",), 0),
        ("nothing", "up to date", ("d",), 0),
    ]
    assert say_counts(made) == (
        "train 1 pooled model, train 2 tenants, predict 1 tenant (2 windows), "
        "leave 1 tenant for the next run"
    )


def test_where_they_are_many_reasons_that_differ_in_figures_are_one():
    made = make_plan(
        {
            f"t{n:03d}": to_train(
                f"drifted in window 201310{n % 28 + 1:02d}T000000Z-20131101T000000Z"
            )
            for n in range(100)
        }
    )
    (line,) = make_lines(made, most=20)
    assert line.why == "drifted in window …"
    assert len(line.tenants) == 100
    assert len(make_lines(made)) == 28


def test_what_is_still_too_much_is_counted():
    names = [f"{a}{b}" for a in "abcdefghij" for b in "abcdefghij"]
    lines = make_lines(make_plan({name: to_train(f"reason {name}") for name in names}))
    assert len(lines) == 40
    assert lines[-1].why == "61 more reasons"
    assert len(lines[-1].tenants) == 61
    assert len(make_lines(make_plan({name: to_train(name) for name in names}), most=100)) == 100


def test_the_cost_tells_budget_and_broken_promises():
    made = make_plan(
        {
            "a": to_train(cpu_seconds=1000.4, promised=AS_OF - timedelta(hours=1)),
            "b": to_train(cpu_seconds=500, promised=AS_OF),
            "c": Planned(waiting=(Due(action="train", reason="r"),), cpu_seconds=700),
        },
        pooled_cpu_seconds=20.0,
        cpu_budget=2000.0,
    )
    assert say_cost(made) == (
        "1 shard, about 1,520 CPU-seconds of 2,000 allowed; 1 tenant past what was promised"
    )


def test_a_run_without_work_says_so():
    assert say_counts(make_plan({"d": Planned(note="up to date")})) == "nothing is due"


def straggling(dear, *others):
    costs = {f"t{n}": cost for n, cost in enumerate((dear, *others))}
    return {
        name: to_predict(("w",)).model_copy(update={"shard": name, "cpu_seconds": cost})
        for name, cost in costs.items()
    }


def test_one_tenant_that_bounds_the_run_is_told():
    assert say_straggler(make_plan(straggling(900.0, 50.0, 50.0))) == (
        "t0 alone takes 900 of the tenants' 1,000 CPU-seconds: it is started first, and more "
        "shards make the run no shorter"
    )


def test_none_is_told_where_work_is_even_short_or_in_one_shard():
    assert say_straggler(make_plan(straggling(100.0, 90.0, 80.0))) == ""
    assert say_straggler(make_plan(straggling(50.0, 1.0, 1.0))) == ""
    assert say_straggler(make_plan(straggling(900.0))) == ""
    assert say_straggler(make_plan({})) == ""
