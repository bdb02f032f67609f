"""Cuts in time: what may be seen when, so that nothing is judged on what it has seen."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tenantry.columns import EVENT_TIME, KNOWN_AT, LABEL, LABEL_KNOWN_AT
from tenantry.moments import instant
from tenantry.specs.model import Spec

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Spans:
    """The last spans of a tenant's labelled rows: [validation, holdout) and [holdout, as_of).

    Candidates are compared on the validation span and never see the holdout; the chosen recipe,
    fitted anew on what was known at its start, is judged there; what is shipped is fitted on all.

    Attributes:
        validation: Start of the validation span.
        holdout: Its end, and the start of the holdout.
        as_of: The end of the holdout: the run's logical time.
    """

    validation: datetime
    holdout: datetime
    as_of: datetime

    @classmethod
    def of(cls, spec: Spec, as_of: datetime) -> "Spans":
        """Return the spans that a spec asks for at `as_of`."""
        holdout = as_of - spec.gate.holdout
        return cls(holdout - spec.model.validation, holdout, as_of)


def known_by(table: pd.DataFrame, moment: datetime) -> Mask:
    """Return which rows can be learned from at `moment`: past ones whose label is known by then.

    What happens, or becomes known, at `moment` itself is not past: it may still be scored by what
    was learned then.
    """
    cut = instant(moment)
    past: Mask = (_times(table, EVENT_TIME) < cut) & (_times(table, KNOWN_AT) < cut)
    return has_label(table) & (_times(table, LABEL_KNOWN_AT) <= cut) & past


def has_label(table: pd.DataFrame) -> Mask:
    """Return which rows have a label, whenever it became known."""
    lacks: Mask = np.isnan(table[LABEL].to_numpy(dtype=np.float64))
    return ~lacks


def happened_in(table: pd.DataFrame, start: datetime, end: datetime) -> Mask:
    """Return which rows happened in [start, end)."""
    event = _times(table, EVENT_TIME)
    happened: Mask = (event >= instant(start)) & (event < instant(end))
    return happened


def _times(table: pd.DataFrame, column: str) -> NDArray[np.datetime64]:
    return table[column].to_numpy(dtype="datetime64[us]")  # in UTC


def local_days(moments: "pd.Series[pd.Timestamp]", timezone: str) -> NDArray[np.int64]:
    """Return the local day of each moment as a whole number; days are what resampling draws."""
    local = moments.dt.tz_convert(timezone).dt.tz_localize(None)
    return local.to_numpy().astype("datetime64[D]").astype(np.int64)


def pooled_cuts(first: datetime, spans: Spans, number: int) -> tuple[datetime, ...]:
    """Return the cuts at which folds of the pooled model are fitted, in order of time.

    The last two are the starts of the validation span and of the holdout, so that candidates are
    compared, and challengers judged, on what the pooled model had not seen. The others divide the
    time before them evenly, at midnight UTC; spans without enough history have fewer.

    Args:
        first: When the first label became known.
        spans: The spans that most tenants have.
        number: How many cuts, at least 2.
    """
    last = [moment for moment in (spans.validation, spans.holdout) if moment > first]
    if len(last) < 2:
        return tuple(last)
    step = (spans.validation - first) / (number - 1)
    early = {_midnight(first + step * place) for place in range(1, number - 1)}
    margin = timedelta(days=1)
    return tuple(sorted(cut for cut in early if first + margin < cut < last[0])) + tuple(last)


def _midnight(moment: datetime) -> datetime:
    return datetime.combine(moment.astimezone(UTC).date(), time(), tzinfo=UTC)
