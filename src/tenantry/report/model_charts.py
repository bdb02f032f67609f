"""A model's curves as charts."""

from math import sqrt

from tenantry.curves import Curves, ReliabilityBin
from tenantry.figures import figure
from tenantry.models.card import Task
from tenantry.report.charts import Chart, Dot, Scale, line_through

_SURE = 1.96
"""Standard errors of an observed rate that its bar reaches, both ways: 95 %."""


def draw_reliability(curves: Curves, task: Task) -> Chart | None:
    """Draw what was said against what happened, in bins; None without bins."""
    bins = curves.reliability
    if not bins:
        return None
    is_share = task != "regression"
    bars = [_bar(one) if is_share else (None, None) for one in bins]
    ends = [end for pair in bars for end in pair if end is not None]
    values = [value for one in bins for value in (one.predicted, one.observed)]
    scale = Scale.of([*values, *ends, *([0.0] if is_share else [])])
    dots = tuple(
        Dot(
            x=scale.x(one.predicted),
            y=scale.y(one.observed),
            text=_told(one, is_share=is_share),
            low=None if low is None else scale.y(low),
            high=None if high is None else scale.y(high),
        )
        for one, (low, high) in zip(bins, bars, strict=True)
    )
    said = f"{len(bins)} bins of {min(one.rows for one in bins):,} rows or more"
    return Chart(
        text=f"Predicted against observed, {said}",
        x_label="predicted",
        y_label="observed",
        x_ticks=scale.ticks(is_share=is_share),
        y_ticks=scale.ticks(is_share=is_share, is_vertical=True),
        line=line_through([(one.predicted, one.observed) for one in bins], scale, scale),
        dots=dots,
    )


def draw_roc(curves: Curves) -> Chart | None:
    """Draw the ROC curve; None where there is none."""
    if not curves.roc or curves.auc is None:
        return None
    scale = Scale(0.0, 1.0, 0.25)
    points = [(one.false_positive_rate, one.true_positive_rate) for one in curves.roc]
    return Chart(
        text=f"ROC curve, area {figure(curves.auc)}",
        x_label="false alarms, of all no",
        y_label="caught, of all yes",
        x_ticks=scale.ticks(is_share=True),
        y_ticks=scale.ticks(is_share=True, is_vertical=True),
        line=line_through(points, scale, scale),
    )


def _bar(one: ReliabilityBin) -> tuple[float, float]:
    """Return where an observed rate may lie by chance alone (Wilson, 1927)."""
    rows, rate, square = one.rows, one.observed, _SURE**2
    middle = (rate + square / (2 * rows)) / (1 + square / rows)
    spread = rate * (1 - rate) / rows + square / (4 * rows**2)
    reach = _SURE * sqrt(spread) / (1 + square / rows)
    return max(middle - reach, 0.0), min(middle + reach, 1.0)


def _told(one: ReliabilityBin, *, is_share: bool) -> str:
    if is_share:
        said, was = f"{one.predicted:.0%}", f"{one.observed:.0%}"
    else:
        said, was = figure(one.predicted), figure(one.observed)
    return f"{said} predicted, {was} observed, {one.rows:,} rows"
