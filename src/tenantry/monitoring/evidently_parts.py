"""The parts of Evidently's page: drift as it was judged, and quality over time.

Imported only where a page is rendered; Evidently itself has no types.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import pandas as pd

from tenantry.monitoring.drift import measure_effect
from tenantry.monitoring.history import Judged

Point = tuple[str, float, float | None, float | None, float | None]
"""A window's day, realised quality, the ends of its interval, and what was promised."""

ALWAYS, NEVER = 1e-9, 2.0
"""Thresholds that every effect passes, and none."""


@cache
def drift_part() -> Any:  # noqa: ANN401 - Evidently has no types
    """Return Evidently's drift preset with one pass over the columns, where its own makes three.

    Its own measures every column for the verdict, for the table, and for metrics that no page
    shows; here the verdict is read from the table.
    """
    from evidently.legacy.metrics import DataDriftTable
    from evidently.presets import DataDriftPreset

    class DriftPage(DataDriftPreset):  # type: ignore[misc]
        def generate_metrics(self, _context: object) -> list[object]:
            return []

        def render(self, context: Any, _children: object = None) -> list[Any]:  # noqa: ANN401
            table = DataDriftTable(
                columns=self.columns,
                stattest=self.method,
                per_column_stattest_threshold=self.per_column_threshold,
            )
            result, widgets = context.get_legacy_metric(table, None, None)
            return [*_verdict(result), *widgets]

    return DriftPage


@cache
def quality_part() -> Any:  # noqa: ANN401 - Evidently has no types
    """Return the part of the page that draws quality over time."""
    from evidently.core.container import MetricContainer

    class QualityOverTime(MetricContainer):  # type: ignore[misc]
        quality: list[Point]
        metric: str

        def generate_metrics(self, _context: object) -> list[object]:
            return []

        def render(self, _context: object, _children: object = None) -> list[Any]:
            return [_draw_quality(self.quality, self.metric)]

    return QualityOverTime


def points_of(past: Iterable[Judged]) -> list[Point]:
    """Return what is drawn of judged windows: those whose quality was measured."""
    return [
        (one.span.start.date().isoformat(), one.realised, one.low, one.high, one.promised)
        for one in past
        if one.realised is not None
    ]


def _draw_quality(quality: Sequence[Point], metric: str) -> Any:  # noqa: ANN401
    """Draw realised quality with its intervals, window by window, against what was promised."""
    from evidently.legacy.renderers.html_widgets import plotly_figure
    from plotly.graph_objects import Figure, Scatter

    days, realised, low, high, promised = zip(*quality, strict=True)
    up = [top - value if top is not None else 0 for value, top in zip(realised, high, strict=True)]
    down = [value - end if end is not None else 0 for value, end in zip(realised, low, strict=True)]
    bars = {"type": "data", "array": up, "arrayminus": down}
    figure = Figure(
        [
            Scatter(x=days, y=realised, error_y=bars, name="realised", mode="lines+markers"),
            Scatter(x=days, y=promised, name="promised", line={"dash": "dash", "shape": "hv"}),
        ]
    )
    figure.update_layout(yaxis_title=metric)
    return plotly_figure(title="Quality over time, lower is better", figure=figure)


def _verdict(result: Any) -> list[Any]:  # noqa: ANN401 - Evidently has no types
    """Say how many columns have drifted."""
    from evidently.legacy.renderers.html_widgets import CounterData, counter

    verdict = "As judged by effect and by the evidence of all windows; bars show the effect"
    figures = [
        CounterData.int("Columns", result.number_of_columns),
        CounterData.int("Drifted columns", result.number_of_drifted_columns),
        CounterData.float("Share of drifted columns", result.share_of_drifted_columns, 3),
    ]
    return [counter(counters=[CounterData(verdict, "Drift")]), counter(counters=figures)]


@cache
def effect_size() -> Any:  # noqa: ANN401 - Evidently has no types
    """Return our effect size as one of Evidently's statistical tests."""
    from evidently.legacy.calculations.stattests import StatTest, register_stattest
    from evidently.legacy.core import ColumnType

    kinds = [ColumnType.Numerical, ColumnType.Categorical]
    test = StatTest("effect_size", "Effect size, 0 to 1", kinds)
    register_stattest(test, _score)
    return test


def _score(
    reference: pd.Series, current: pd.Series, _kind: object, threshold: float
) -> tuple[float, bool]:
    """Score a column as Evidently asks for it: effect size, and whether it passes."""
    effect = measure_effect(reference, current)
    return effect, effect >= threshold
