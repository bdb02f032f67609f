"""What can be told of a tenant, as one self-contained page for people who care for customers."""

from dataclasses import dataclass

from tenantry.insights.record import Driver, Estimate, Insights, Segment
from tenantry.insights.words import (
    number,
    share,
    tell_acting,
    tell_drivers,
    tell_peers,
    tell_performance,
    tell_segments,
)
from tenantry.report.pages import Page
from tenantry.report.words import day

_DRIVERS = 10
"""Features that are shown at first; the others unfold."""

_PAGE = Page("insights.html", ("page.css", "insights.css"), day=day)


@dataclass(frozen=True)
class Bar:
    """A bar of a hundred, with the reach of an interval and a mark to compare it with."""

    value: float
    low: float
    high: float
    mark: float


def render_insights_page(told: Insights) -> str:
    """Render what can be told of a tenant: one file that fetches nothing.

    Equal insights give equal bytes; all that comes from data and specs is escaped, and the page's
    policy lets no script run.
    """
    is_share = told.task != "regression"
    above = [one for one in told.segments.found if one.difference.value > 0]
    below = [one for one in told.segments.found if one.difference.value <= 0][::-1]
    drivers = told.drivers.drivers
    widest = max((one.share for one in drivers), default=1.0) or 1.0
    return _PAGE.render(
        told=told,
        figure=share if is_share else number,
        performance=tuple(tell_performance(told)),
        drivers_in_words=tuple(tell_drivers(told)),
        segments_in_words=tuple(tell_segments(told)),
        acting_in_words=tuple(tell_acting(told)),
        peers_in_words=tuple(tell_peers(told)),
        drivers=[(one, round(100 * one.share / widest, 1)) for one in drivers[:_DRIVERS]],
        others=[(one, round(100 * one.share / widest, 1)) for one in drivers[_DRIVERS:]],
        above=_bars(above),
        below=_bars(below),
        change=_change,
        span=_span,
    )


def _bars(segments: list[Segment]) -> list[tuple[Segment, Bar]]:
    """Return each segment with its outcome's bar, all on one scale that holds every interval."""
    ends = [
        value
        for one in segments
        for value in (one.outcome.value, one.outcome.low, one.outcome.high, one.rest)
        if value is not None
    ]
    first, last = min([0.0, *ends]), max(ends, default=1.0)
    width = (last - first) or 1.0

    def place(value: float | None, otherwise: float) -> float:
        return round(100 * ((otherwise if value is None else value) - first) / width, 1)

    return [
        (
            one,
            Bar(
                place(one.outcome.value, 0.0),
                place(one.outcome.low, one.outcome.value),
                place(one.outcome.high, one.outcome.value),
                place(one.rest, 0.0),
            ),
        )
        for one in segments
    ]


def _change(one: Driver) -> str:
    if one.change is None:
        return "–"
    points = one.change.value * 100
    return "±0" if abs(points) < 0.5 else f"{points:+.0f}".replace("-", "−")


def _span(told: Estimate, *, is_share: bool) -> str:
    if told.low is None or told.high is None:
        return "–"
    write = share if is_share else number
    return f"{write(told.low)} to {write(told.high)}"
