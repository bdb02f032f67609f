"""Small charts as inline SVG: everything a template needs is a number or a text already."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

SIDE = 300
"""Width and height of the plotting area, in SVG units."""

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: where, and what it says."""

    at: float
    text: str


@dataclass(frozen=True)
class Dot:
    """A point of a chart with what it stands for; `low` and `high` end its bar, if it has one."""

    x: float
    y: float
    text: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Chart:
    """A square chart; y grows downwards, as SVG has it.

    Attributes:
        text: What it shows, for people who do not see it.
        x_label: Of the horizontal axis.
        y_label: Of the vertical axis.
        x_ticks: Marks of the horizontal axis.
        y_ticks: Marks of the vertical axis.
        line: The points of the line, as SVG wants them.
        dots: Points with their meaning.
    """

    text: str
    x_label: str
    y_label: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    line: str
    dots: tuple[Dot, ...] = ()


@dataclass(frozen=True)
class Interval:
    """A gain and its interval on a common scale, as positions in percent; `zero` is no gain."""

    low: float
    high: float
    gain: float
    zero: float


@dataclass(frozen=True)
class Scale:
    """A straight axis from `start` to `end`, marked every `step`."""

    start: float
    end: float
    step: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Scale":
        """Return an axis with round ends that holds all values."""
        low, high = min(values), max(values)
        step = _round_step((high - low) / 4 or abs(high) / 4 or 1.0)
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        return cls(first * step, max(last, first + 1) * step, step)

    def x(self, value: float) -> float:
        """Return how far from the left a value is."""
        return round(SIDE * (value - self.start) / (self.end - self.start), 2)

    def y(self, value: float) -> float:
        """Return how far from the top a value is."""
        return round(SIDE - self.x(value), 2)

    def ticks(self, *, is_share: bool, is_vertical: bool = False) -> tuple[Tick, ...]:
        """Return marks at every step."""
        number = round((self.end - self.start) / self.step)
        values = [self.start + self.step * place for place in range(number + 1)]
        place = self.y if is_vertical else self.x
        return tuple(Tick(place(value), _tick(value, is_share=is_share)) for value in values)


def line_through(points: Sequence[tuple[float, float]], x: Scale, y: Scale) -> str:
    """Write the points of an SVG polyline."""
    return " ".join(f"{x.x(one):g},{y.y(other):g}" for one, other in points)


def place_intervals(
    gains: Sequence[tuple[float, float, float]],
) -> tuple[Interval, ...]:
    """Place gains, each (low, gain, high), on one scale that holds zero."""
    ends = [end for low, _, high in gains for end in (low, high)] + [0.0]
    low, high = min(ends), max(ends)
    room = 0.06 * (high - low) or 1.0
    width = high - low + 2 * room

    def place(value: float) -> float:
        return round(100 * (value - low + room) / width, 2)

    return tuple(Interval(place(a), place(b), place(gain), place(0.0)) for a, gain, b in gains)


def _round_step(least: float) -> float:
    """Return the least round number that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in _STEPS if step * power >= least * (1 - 1e-9))


def _tick(value: float, *, is_share: bool) -> str:
    return f"{100 * value:.3g}%" if is_share else f"{value:,.6g}"
