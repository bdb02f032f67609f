"""The fleet as a whole, on real flights: what a run leaves, and what the next one finds."""

import numpy as np
import pandas as pd

from tests.fleet.harness import without_costs

OCTOBER, NOVEMBER = "2013-10-01", "2013-11-01"


def comparable(harness, *, origins=True):
    """What two equal fleets must share: all objects but Evidently's HTML and runs' own folders."""
    found = harness.objects(origins=origins)
    return {key: content for key, content in found.items() if not key.endswith(".html")}


def test_two_dates_then_nothing_is_due(make_fleet):
    fleet = make_fleet()
    first = fleet.run(OCTOBER, "run-1")
    assert first.failures() == {}
    assert all(entry.fact("promote", "champion") for entry in first.entries.values())
    assert all(entry.fact("predict", "windows") == 4 for entry in first.entries.values())
    second = fleet.run(NOVEMBER, "run-2")
    assert second.failures() == {}
    assert any(entry.fact("monitor", "judged") for entry in second.entries.values())
    before = fleet.objects(runs=True)
    third = fleet.run(NOVEMBER, "run-3")
    assert third.shards == ["nothing_due"]
    assert fleet.objects(runs=True) == before
    assert "othing was due" in third.page


def test_equal_fleets_have_equal_models_predictions_and_ledgers(make_fleet):
    one, other = make_fleet("one"), make_fleet("other")
    runs = [
        [fleet.run(date, f"run-{date}", max_shards=shards) for date in (OCTOBER, NOVEMBER)]
        for fleet, shards in ((one, 2), (other, 2))
    ]
    assert comparable(one) == comparable(other)
    for mine, theirs in zip(*runs, strict=True):
        assert {shard: without_costs(ledger) for shard, ledger in mine.ledgers.items()} == {
            shard: without_costs(ledger) for shard, ledger in theirs.ledgers.items()
        }


def test_the_number_of_shards_changes_no_result(make_fleet):
    few, many = make_fleet("few"), make_fleet("many")
    few.run(OCTOBER, "run-1", max_shards=2)
    many.run(OCTOBER, "run-1", max_shards=9)
    assert comparable(few) == comparable(many)


def poison_after(moment):
    """Replace all that is not known at `moment` by garbage."""
    cut = pd.Timestamp(moment, tz="UTC")

    def change(flights):
        rng = np.random.default_rng(1)
        late_label = ~(flights["arrived_at"] <= cut)
        future = flights["sched_dep_at"] > cut
        garbage = rng.integers(-300, 3000, len(flights))
        for name in ("arr_delay", "dep_delay", "dep_time", "arr_time", "air_time"):
            flights[name] = flights[name].mask(late_label, pd.Series(garbage, dtype="Int64"))
        ever_after = cut + pd.to_timedelta(garbage + 301, unit="m")
        flights["arrived_at"] = flights["arrived_at"].mask(late_label, ever_after)
        flights["distance"] = flights["distance"].mask(future, 1)
        flights["dest"] = flights["dest"].mask(future, "GARBAGE")
        return flights

    def weather(observations):
        future = observations["observed_at"] > cut
        for name in ("temp", "wind_speed", "visib", "pressure"):
            observations[name] = observations[name].mask(future, 1.0)
        return observations

    return {"change": change, "weather": weather}


def test_poisoning_the_future_changes_nothing(make_fleet):
    clean, poisoned = make_fleet("clean"), make_fleet("poisoned", **poison_after(OCTOBER))
    clean.run(OCTOBER, "run-1")
    poisoned.run(OCTOBER, "run-1")
    assert comparable(clean, origins=False) == comparable(poisoned, origins=False)
    clean.run(NOVEMBER, "run-2")
    poisoned.run(NOVEMBER, "run-2")
    assert comparable(clean, origins=False) != comparable(poisoned, origins=False), (
        "the poison must be able to show"
    )
