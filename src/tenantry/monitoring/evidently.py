"""Evidently's report over a tenant's judged windows: one self-contained HTML page.

Evidently costs several CPU-seconds to import and stops at columns that it cannot bear; so it is
imported when a page is due and not before, and what would stop it is left out first, by name and
with the reason. It never decides anything: its page shows the effect sizes of `drift`.
"""

import re
import warnings
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from importlib import import_module

import numpy as np
import pandas as pd

from tenantry.columns import EVENT_TIME
from tenantry.errors import TenantryError
from tenantry.monitoring.cells import is_number
from tenantry.monitoring.evidently_parts import (
    ALWAYS,
    NEVER,
    Point,
    drift_part,
    effect_size,
    points_of,
    quality_part,
)
from tenantry.monitoring.history import Judged
from tenantry.specs.model import Spec
from tenantry.text import plain

MAX_ROWS = 4000
"""Rows drawn on either side, evenly over time; more cost time and change no picture."""

_DATA = re.compile(r"    var \w+ = \{.*\};$")
"""The lines of Evidently's page that hold what it was given."""


def preload(specs: Iterable[Spec]) -> None:
    """Import Evidently once, before workers are forked; nothing when no tenant wants a report."""
    if any(spec.monitor.report for spec in specs):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its imports use what NumPy deprecates
            import_module("evidently.presets")


class ReportError(TenantryError):
    """Evidently could not make its page."""


@dataclass(frozen=True)
class Sides:
    """The two frames that Evidently is given, safe for it.

    Attributes:
        reference: What the model learnt on.
        current: The judged windows.
        numeric: Columns that are numbers.
        categorical: Columns that are categories.
        left_out: Column → why it is on neither side.
        min_rows: Rows that either side needs for a page.
    """

    reference: pd.DataFrame
    current: pd.DataFrame
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    left_out: dict[str, str]
    min_rows: int

    @property
    def fault(self) -> str:
        """Why there can be no page; empty when there can."""
        fewest = min(len(self.reference), len(self.current))
        if fewest < self.min_rows:
            return f"{fewest} rows on one side, {self.min_rows} are needed"
        return "" if self.numeric or self.categorical else "no column can be shown"

    @property
    def note(self) -> str:
        """What the page lacks and why, in words; empty when nothing."""
        if self.fault:
            return f"no Evidently report: {self.fault}"
        columns = "; ".join(f"{name} ({why})" for name, why in sorted(self.left_out.items()))
        return f"left out of the Evidently report: {columns}" if columns else ""


def prepare_sides(
    reference: pd.DataFrame, current: pd.DataFrame, columns: Sequence[str], min_rows: int
) -> Sides:
    """Draw rows, cast columns and leave out what Evidently cannot bear; imports nothing heavy.

    Args:
        reference: Rows of the training span: event time and columns, float64 or str.
        current: Rows of the judged windows, alike.
        columns: What to compare.
        min_rows: Rows that either side needs for a page.
    """
    before, now = _draw(reference), _draw(current)
    left_out = {name: why for name in columns if (why := _unfit(before, now, name))}
    kept = [name for name in columns if name not in left_out]
    numeric = tuple(name for name in kept if is_number(before[name]))
    categorical = tuple(name for name in kept if name not in numeric)
    return Sides(
        reference=_cast(before, numeric, categorical),
        current=_cast(now, numeric, categorical),
        numeric=numeric,
        categorical=categorical,
        left_out=left_out,
        min_rows=min_rows,
    )


def render_page(
    sides: Sides, drifted: Collection[str], past: Sequence[Judged] = (), metric: str = ""
) -> bytes:
    """Render Evidently's page; imports Evidently.

    Args:
        sides: What `prepare_sides` made, without a fault.
        drifted: The columns that were judged to have drifted.
        past: The judged windows by time, whose quality is drawn.
        metric: What is measured of it, in words.

    Raises:
        ReportError: Evidently stopped, whatever it raised.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Evidently's own, of what it imports and divides
        try:
            return _render(sides, drifted, points_of(past), metric)
        except ReportError:
            raise
        except Exception as error:
            msg = f"no Evidently report: it stopped with {type(error).__name__}"
            raise ReportError(msg) from error


def _draw(frame: pd.DataFrame) -> pd.DataFrame:
    rows = frame.sort_values(EVENT_TIME, kind="stable")
    if len(rows) <= MAX_ROWS:
        return rows
    return rows.iloc[np.linspace(0, len(rows) - 1, MAX_ROWS).astype(int)]


def _unfit(reference: pd.DataFrame, current: pd.DataFrame, name: str) -> str:
    """Say why Evidently would stop at a column; empty when it would not."""
    for frame, side in ((reference, "the training span"), (current, "the judged windows")):
        if name not in frame:
            return f"not in {side}"
        column = frame[name]
        if is_number(column):
            column = column.astype("float64").where(np.isfinite(column.astype("float64")))
        if column.isna().all():
            return f"no usable value in {side}"
    if is_number(reference[name]) != is_number(current[name]):
        return "numbers on one side, text on the other"
    return ""


def _cast(
    frame: pd.DataFrame, numeric: tuple[str, ...], categorical: tuple[str, ...]
) -> pd.DataFrame:
    cast = {}
    for name in numeric:
        numbers = frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
        cast[name] = pd.Series(np.where(np.isfinite(numbers), numbers, np.nan))
    for name in categorical:
        values = frame[name].astype(object).where(frame[name].notna(), None)
        words = {value: _as_words(value) for value in values.dropna().unique()}
        cast[name] = values.map(words, na_action="ignore").reset_index(drop=True)
    return pd.DataFrame(cast, index=range(len(frame)))


def _as_words(category: object) -> object:
    """Return a category as its figure shows it whole: Plotly would take `<b>` for bold."""
    return escape(plain(category), quote=False) if isinstance(category, str) else category


def _render(sides: Sides, drifted: Collection[str], quality: list[Point], metric: str) -> bytes:
    import plotly.io
    from evidently import DataDefinition, Dataset, Report

    plotly.io.templates.default = None  # checked anew for each of two figures a column
    definition = DataDefinition(
        numerical_columns=list(sides.numeric), categorical_columns=list(sides.categorical)
    )
    columns = [*sides.numeric, *sides.categorical]
    preset = drift_part()(
        columns=columns,
        method=effect_size(),
        per_column_threshold={name: ALWAYS if name in drifted else NEVER for name in columns},
    )
    parts = [*([quality_part()(quality=quality, metric=metric)] if quality else []), preset]
    frames = (Dataset.from_pandas(side, definition) for side in (sides.current, sides.reference))
    page: str = Report(parts).run(*frames).get_html_str(as_iframe=False)
    return _without_markup_in_data(page).encode()


def _without_markup_in_data(page: str) -> str:
    """Write what is markup to a browser in the page's two lines of data as JSON escapes.

    Evidently writes them as they are, so that a category `</script><script>…` would run.

    Raises:
        ReportError: The page is not made as the pinned version makes it.
    """
    lines = page.split("\n")  # JSON has no line break in it
    data = [number for number, line in enumerate(lines) if _DATA.match(line)]
    if len(data) != 2:
        msg = f"no Evidently report: its page has {len(data)} lines of data, 2 were expected"
        raise ReportError(msg)
    for number in data:
        lines[number] = lines[number].replace("<", r"\u003c").replace(">", r"\u003e")
    return "\n".join(lines)
