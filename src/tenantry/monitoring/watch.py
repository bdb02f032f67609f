"""Watch several streams of a tenant over its windows: what counts as an alarm, and how long."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tenantry.monitoring.bets import gather, weigh

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

UNUSUAL = 0.2
"""The p-value above which a window is as it should be."""


@dataclass(frozen=True)
class Watched:
    """Streams over windows.

    Attributes:
        won: What the bets on each stream keep at the end of each window, shape
            (streams, windows, bets).
        evidence: All bets together, shape (streams, windows).
        alarmed: Whether the evidence passes the bar in an unusual window in which the effect passes
            the threshold, shape (streams, windows).
    """

    won: Floats
    evidence: Floats
    alarmed: Flags


def watch(  # noqa: PLR0913 - what an alarm depends on
    effect: Floats,
    p_value: Floats,
    *,
    won: Floats,
    threshold: Floats,
    bar: Floats,
    windows_a_year: float,
) -> Watched:
    """Gather evidence window by window.

    An alarm needs both: evidence, so that chance does not alarm, and an effect, so that a
    significant trifle does not. It ends in the first window that is as it should be (a small one
    has some effect by chance, so it must be unusual, too); evidence is then gathered anew.

    Args:
        effect: Shape (streams, windows); NaN never alarms.
        p_value: Shape (streams, windows); NaN changes nothing.
        won: What the bets had won before, shape (streams, bets).
        threshold: Effect from which each stream alarms, shape (streams,).
        bar: Evidence from which each stream alarms, shape (streams,).
        windows_a_year: How many windows a year has.
    """
    path = np.zeros((*p_value.shape, won.shape[-1]))
    evidence = np.zeros(p_value.shape)
    alarmed = np.zeros(p_value.shape, dtype=bool)
    for place, now in enumerate(p_value.T):
        won = gather(won, now, windows_a_year=windows_a_year, bar=bar)
        evidence[:, place] = weigh(won)
        enough = evidence[:, place] >= bar
        passes = (effect[:, place] >= threshold) & (now <= UNUSUAL)  # NaN never does
        alarmed[:, place] = enough & passes
        won = np.where((enough & ~passes & ~np.isnan(now))[:, None], 0.0, won)
        path[:, place] = won
    return Watched(path, evidence, alarmed)
