"""Time lines of a tenant's judged windows as inline SVG: quality against its promise, and volume.

Each is drawn twice, for wide and for narrow screens, so that letters are as large on both.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tenantry.champions import Reign
from tenantry.figures import figure
from tenantry.monitoring.history import Judged
from tenantry.monitoring.judgements import IN_WORDS
from tenantry.report.charts import SIDE, Scale, Tick
from tenantry.report.words import day, span


@dataclass(frozen=True)
class Frame:
    """How large a time line is, and how many windows it shows at most.

    Attributes:
        name: `wide` or `narrow`, for the style.
        width: Of the plotting area, in SVG units: pixels at full width.
        height: Of the plotting area.
        windows: How many windows, the latest.
        ticks: How many marks of the horizontal axis at most.
    """

    name: str
    width: int
    height: int
    windows: int
    ticks: int


WIDE = Frame("wide", 1060, 220, 53, 9)
NARROW = Frame("narrow", 290, 170, 14, 4)


@dataclass(frozen=True)
class Mark:
    """A window: where it is, and what it says; positions are SVG units.

    Attributes:
        x: From the left.
        y: From the top.
        low: Where its interval ends at the bottom; None without one.
        high: Where it ends at the top.
        status: How it was judged.
        text: What it says.
    """

    x: float
    y: float
    low: float | None
    high: float | None
    status: str
    text: str


@dataclass(frozen=True)
class Step:
    """A span in which one promise held: its band from promise to tolerance."""

    x: float
    width: float
    promise: float
    top: float
    height: float


@dataclass(frozen=True)
class Turn:
    """A moment at which another model began to reign."""

    x: float
    text: str


@dataclass(frozen=True)
class Line:
    """A time line of quality.

    Attributes:
        frame: Its size.
        text: What it shows, for people who do not see it.
        x_ticks: Marks of the time axis.
        y_ticks: Marks of the other.
        marks: The windows.
        points: The line through them, as SVG wants it.
        steps: The promises.
        turns: The models.
    """

    frame: Frame
    text: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    marks: tuple[Mark, ...]
    points: str
    steps: tuple[Step, ...]
    turns: tuple[Turn, ...]


@dataclass(frozen=True)
class Bar:
    """A window's volume: rows, and of them those whose label is known."""

    x: float
    width: float
    top: float
    height: float
    labelled_top: float
    labelled_height: float
    text: str


@dataclass(frozen=True)
class Bars:
    """A time line of volumes."""

    frame: Frame
    text: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class _Time:
    """The time axis: from the first window's start to the last one's end."""

    start: datetime
    end: datetime
    width: int

    def place(self, moment: datetime) -> float:
        share = (moment - self.start) / (self.end - self.start)
        return round(self.width * share, 2)


def draw_quality(
    past: Sequence[Judged], metric: str, tolerance: float, reigns: Sequence[Reign], frame: Frame
) -> Line | None:
    """Draw realised quality with its intervals against the promise; None where none was measured.

    Args:
        past: The judged windows by time.
        metric: What is measured, in words.
        tolerance: How much worse than promised is still no decay.
        reigns: The models that reigned, by time.
        frame: The size.
    """
    shown = past[-frame.windows :]
    measured = [one for one in shown if one.realised is not None]
    if not measured:
        return None
    time = _Time(shown[0].span.start, shown[-1].span.end, frame.width)
    ends = [end for one in measured for end in (one.low, one.high, one.realised) if end is not None]
    bands = [one.promised for one in measured if one.promised is not None]
    scale = Scale.of([*ends, *bands, *(value + tolerance for value in bands)])
    marks = tuple(_mark(one, metric, time, scale, frame) for one in measured)
    return Line(
        frame=frame,
        text=f"{metric[:1].upper()}{metric[1:]} of {len(measured)} windows against the promise",
        x_ticks=tuple(_moments(shown, time, frame)),
        y_ticks=_levels(scale, frame),
        marks=marks,
        points=" ".join(f"{one.x:g},{one.y:g}" for one in marks),
        steps=tuple(_steps(measured, tolerance, time, scale, frame)),
        turns=tuple(_turns(reigns, time)),
    )


