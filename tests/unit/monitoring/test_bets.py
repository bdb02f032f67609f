import numpy as np
import pytest

from tenantry.monitoring.bets import BETS, CEILING, gather, no_evidence, weigh
from tenantry.monitoring.fleet_drift import FALSE_SHARE, find_bar

WEEKS = 52
NEVER = np.array([np.inf])


def follow(p_values, bar=NEVER):
    """Return the evidence after each of some windows, shape (windows, streams)."""
    won, path = no_evidence(len(p_values[0])), []
    for now in np.asarray(p_values, dtype=float):
        won = gather(won, now, windows_a_year=WEEKS, bar=bar)
        path.append(weigh(won))
    return np.array(path)


@pytest.mark.parametrize("kappa", BETS)
def test_a_bet_wins_nothing_on_average_while_nothing_changes(kappa):
    edges = np.linspace(0, 1, 100_001)
    assert np.diff(edges**kappa).sum() == pytest.approx(1.0)  # the integral of the winnings


def test_a_year_of_looks_alarms_no_more_often_than_said():
    """Of 20,000 streams in which nothing changes, at most one in `c` ever passes `c`."""
    p_values = np.random.default_rng(4).random((WEEKS, 20_000))
    highest = follow(p_values).max(axis=0)
    for bar in (5, 20, 80):
        assert (highest >= bar).mean() <= 1 / bar


def test_two_windows_of_change_are_enough_after_a_quiet_year():
    quiet = np.random.default_rng(5).random((WEEKS, 1))
    assert follow([*quiet, [1e-5], [1e-5]])[-1] > 1000


def test_what_is_slight_and_lasts_is_found_in_time():
    evidence = follow([[0.05]] * 30)
    assert evidence[3] < 1
    assert evidence[-1] > 1000


def test_a_window_that_tells_nothing_changes_nothing():
    assert follow([[1e-3], [np.nan]])[1] == follow([[1e-3]])[0]


def test_winnings_have_a_ceiling():
    assert follow([[1e-30]] * 20, bar=np.array([100.0])).max() == CEILING
    assert follow([[1e-30]] * 20, bar=np.array([2 * CEILING])).max() == 2 * CEILING


def test_what_is_beyond_doubt_holds_in_the_largest_fleet():
    evidence = follow([[1e-30]], bar=np.array([80.0])).max()
    assert find_bar([evidence, *([0.0] * 300_000)], FALSE_SHARE) == evidence
