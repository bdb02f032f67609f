"""The fleet as a whole, on real flights: what a run leaves, and what the next one finds."""

import numpy as np
import pandas as pd

from tests.fleet.conftest import NOVEMBER, OCTOBER, copied
from tests.fleet.harness import comparable, without_costs


def test_two_dates_then_nothing_is_due(undisturbed, tmp_path):
    fleet = copied(undisturbed.fleet, tmp_path / "fleet")
    first, second = undisturbed.october, undisturbed.november
    assert first.failures() == {}
    assert all(entry.fact("promote", "champion") for entry in first.entries.values())
    assert all(entry.fact("predict", "windows") == 4 for entry in first.entries.values())
    assert second.failures() == {}
    assert any(entry.fact("monitor", "judged") for entry in second.entries.values())
    before = fleet.objects(runs=True)
    third = fleet.run(NOVEMBER, "run-3")
    assert third.shards == ["nothing_due"]
    assert fleet.objects(runs=True) == before
    assert "othing was due" in third.page


def test_equal_fleets_have_equal_models_predictions_and_ledgers(make_fleet, undisturbed):
    fleet = make_fleet()
    for before in (undisturbed.october, undisturbed.november):
        run = fleet.run(before.run.removeprefix("run-"), before.run)
        assert {shard: without_costs(ledger) for shard, ledger in run.ledgers.items()} == {
            shard: without_costs(ledger) for shard, ledger in before.ledgers.items()
        }
    assert comparable(fleet) == comparable(undisturbed.fleet)


def test_the_number_of_shards_changes_no_result(make_fleet, undisturbed):
    fleet = make_fleet()
    fleet.run(OCTOBER, undisturbed.october.run, max_shards=9)
    assert comparable(fleet) == comparable(undisturbed.then)


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


def test_poisoning_the_future_changes_nothing(make_fleet, undisturbed):
    poisoned = make_fleet(**poison_after(OCTOBER))
    poisoned.run(OCTOBER, undisturbed.october.run)
    assert comparable(poisoned, origins=False) == comparable(undisturbed.then, origins=False)
    poisoned.run(NOVEMBER, undisturbed.november.run)
    assert comparable(poisoned, origins=False) != comparable(undisturbed.fleet, origins=False), (
        "the poison must be able to show"
    )
