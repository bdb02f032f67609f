"""Where a tenant stands among comparable ones, without their names."""

from collections.abc import Iterable
from math import comb

from tenantry.insights.record import Insights, PeerFigure, Peers

FEWEST = 5
"""Comparable tenants below which nothing is told: fewer might be guessed."""

ALIKE = 4.0
"""A tenant is comparable that has at most so many times as many rows, and so many times fewer."""

_TITLES = {
    "outcome": "share that came true, or mean outcome",
    "skill": "loss saved against always saying the mean",
    "auc": "ROC AUC",
    "precision": "share of hits among those acted on",
    "recall": "share of those that came true that were acted on",
}


def compare(own: Insights, others: Iterable[Insights]) -> Peers | None:
    """Compare a tenant with comparable ones.

    Args:
        own: What is told of it.
        others: What is told of others of the product; those that do not allow it, that predict
            something else or have far more or fewer rows are passed over.

    Returns:
        Quartiles of each figure, none of which is a single tenant's; None when the tenant does not
        take part itself, or fewer than five others are comparable.
    """
    if not own.is_comparable or not own.rows:
        return None
    peers = [one for one in others if _is_alike(own, one)]
    theirs_by_name = [_figures(one) for one in peers]
    figures = []
    for name, value in _figures(own).items():
        theirs = [found[name] for found in theirs_by_name if name in found]
        if len(theirs) >= FEWEST:
            low, middle, high = quartiles(theirs)
            figures.append(
                PeerFigure(
                    name=name,
                    title=_TITLES[name],
                    own=value,
                    low=low,
                    median=middle,
                    high=high,
                )
            )
    return Peers(tenants=len(peers), figures=tuple(figures)) if figures else None


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """Estimate quartiles by means of all values, so that none of them is shown.

    The lowest, the middle and the highest of three, on average over all threes of the values
    (Kaigh and Lachenbruch, 1982). Of five values the usual quartiles are three of the values.

    Args:
        values: Three at least.
    """
    count, ordered = len(values), sorted(values)

    def mean(place: int) -> float:
        threes = (comb(n, place) * comb(count - 1 - n, 2 - place) for n in range(count))
        return sum(w * one for w, one in zip(threes, ordered, strict=True)) / comb(count, 3)

    return mean(0), mean(1), mean(2)


def _is_alike(own: Insights, other: Insights) -> bool:
    if other.tenant == own.tenant or not other.is_comparable:
        return False
    if (other.task, other.label) != (own.task, own.label) or not other.rows:
        return False
    if other.as_of < own.since or own.as_of < other.since:
        return False
    return 1 / ALIKE <= other.rows / own.rows <= ALIKE


def _figures(told: Insights) -> dict[str, float]:
    """Return the figures that are compared, those that are known."""
    found, now = told.performance, next((one for one in told.acting if one.is_current), None)
    figures = {
        "outcome": found.outcome.value if found else None,
        "skill": found.skill if found else None,
        "auc": found.auc if found else None,
        "precision": now.precision.value if now and now.precision else None,
        "recall": now.recall if now else None,
    }
    return {name: value for name, value in figures.items() if value is not None}
