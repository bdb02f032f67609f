"""The simulated truth is what the tables say it is."""

import numpy as np
import pytest

from benchmarks.gate import World, cost_of, judge, main, noise_for, simulate
from tenantry.metrics import measure

LARGE = 400_000


def gain(holdout, rows=slice(None)):
    """By how much the challenger is better on these rows."""
    label = holdout.label[rows]
    rival, mine = holdout.rivals["champion"][rows], holdout.challenger[rows]
    return measure("log_loss", label, rival) - measure("log_loss", label, mine)


def test_noise_costs_what_it_should():
    assert cost_of(0.0) == pytest.approx(0, abs=1e-12)
    costs = np.array([0.01, 0.06, 0.2])
    assert [cost_of(one) for one in noise_for(costs)] == pytest.approx(costs, rel=0.01)


@pytest.mark.parametrize("true", [0.02, 0.0, -0.03])
def test_a_challenger_is_better_by_what_the_table_says(true):
    drawn = [gain(simulate(World(LARGE, true), seed)) for seed in range(2)]
    assert np.mean(drawn) == pytest.approx(true, abs=0.005)  # days are few


def test_a_local_loss_leaves_the_whole_gain_as_it_is():
    holdout = simulate(World(LARGE, 0.01, local_loss=0.1), 1)
    there = holdout.slices["origin"] == "JFK"
    assert gain(holdout, there) == pytest.approx(-0.1, abs=0.015)
    assert gain(holdout) == pytest.approx(0.01, abs=0.007)


def test_floors_stop_what_is_worse_in_a_slice_and_nothing_else():
    hurt = [judge(simulate(World(4200, 0.01, 0.1), seed))["stale"] for seed in range(10)]
    fair = [judge(simulate(World(4200, 0.01), seed))["stale"] for seed in range(10)]
    assert np.sum(hurt, axis=0).tolist()[0] >= 9
    assert np.sum(hurt, axis=0).tolist()[1] <= 4
    assert np.sum(fair, axis=0).tolist() == [10, 10]


def test_the_tables_come_out_the_same_every_time(capsys, monkeypatch):
    monkeypatch.setattr("benchmarks.gate.SIZES", (56,))
    printed = []
    for _ in range(2):
        assert main(["--times", "2"]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert "equal" in printed[0]
