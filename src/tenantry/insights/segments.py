"""Parts of a tenant's rows whose outcome differs from the rest's, guarded against chance."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pandas as pd

from tenantry.columns import EVENT_TIME, LABEL
from tenantry.insights.ratios import (
    Floats,
    Indices,
    Ratios,
    adjust,
    compare_means,
    measure_ratios,
    number_days,
    sum_by_day,
)
from tenantry.insights.record import Estimate, Segment, Segments
from tenantry.monitoring.streams import PREDICTION
from tenantry.reasons import title, value_in_words
from tenantry.slices import divide_rows
from tenantry.specs.features import CalendarFeature, CategoricalFeature, Feature
from tenantry.specs.model import Spec
from tenantry.text import plain

FALSE_SHARE = 0.1
"""So large a share of the segments found is false, on average, at most."""

MIN_ROWS = 30
"""Rows of a segment, and of the rest, below which it is not tested."""

MOST = 20
"""Segments that are told."""

_MOST_VALUES = 400
"""Values of a division beyond which only the most frequent ones are segments."""


@dataclass(frozen=True)
class Division:
    """A way to divide rows: what they are alike in, and each row's part in words."""

    features: tuple[str, ...]
    title: str
    parts: "pd.Series[str]"


def find_segments(rows: pd.DataFrame, spec: Spec) -> Segments:
    """Find the parts whose mean outcome differs from the rest's.

    Every category, band of hours and weekday is a part, and so is every combination that the spec
    keeps a history or congestion of (a route, by origin and destination). Their p-values are of
    whole days; those of all parts are adjusted together (Benjamini and Hochberg, 1995).

    Args:
        rows: The rows whose outcome is known: `event_time`, `label`, `prediction`, features.
        spec: The tenant's spec.
    """
    day = number_days(rows[EVENT_TIME])
    tested = [*chain.from_iterable(_test(one, rows, day) for one in divide(rows, spec))]
    if not tested:
        return Segments(false_share=FALSE_SHARE)
    q_values = adjust(np.array([one.p_value for one in tested]))
    found = [
        one.model_copy(update={"q_value": float(q)})
        for one, q in zip(tested, q_values, strict=True)
        if q <= FALSE_SHARE
    ]
    found.sort(key=lambda one: (-one.difference.value * one.rows, one.title, one.value))
    return Segments(tested=len(tested), false_share=FALSE_SHARE, found=_most(found))


def _most(found: list[Segment]) -> tuple[Segment, ...]:
    """Return those with most in excess, and with most too few."""
    if len(found) <= MOST:
        return tuple(found)
    return (*found[: MOST // 2], *found[-(MOST - MOST // 2) :])


def divide(rows: pd.DataFrame, spec: Spec) -> Iterator[Division]:
    """Yield the ways to divide rows that the spec's features tell of."""
    single = divide_rows(rows, spec)
    for name, values in single.items():
        feature = spec.features[name]
        yield Division((name,), title(name, feature), _in_words(values, feature))
    for names in _kept_together(spec):
        first, *others = names
        words = single[first].str.cat(pd.DataFrame({one: single[one] for one in others}), sep=" → ")
        titles = [title(name, spec.features[name]) for name in names]
        yield Division(names, " and ".join(titles), words)


def _in_words(values: "pd.Series[str]", feature: Feature) -> "pd.Series[str]":
    if not (isinstance(feature, CalendarFeature) and feature.part == "weekday"):
        return values
    return values.map({text: value_in_words(int(text), feature) for text in values.unique()})


def _kept_together(spec: Spec) -> list[tuple[str, ...]]:
    """Return the combinations of categories that the spec keeps a history or congestion of."""
    named = {
        (item.column or name): name
        for name, item in spec.features.items()
        if isinstance(item, CategoricalFeature)
    }
    kept = (getattr(item, "by", ()) for item in spec.features.values())
    combined = (by for by in kept if len(by) > 1 and set(by) <= named.keys())
    return [*dict.fromkeys(tuple(named[column] for column in by) for by in combined)]


def _test(division: Division, rows: pd.DataFrame, day: Indices) -> Iterator[Segment]:
    """Yield the parts of a division with enough rows and days, with their own p-values."""
    part, values = pd.factorize(division.parts, sort=True)
    label = rows[LABEL].to_numpy(dtype=np.float64)
    counts, sums = sum_by_day(np.ones(len(rows)), day, part), sum_by_day(label, day, part)
    said = np.bincount(part, weights=rows[PREDICTION].to_numpy(dtype=np.float64))
    size, total = counts.sum(axis=0), sums.sum(axis=0)
    differences = compare_means(sums, counts, float(label.var()))
    outcomes = measure_ratios(sums, counts)
    p_values = differences.p_values()
    enough = (size >= MIN_ROWS) & (len(rows) - size >= MIN_ROWS) & np.isfinite(p_values)
    chosen = sorted(np.flatnonzero(enough).tolist(), key=lambda one: (-size[one], one))
    in_shares = bool(((label == 0) | (label == 1)).all())
    for place in chosen[:_MOST_VALUES]:
        yield Segment(
            features=division.features,
            title=division.title,
            value=plain(str(values[place])),
            rows=int(size[place]),
            outcome=estimate_share(outcomes, place, size)
            if in_shares
            else estimate(outcomes, place),
            rest=float((total.sum() - total[place]) / (len(rows) - size[place])),
            predicted=float(said[place] / size[place]),
            difference=estimate(differences, place),
            p_value=float(p_values[place]),
            q_value=1.0,
        )


def estimate(ratios: Ratios, place: int) -> Estimate:
    """Return one of several ratios with its interval."""
    return _with_ends(ratios, place, ratios.bound())


def estimate_share(ratios: Ratios, place: int, rows: Floats) -> Estimate:
    """Return one of several shares of so many rows with its interval, within 0 and 1."""
    return _with_ends(ratios, place, ratios.bound_shares(rows))


def _with_ends(ratios: Ratios, place: int, ends: tuple[Floats, Floats]) -> Estimate:
    low, high = (float(end[place]) if np.isfinite(end[place]) else None for end in ends)
    return Estimate(value=float(ratios.value[place]), low=low, high=high)
