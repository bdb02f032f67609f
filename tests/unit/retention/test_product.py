"""What goes besides tenants' own: pooled models, folds, old runs, superseded specs."""

from datetime import datetime, timedelta

from tenantry import layout
from tenantry.retention.sweep import RUNS, SPECS
from tenantry.specs.bundle import Bundle, find_published, publish, read_published
from tests.unit.retention.specs import NOW, collect, find, make_fleet, parts
from tests.unit.small_store import PRODUCT, day


def pooled_files(card, *names):
    folder = layout.pooled_folder(PRODUCT, "default", card.version)
    return {f"{folder}{name}" for name in names}


def test_pooled_models_go_that_no_kept_model_stands_on_and_folds_of_those_that_train_no_more(made):
    pools = [made.pool(number, ["ua"]) for number in (5, 15, 45)]
    card = made.model("aa", 12, made.snapshot("aa", 12), pooled=pools[0])
    made.crown(card)
    found = find(made.store, make_fleet(models="10d", champions=1, predictions="1d"), 100)
    assert found["pooled"] == {
        *pooled_files(pools[1], "model.skops"),
        *(pooled_files(pools[1], *(f"fold-{cut}.skops" for cut in pools[1].folds))),
    }
    assert found["fold"] == pooled_files(pools[0], *(f"fold-{cut}.skops" for cut in pools[0].folds))
    assert find(made.store, make_fleet(), 100).keys() == {"features"}


def test_the_models_of_a_tenant_without_a_spec_hold_their_pooled_model(made):
    pools = [made.pool(number, ["ua"]) for number in (5, 15, 45)]
    made.crown(made.model("zz", 12, made.snapshot("zz", 12), pooled=pools[1]))
    found = find(made.store, make_fleet(models="10d", champions=1), 100)
    assert not found["pooled"] & pooled_files(pools[1], "model.skops")


def test_old_runs_go_whole_and_their_plan_last(made):
    for run, number in (("run-1", 10), ("run-2", 90)):
        plan = (
            f'{{"run":"{run}","product":"{PRODUCT}","title":"t","as_of":"{day(number):%Y-%m-%d}",'
        )
        made.store.put(layout.plan(run), (plan + '"shards":[],"tenants":{}}').encode())
        made.store.put(layout.fleet_report(run), b"<html>")
    made.store.put("runs/other/report.html", b"<html>")
    found = parts(made.store, make_fleet(runs="30d"), 100)[RUNS]
    assert [one.key for one in found.waste] == ["runs/run-1/report.html", "runs/run-1/plan.json"]
    assert parts(made.store, make_fleet(), 100)[RUNS].waste == ()


def test_a_run_of_which_a_part_is_young_stays(made):
    plan = f'{{"run":"r","product":"{PRODUCT}","title":"t","as_of":"2013-01-02",'
    made.store.put(layout.plan("r"), (plan + '"shards":[],"tenants":{}}').encode())
    soon = datetime(2013, 1, 1, 1, tzinfo=NOW.tzinfo)
    options = {"grace": timedelta(days=1), "now": soon}
    assert parts(made.store, make_fleet(runs="30d"), 100, **options)[RUNS].waste == ()


def test_published_specs_go_that_no_longer_hold_when_runs_as_old_may(made):
    bundles = [Bundle({"a.yaml": f"n: {number}\n"}) for number in range(3)]
    for bundle in bundles:
        publish(made.store, bundle)
    assert parts(made.store, make_fleet(), 10**5)[SPECS].waste == ()
    assert parts(made.store, make_fleet(runs="30d"), 0)[SPECS].waste == ()
    gone = collect(made.store, make_fleet(runs="30d", features=None), 10**5)
    assert gone == {layout.specs_bundle(bundles[0].digest)}
    assert made.store.find(layout.specs_bundle(bundles[1].digest))
    assert find_published(made.store) == bundles[2].digest
    assert read_published(made.store) == bundles[2]
