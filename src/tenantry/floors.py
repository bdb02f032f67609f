"""Slice floors: over all a challenger may be better, and still much worse for some of the rows.

Each slice with enough rows is compared on its own. The confidence of the intervals is raised for
their number (Bonferroni), so that a challenger that keeps the floor everywhere is stopped in at
most (1 - confidence) / 2 of the cases, however many slices there are.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenantry.bootstrap import Gain, compare_in_part
from tenantry.metrics import Floats
from tenantry.specs.learning import Gate
from tenantry.text import plain

_SHOWN = 40
"""Characters of a slice's value that a sentence quotes."""


@dataclass(frozen=True)
class SliceGain:
    """By how much a challenger is better in a slice.

    Attributes:
        feature: What divides the rows.
        value: Its value in the slice.
        gain: The comparison there.
        confidence: Of its interval, raised for the number of slices.
    """

    feature: str
    value: str
    gain: Gain
    confidence: float

    @property
    def name(self) -> str:
        """The slice in words, safe to be shown."""
        value = self.value if len(self.value) <= _SHOWN else f"{self.value[:_SHOWN]}…"
        return f"{plain(self.feature)} is {plain(value) or 'missing'}"


@dataclass(frozen=True)
class Sliced:
    """Rows and the slices that they belong to.

    Attributes:
        label: Labels, shape (n,), no NaN.
        day: The day of each row, whole numbers, shape (n,).
        slices: Feature → its value for each row, shape (n,).
    """

    label: Floats
    day: NDArray[np.int64]
    slices: dict[str, NDArray[np.str_]]


def compare_slices(
    rows: Sliced, challenger: Floats, rival: Floats, *, gate: Gate, metric: str
) -> tuple[SliceGain, ...]:
    """Compare two models in every slice that has `gate.min_rows` rows of `gate.min_days` days.

    Args:
        rows: The rows compared on.
        challenger: The challenger's predictions, shape (n,).
        rival: The rival's, shape (n,).
        gate: The gate part of the spec.
        metric: What is compared; lower is better.

    Returns:
        The slices' gains, in the order of features, then values.
    """
    found = list(_with_evidence(rows, gate))
    confidence = 1 - (1 - gate.confidence) / max(len(found), 1)
    return tuple(
        SliceGain(
            feature,
            value,
            compare_in_part(
                rows.label[places],
                challenger[places],
                rival[places],
                day=rows.day[places],
                metric=metric,
                confidence=confidence,
            ),
            confidence,
        )
        for feature, value, places in found
    )


def find_breach(slices: tuple[SliceGain, ...], tolerance: float) -> SliceGain | None:
    """Return the slice that is most surely worse than the floor; None when none surely is."""
    worst = min(slices, key=lambda one: one.gain.high, default=None)
    return worst if worst is not None and worst.gain.high < -tolerance else None


def _with_evidence(rows: Sliced, gate: Gate) -> Iterator[tuple[str, str, NDArray[np.int64]]]:
    """Yield feature, value and the places of the rows."""
    days_needed = max(gate.min_days, 2)
    for feature, values in rows.slices.items():
        named, which = np.unique(values, return_inverse=True)
        for number, value in enumerate(named):
            places = np.flatnonzero(which == number)
            if len(places) >= gate.min_rows and len(np.unique(rows.day[places])) >= days_needed:
                yield feature, str(value), places
