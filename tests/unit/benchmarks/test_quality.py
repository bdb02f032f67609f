"""The benchmark sees nothing early, draws labels without a meaning, and counts as it says."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from benchmarks.quality.champions import succeed
from benchmarks.quality.fleet import History, as_known, labelled
from benchmarks.quality.newborn import newborn_tables
from benchmarks.quality.nosignal import draw_by_day, draw_by_row
from benchmarks.quality.paired import Trial, count_beyond, macro, macro_gain
from benchmarks.quality.routes import read_spec
from tenantry.times import Window
from tenantry.training.lessons import Lessons
from tests.unit.tiny_fleet import AS_OF, make_spec, make_table
from tests.unit.training.chains import make_chain

BEFORE = AS_OF - timedelta(days=30)


def made(tenant="ua", days=40, gain=0.02, seed=0):
    random = np.random.default_rng(seed)
    label = (random.random(days * 10) < 0.3).astype("float64")
    day = np.repeat(np.arange(days), 10)
    pooled = np.full(len(label), 0.3)
    better = np.clip(pooled + gain * (2 * label - 1), 0.01, 0.99)
    return Trial(tenant, label, day, {"pooled": pooled, "better": better})


def test_what_was_known_is_a_part_of_the_table():
    table = make_table(rows=400)
    known = as_known(table, BEFORE)
    assert (known["known_at"] <= BEFORE).all()
    seen = known["label"].notna()
    assert (known.loc[seen, "label_known_at"] <= BEFORE).all()
    assert seen.sum() == ((table["label_known_at"] <= BEFORE) & table["label"].notna()).sum()
    assert table["label"].notna().sum() > seen.sum(), "the table itself stays as it is"


def test_a_gain_is_the_mean_of_the_tenants_whatever_their_sizes():
    small, large = made(days=5, gain=0.1), made(days=300, gain=0.0)
    found = macro_gain([small, large], "better", "pooled")
    assert found.gain == pytest.approx(small.gain("better", "pooled")[0] / 2)
    assert macro([small, large], "pooled")[1] == pytest.approx(
        (small.loss("pooled") + large.loss("pooled")) / 2
    )


def test_a_gain_has_an_interval_and_none_has_none():
    clear = macro_gain([made(seed=seed) for seed in range(5)], "better", "pooled")
    assert 0 < clear.low < clear.gain < clear.high
    nothing = macro_gain([made()], "pooled", "pooled")
    assert (nothing.low, nothing.gain, nothing.high) == (0, 0, 0)


def test_a_newborn_has_just_so_many_labels_and_no_past():
    table = make_table(rows=1500)
    rows = table.drop(columns="hour")
    found = dict(newborn_tables(rows, make_spec(), BEFORE))
    assert list(found) == [0, 50, 200, 1000]
    for number, young in found.items():
        assert as_known(young, BEFORE)["label"].notna().sum() == number
    later = [len(young[young["event_time"] >= BEFORE]) for young in found.values()]
    assert len(set(later)) == 1, "the test is the same at every age"


def test_who_has_too_few_rows_is_no_newborn_of_that_age():
    rows = make_table(rows=150).drop(columns="hour")
    assert list(dict(newborn_tables(rows, make_spec(), BEFORE))) == [0, 50]


@pytest.mark.parametrize("draw", [draw_by_row, draw_by_day])
def test_labels_without_signal_hang_on_no_feature(draw):
    table = labelled(make_table(rows=3000), Window(AS_OF - timedelta(days=200), BEFORE))
    drawn = draw(table, "UTC", np.random.default_rng(1))
    assert set(drawn) == {0.0, 1.0}
    assert drawn.mean() == pytest.approx(table["label"].mean(), abs=0.06)
    before, after = (abs(np.corrcoef(table["hour"], y)[0, 1]) for y in (table["label"], drawn))
    assert after < 0.05 < before


def test_labels_by_day_keep_bad_days_together():
    days = pd.date_range(AS_OF - timedelta(days=20), periods=20, tz="UTC")
    table = pd.DataFrame({"event_time": np.repeat(days, 10)})
    table["label"] = np.repeat(np.arange(20) % 2, 10).astype("float64")
    drawn = draw_by_day(table, "UTC", np.random.default_rng(0)).reshape(20, 10)
    assert (drawn.std(axis=1) == 0).all()


def test_a_history_gives_what_was_known_then():
    spec, table = make_spec(), make_table(rows=300)
    history = History({"ua": spec}, {"ua": table}, {"ua": table})
    pd.testing.assert_frame_equal(history.lessons("ua", BEFORE), as_known(table, BEFORE))


def test_routes_have_a_spec_whose_histories_are_by_route():
    spec = read_spec()
    assert spec.pooled.features == spec.features
    past = [item for item in spec.features.values() if item.kind == "history"]
    assert past
    assert all(item.by == ("origin", "destination") for item in past)


def test_champions_are_trained_and_succeeded_as_by_the_stages():
    chain = make_chain()
    early, late = (
        Lessons(as_known(make_table(), moment), make_spec(), chain) for moment in (BEFORE, AS_OF)
    )
    first = succeed(None, early, BEFORE)
    second = succeed(first, late, AS_OF)
    assert first.since == BEFORE
    assert second.since in (BEFORE, AS_OF)
    assert (second is first) is (second.since == BEFORE)


def test_tests_beyond_noise_are_counted_among_those_that_differ():
    trials = [made(gain=gain, seed=seed) for seed, gain in enumerate((0.1, 0.1, -0.1, 0.0))]
    found = count_beyond(trials, "better", "pooled")
    assert found.startswith("of 4 tests 3 differ from pooled;")
    assert found.endswith("2 are better and 1 worse, 0.1 by chance")
