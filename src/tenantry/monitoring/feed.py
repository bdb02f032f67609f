"""Whether a tenant's rows come in time, and in the form they used to come in.

How fresh a window is, is compared with the past windows that the model learnt on; how many rows
come late with the windows judged before, since sources do not say when a row arrived. A change of
form is a fact, not a matter of chance.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.special import fdtrc

from tenantry.monitoring.drift import Compared
from tenantry.monitoring.memory import Arrival
from tenantry.monitoring.past import MIN_WINDOWS, allow_for_few, find_p_values, learn_past

Floats = npt.NDArray[np.float64]

KEPT = 52
"""Windows of which is remembered how many rows came late."""

_SHORTEST = 1e-6
"""Share of a window that counts as no silence."""

_NEW_FAULTS = 0.1
"""Share of a window's rows that are newly set aside from which the form has changed."""


@dataclass(frozen=True)
class Delivery:
    """How the rows of a window came, as far as the stage knows.

    Attributes:
        arrival: How many rows are known by now, and how many of them came late; None when that is
            not known.
        unscored: Rows that were never scored.
        kinds: ``source.column`` → the type it came as.
        faults: ``column: fault`` → rows set aside in the whole snapshot; None when not known.
    """

    arrival: Arrival | None = None
    unscored: int = 0
    kinds: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, int] | None = None


def compare_silence(past: Floats, silence: Floats) -> Compared:
    """Compare the silence at the end of windows with that of past windows.

    Rows that come independently leave an exponential silence, whose ratio to the mean of others has
    an F distribution; where rows come in crowds, silences spread more, as Gamma variables of a
    smaller shape do. The shape comes from how far the logarithms of the past ones spread (their
    variance is the trigamma function of the shape, nearly one and one over the shape squared). Only
    more silence than usual counts.

    Args:
        past: From the last row of each whole past window to its end, as a share of it, shape (k,).
        silence: The same of each window, 1 without rows, shape (windows,).

    Returns:
        The effect is the share of the window that is silent beyond what is usual; the p-value is
        NaN where too little is known of the past.
    """
    nothing = np.zeros(len(silence))
    if len(past) < MIN_WINDOWS:
        return Compared(nothing, nothing + np.nan, nothing)
    effect = np.clip(silence - past.mean(), 0.0, 1.0)
    shape, mean = _fit_shape(past), max(float(past.mean()), _SHORTEST)
    p_value = fdtrc(2 * shape, 2 * shape * len(past), silence / mean)
    return Compared(effect, np.asarray(p_value), nothing)


def compare_arrival(past: Iterable[Arrival], now: Arrival) -> tuple[float, float]:
    """Compare how many rows of a window came late with the windows judged before.

    Returns:
        The effect, by which share more came late than usual; and a p-value, NaN where too little is
        known of the past or the window has no row.
    """
    counts = np.array([_split(one) for one in past], dtype=np.float64).reshape(-1, 2)
    usual = counts[:, 1].sum() / max(counts.sum(), 1)
    share = now.late / max(now.rows, 1)
    p_value = find_p_values(learn_past(counts), np.array([_split(now)], dtype=np.float64))[0]
    if share <= usual and not np.isnan(p_value):
        p_value = 1.0
    return float(max(share - usual, 0.0)), float(p_value)


def find_changes(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """Say which columns came as another type than before.

    Args:
        before: ``source.column`` → the type it came as; what is not in it is not compared.
        now: The same of this time.
    """
    return tuple(
        f"{name} was {before[name]}, is {kind}"
        for name, kind in sorted(now.items())
        if before.get(name, kind) != kind
    )


def find_faults(
    before: Mapping[str, int] | None, now: Mapping[str, int] | None, rows: int, min_rows: int
) -> tuple[str, ...]:
    """Say for which reasons many rows are newly set aside.

    Args:
        before: ``column: fault`` → rows set aside in the whole snapshot, at the judgement before.
        now: The same of this time.
        rows: Rows of the window.
        min_rows: Fewer rows than this are too few to say.
    """
    if before is None or now is None:
        return ()
    enough = max(_NEW_FAULTS * rows, min_rows)
    more = {reason: count - before.get(reason, 0) for reason, count in sorted(now.items())}
    return tuple(
        f"{reason} in {count:,} rows more" for reason, count in more.items() if count >= enough
    )


def _fit_shape(past: Floats) -> float:
    """Return the shape of Gamma variables that spread as much as past silences may, at most 1."""
    spread = np.log(np.maximum(past, _SHORTEST)).var(ddof=1) * allow_for_few(len(past) - 1.0)
    return float(1 / np.sqrt(max(spread - 1, 1.0)))


def _split(one: Arrival) -> tuple[int, int]:
    return one.rows - one.late, one.late
