"""What a run may be asked for besides, on real flights: a backfill, a budget; pooling withdrawn."""

import json

from tenantry.models.card import read_pooled_card
from tenantry.models.pooled import read_pooled
from tests.fleet.harness import PRODUCT

OCTOBER = "2013-10-01"
HISTORY = ("train: {every: 28d, history: 365d}", "train: {every: 28d, history: 120d}")
BACKFILL = {"backfill_from": "2013-03-01", "backfill_to": "2013-09-01"}


def shorter_history(text):
    assert HISTORY[0] in text
    return text.replace(*HISTORY)


def models(fleet):
    """The models and champions of a fleet, and its predictions of windows that are due anyway."""
    return {
        key: content
        for key, content in fleet.objects().items()
        if "/models/" in key or ("/predictions/20130917" in key and key.endswith(".parquet"))
    }


def test_months_are_backfilled_in_one_run_and_training_does_not_see_it(make_fleet):
    plain = make_fleet("plain", product=shorter_history)
    asked = make_fleet("asked", product=shorter_history)
    plain.run(OCTOBER, tenants="f9,vx")
    first = asked.run(OCTOBER, tenants="f9,vx", **BACKFILL)
    assert first.failures() == {}
    assert models(asked) == models(plain)
    for entry in first.entries.values():
        assert entry.fact("predict", "windows") == 26 + 4
        assert entry.fact("predict", "in_sample") == 30
        assert entry.fact("ingest", "backfill_rows") > entry.fact("ingest", "rows")
    receipts = [json.loads(v) for k, v in asked.objects().items() if k.endswith("receipt.json")]
    assert all(
        one["rows"] for one in receipts if one["tenant"] == "vx" and one["window"] > "20130501"
    )
    again = asked.run(OCTOBER, "run-2", tenants="f9,vx", **BACKFILL)
    assert again.shards == ["nothing_due"]
    champion = asked.run(OCTOBER, "run-3", tenants="f9,vx", **BACKFILL, backfill_model="current")
    assert champion.shards == ["nothing_due"], "the champion is the model of then"


def test_pooling_that_is_withdrawn_takes_effect_in_the_next_run_though_nobody_trains(make_fleet):
    fleet = make_fleet()
    assert fleet.run(OCTOBER, "run-1").failures() == {}
    spec = fleet.specs / PRODUCT / "vx.yaml"
    spec.write_text("apiVersion: tenantry/v1\ntenant: vx\nstate: retired\n")
    made = fleet.run(OCTOBER, "run-2")
    plan = fleet.read_plan("run-2")
    assert plan.pooled == {"default": "no longer pooled: vx"}
    assert [due.action for one in plan.tenants.values() for due in one.due] == ["retire"]
    assert made.failures() == {}
    reign = read_pooled(fleet.store, PRODUCT, "default").current
    assert reign.run == "run-2"
    card = read_pooled_card(fleet.store, PRODUCT, "default", reign.version)
    assert sorted(card.contributors) == ["f9", "fl", "ha", "oo"]
    assert fleet.run(OCTOBER, "run-3").shards == ["nothing_due"]
    assert fleet.read_plan("run-3") is None


def test_a_fleet_is_served_in_parts_where_the_budget_is_small(make_fleet):
    fleet = make_fleet()
    done = []
    for number in range(1, 4):
        run = fleet.run(OCTOBER, f"run-{number}", tenants="ha,oo", cpu_budget=0.5)
        done.append(sorted(run.entries))
    assert done == [["ha"], ["oo"], []]
    assert (
        "1 tenant left for later runs"
        in fleet.objects(runs=True)["runs/run-1/report.html"].decode()
    )
