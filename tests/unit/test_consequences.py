"""What `plan --diff` foretells of a change of specs is what the next run then does."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tenantry.consequences import add_up, compare_plans
from tests.unit.simulated_fleet import DAY, START, simulate
from tests.unit.tiny_fleet import FEATURES, make_fleet, make_spec

PREDICT = {"window": "7d", "start": "2013-09-03", "fresh_within": "1d"}
FEWER = {name: FEATURES[name] for name in ("hour", "wind")}
PARTS = st.fixed_dictionaries(
    {},
    optional={
        "state": st.sampled_from(["paused", "retired", "active"]),
        "description": st.just("other words"),
        "features": st.just(FEWER),
        "label": st.just({"column": "arr_delay", "above": 30}),
        "train": st.sampled_from(["7d", "90d"]).map(lambda d: {"every": d, "history": "200d"}),
        "candidates": st.just({"pooled": {}, "prior": {}}),
        "gate": st.just({"holdout": "28d", "tolerance": 0.5}),
        "predict": st.sampled_from(
            [
                PREDICT | {"window": "14d"},
                PREDICT | {"start": "2013-08-06"},
                PREDICT | {"max_windows_per_run": 1},
            ]
        ),
        "monitor": st.just({"wait": "20d"}),
    },
)
CHANGES = st.dictionaries(st.sampled_from(["t0", "t1", "t2", "new"]), PARTS, max_size=4)
DAYS = st.lists(st.integers(0, 60), max_size=2).map(sorted)


def changed(specs, changes):
    """The specs after a change; `new` is added by one."""
    made = {
        name: make_spec(name, **{"predict": PREDICT} | parts) for name, parts in changes.items()
    }
    return dict(sorted({**specs, **made}.items()))


def done(before, after):
    """What a run left of each tenant: trained, windows predicted, windows judged, retired."""
    found = {}
    for name, now in after.folders.items():
        was = before.folders[name]
        receipts = {one.window.id for one in now.receipts[len(was.receipts) :]}
        judged = {window.id for window in now.judged - was.judged}
        found[name] = (
            now.attempts > was.attempts,
            receipts,
            judged,
            now.retired > was.retired,
        )
    return found


def foretold(due):
    """The same, of what a plan says is due."""
    windows = {one.action: set(one.windows) for one in due}
    return (
        "train" in windows,
        windows.get("predict", set()),
        windows.get("monitor", set()),
        "retire" in windows,
    )


NOTHING = foretold(())


@settings(max_examples=80)
@given(CHANGES, DAYS, st.integers(0, 45), st.sampled_from([0.0, 3.0]))
@example({"t0": {"state": "retired"}, "new": {}, "t1": {"features": FEWER}}, [7, 14], 7, 0.0)
@example({"t0": {"description": "other words"}}, [7], 0, 0.0)
@example({"t0": {"state": "paused"}, "t1": {"features": FEWER}}, [7], 7, 3.0)
def test_a_change_of_specs_does_what_was_foretold_and_nothing_else(changes, days, later, budget):
    fleet = simulate(3)
    for day in days:
        fleet.run_until_done(START + day * DAY)
    as_of = START + (max(days, default=0) + later) * DAY
    specs = changed(fleet.specs, changes)
    old, new = fleet.with_specs(fleet.specs), fleet.with_specs(specs)
    plans = tuple(one.plan(as_of, cpu_budget=budget) for one in (old, new))
    told = compare_plans(*plans, make_fleet(fleet.specs), make_fleet(specs))

    untouched = fleet.with_specs(specs)
    old.run(as_of, cpu_budget=budget)
    new.run(as_of, cpu_budget=budget)
    without, with_it = done(untouched.with_specs(fleet.specs), old), done(untouched, new)
    for one in told:
        assert foretold(one.before) == without.get(one.tenant, NOTHING)
        assert foretold(one.after) == with_it[one.tenant]
    others = with_it.keys() - {one.tenant for one in told}
    assert all(with_it[name] == without[name] for name in others)
    for totals, effects in ((add_up(plans[0]), without), (add_up(plans[1]), with_it)):
        assert totals.trained == sum(trained for trained, *_ in effects.values())
        assert totals.windows == sum(len(windows) for _, windows, *_ in effects.values())
        assert totals.judged == sum(len(judged) for *_, judged, _ in effects.values())
        assert totals.retired == sum(retired for *_, retired in effects.values())
    assert {one.tenant for one in told} >= {
        name for name, spec in specs.items() if spec != fleet.specs.get(name)
    }