def draw_volumes(past: Sequence[Judged], frame: Frame) -> Bars | None:
    """Draw how many rows each window had; None where none had any."""
    shown = past[-frame.windows :]
    most = max((one.rows for one in shown), default=0)
    if not most:
        return None
    frame = Frame(frame.name, frame.width, frame.height // 2, frame.windows, frame.ticks)
    time = _Time(shown[0].span.start, shown[-1].span.end, frame.width)
    scale = Scale.of([0, most])
    return Bars(
        frame=frame,
        text=f"Rows predicted in {len(shown)} windows, and those whose label is known",
        x_ticks=tuple(_moments(shown, time, frame)),
        y_ticks=_levels(scale, frame),
        bars=tuple(_bar(one, time, scale, frame) for one in shown),
    )


def _mark(one: Judged, metric: str, time: _Time, scale: Scale, frame: Frame) -> Mark:
    realised = one.realised or 0.0
    low = None if one.low is None else _up(scale, one.low, frame)
    high = None if one.high is None else _up(scale, one.high, frame)
    reach = ""
    if one.low is not None and one.high is not None:
        reach = f" ({figure(one.low)} to {figure(one.high)})"
    promise = f", {figure(one.promised)} promised" if one.promised is not None else ""
    said = f"{span(one.span)}: {IN_WORDS[one.status]}, {metric} {figure(realised)}{reach}{promise}"
    return Mark(_middle(one, time), _up(scale, realised, frame), low, high, one.status, said)


def _bar(one: Judged, time: _Time, scale: Scale, frame: Frame) -> Bar:
    start, end = time.place(one.span.start), time.place(one.span.end)
    gap = min(2.0, (end - start) / 4)
    top, known = _up(scale, one.rows, frame), _up(scale, one.labelled, frame)
    return Bar(
        x=round(start + gap / 2, 2),
        width=round(end - start - gap, 2),
        top=top,
        height=round(frame.height - top, 2),
        labelled_top=known,
        labelled_height=round(frame.height - known, 2),
        text=f"{span(one.span)}: {one.rows:,} rows, {one.labelled:,} with a label",
    )


def _steps(
    measured: Sequence[Judged], tolerance: float, time: _Time, scale: Scale, frame: Frame
) -> Iterator[Step]:
    """Yield one band for each run of windows with the same promise."""
    promised = [one for one in measured if one.promised is not None]
    first = 0
    for place, one in enumerate(promised):
        following = promised[place + 1] if place + 1 < len(promised) else None
        if following and following.promised == one.promised:
            continue
        value = one.promised or 0.0
        start, end = time.place(promised[first].span.start), time.place(one.span.end)
        bottom, top = _up(scale, value, frame), _up(scale, value + tolerance, frame)
        yield Step(start, round(end - start, 2), bottom, top, round(bottom - top, 2))
        first = place + 1


def _turns(reigns: Sequence[Reign], time: _Time) -> Iterator[Turn]:
    for reign in reigns:
        if time.start < reign.since < time.end:
            verb = "rolled back to" if reign.restores else "promoted:"
            yield Turn(time.place(reign.since), f"{day(reign.since)}: {verb} {reign.version}")


def _moments(shown: Sequence[Judged], time: _Time, frame: Frame) -> Iterator[Tick]:
    every = -(-len(shown) // frame.ticks)
    for one in shown[::every]:
        moment = one.span.start
        yield Tick(time.place(moment), f"{moment:%b} {moment.day}")


def _levels(scale: Scale, frame: Frame) -> tuple[Tick, ...]:
    ticks = scale.ticks(is_share=False, is_vertical=True)
    return tuple(Tick(round(one.at * frame.height / SIDE, 2), one.text) for one in ticks)


def _middle(one: Judged, time: _Time) -> float:
    return round((time.place(one.span.start) + time.place(one.span.end)) / 2, 2)


def _up(scale: Scale, value: float, frame: Frame) -> float:
    """Return how far from the top a value is."""
    return round(scale.y(value) * frame.height / SIDE, 2)
