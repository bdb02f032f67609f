"""Paired comparisons of predictions on the same rows, days as the unit of chance."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from tenantry.bootstrap import standard_error
from tenantry.metrics import Floats, measure, roc_auc, row_losses

DRAWS = 2000


@dataclass
class Trial:
    """One tenant's test: labels, days, and each model's predictions.

    Attributes:
        tenant: Its name.
        label: Labels, shape (n,).
        day: The local day of each row.
        predicted: Model → its probabilities.
        cpu: Model → CPU-seconds to fit it.
        recipe: What was chosen.
        part: Which part of the test this is; empty where there is one.
    """

    tenant: str
    label: Floats
    day: NDArray[np.int64]
    predicted: dict[str, Floats] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    recipe: str = ""
    part: str = ""

    def losses(self, name: str) -> Floats:
        """Return the log loss of each row."""
        return row_losses("log_loss", self.label, self.predicted[name])

    def loss(self, name: str) -> float:
        """Return the mean log loss."""
        return measure("log_loss", self.label, self.predicted[name])

    def area(self, name: str) -> float | None:
        """Return the area under the ROC curve, where it is defined."""
        return roc_auc(self.label, self.predicted[name])

    def gain(self, name: str, rival: str) -> tuple[float, float]:
        """Return by how much the log loss is below the rival's, and the standard error of that."""
        gains = self.losses(rival) - self.losses(name)
        return float(gains.mean()), standard_error(gains, self.day)

    def gain_in_errors(self, name: str, rival: str) -> float:
        """Return the gain in standard errors; 0 where both say the same."""
        gain, error = self.gain(name, rival)
        return 0.0 if gain == 0 else gain / error


@dataclass(frozen=True)
class Interval:
    """A mean gain and where it lies, at 95 %.

    Attributes:
        gain: By how much the macro log loss is below the rival's.
        low: Lower end.
        high: Upper end.
    """

    gain: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.gain:+.4f} ({self.low:+.4f} … {self.high:+.4f})"


def macro_gain(tested: Sequence[Trial], name: str, rival: str) -> Interval:
    """Return the mean over tests of the gain in log loss, each test counting alike.

    Whole days are drawn, the same for all tenants: a storm hits them together.
    """
    days = np.unique(np.concatenate([one.day for one in tested]))
    drawn = np.random.default_rng(0).multinomial(
        len(days), np.full(len(days), 1 / len(days)), DRAWS
    )
    drawn = np.vstack([np.ones(len(days)), drawn])
    gains, times = np.zeros(len(drawn)), np.zeros(len(drawn))
    for one in tested:
        here, block = np.unique(one.day, return_inverse=True)
        weights = drawn[:, np.searchsorted(days, here)]
        rows = weights @ np.bincount(block)
        sums = weights @ np.bincount(block, weights=one.losses(rival) - one.losses(name))
        gains += np.divide(sums, rows, out=np.zeros(len(drawn)), where=rows > 0)
        times += rows > 0
    gains /= times
    low, high = np.quantile(gains[1:], [0.025, 0.975])
    return Interval(float(gains[0]), float(low), float(high))


def macro(tested: Sequence[Trial], name: str) -> tuple[float, float, float]:
    """Return the mean ROC AUC, the mean log loss and the worst ROC AUC."""
    areas = [area for one in tested if (area := one.area(name)) is not None]
    return float(np.mean(areas)), float(np.mean([one.loss(name) for one in tested])), min(areas)


def count_beyond(tested: Sequence[Trial], name: str, rival: str) -> str:
    """Say how many tests are better or worse by more than two standard errors, and by chance."""
    ratios = np.array([one.gain_in_errors(name, rival) for one in tested])
    differing = int((ratios != 0).sum())
    return (
        f"of {len(tested):,} tests {differing:,} differ from {rival}; by more than two paired "
        f"standard errors {int((ratios > 2).sum()):,} are better and {int((ratios < -2).sum()):,} "
        f"worse, {ndtr(-2) * differing:.1f} by chance"
    )
