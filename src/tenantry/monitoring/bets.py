"""Evidence that something changed, gathered window by window; a look at every window costs nothing.

Each stream (a feature, the label, the loss, …) gives one p-value a window. Bets on small p-values
turn it into e-values (Shafer, 2021, "Testing by betting"): a bet's mean is at most 1 as long as
nothing changes. A Shiryaev-Roberts sum over the windows since which something may have changed is
what the bets have won (Shin, Ramdas and Rinaldo, 2024, "E-detectors"): a new stake of one `L`-th
of a unit enters with every window, `L` windows a year. While nothing changes the stakes of a year
sum to one, so by Doob's inequality the sum passes `1/alpha` within a year with a probability of at
most `alpha`, however often one looks; when something changes it grows by leaps.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

BETS = (0.15, 0.5)
"""`kappa` of each bet, which wins `kappa * p ** (kappa - 1)`: a bold one for what is sudden, a
cautious one for what is slight and lasts."""

SMALLEST = 1e-30
"""No p-value is taken for smaller."""

CEILING = 1e9
"""Winnings stop growing there, or at the bar where that is higher. A single stream of fifty million
still holds with so much (`fleet_drift.find_bar`)."""


def no_evidence(streams: int) -> Floats:
    """Return what the bets have won before the first window; shape (streams, bets)."""
    return np.zeros((streams, len(BETS)))


def gather(won: Floats, p_value: Floats, *, windows_a_year: float, bar: Floats) -> Floats:
    """Return what the bets have won after one more window.

    Args:
        won: Winnings before it, shape (..., bets).
        p_value: The window's p-values, shape (...); NaN where there is none, which changes nothing.
        windows_a_year: How many looks a year has.
        bar: From which the evidence alarms, shape (...).
    """
    known = np.where(np.isnan(p_value), 1.0, np.maximum(p_value, SMALLEST))[..., None]
    kappa = np.array(BETS)
    grown = (won + 1 / windows_a_year) * kappa * known ** (kappa - 1)
    ceiling = np.maximum(CEILING, bar)[..., None]
    return np.where(np.isnan(p_value)[..., None], won, np.minimum(grown, ceiling))


def weigh(won: Floats) -> Floats:
    """Return the evidence of all bets together; shape (...) of winnings (..., bets)."""
    return np.asarray(won.mean(axis=-1))
