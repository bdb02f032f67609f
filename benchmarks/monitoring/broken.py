"""5: every kind of broken window gets a judgement or a stated reason."""

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pandas as pd
from rich.table import Table

from benchmarks.monitoring.watching import make_receipt
from tenantry.columns import EVENT_TIME, LABEL
from tenantry.monitoring.drift import learn_reference
from tenantry.monitoring.judge import judge_window
from tenantry.monitoring.measure import Evidence
from tenantry.monitoring.memory import Memory
from tenantry.monitoring.streams import PREDICTION
from tenantry.specs.model import Spec

UNTIL = pd.Timestamp("2013-10-01", tz="UTC")
WEEK = timedelta(days=7)


def break_window(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield kinds of windows with their rows."""
    yield "sound", rows
    yield "empty", rows.iloc[:0]
    yield "3 rows", rows.iloc[:3]
    yield "one class", rows.assign(**{LABEL: 0.0})
    yield "no labels", rows.assign(**{LABEL: np.nan})
    yield "predictions all NaN", rows.assign(**{PREDICTION: np.nan})
    yield "a feature all NaN", rows.assign(temp=np.nan)
    yield "a feature all inf", rows.assign(temp=np.inf)
    yield "all features NaN", rows.assign(**dict.fromkeys(_numbers(rows), np.nan))
    yield "a new category", rows.assign(origin="ZZZ")
    yield "a missing column", rows.drop(columns="distance")
    yield "text for a number", rows.assign(distance="far")
    yield "numbers for text", rows.assign(origin=1.0)
    yield "one moment", rows.assign(**{EVENT_TIME: UTC_NOON})
    yield "half of the window", rows[rows[EVENT_TIME] < UNTIL + WEEK / 2]
    for stream in (LABEL, PREDICTION):
        yield f"{stream} all inf", rows.assign(**{stream: np.inf})
        yield f"text for {stream}", rows.assign(**{stream: "far"})
        yield f"{stream} beyond all bounds", rows.assign(**{stream: 1e308})
    yield "all features inf", rows.assign(**dict.fromkeys(_numbers(rows), np.inf))
    yield "all features text", rows.assign(**dict.fromkeys(_numbers(rows), "far"))


UTC_NOON = UNTIL + pd.Timedelta("12h")


def judge_broken(rows: pd.DataFrame, spec: Spec) -> Table:
    """Judge a window of a carrier broken in every way.

    Raises:
        Exception: Whatever a judgement raised; it must not.
    """
    past = rows[rows[EVENT_TIME] < UNTIL]
    inside = (rows[EVENT_TIME] >= UNTIL) & (rows[EVENT_TIME] < UNTIL + WEEK)
    reference = learn_reference(
        past,
        (*spec.features, LABEL),
        until=UNTIL.to_pydatetime(),
        length=WEEK,
        task="classification",
    )
    table = Table("window", "status", "action", "judgement", title="5. Broken windows")
    for name, now in break_window(rows[inside].reset_index(drop=True)):
        evidence = Evidence(
            make_receipt(spec, len(now), UNTIL.to_pydatetime(), WEEK), now, reference, 0.45
        )
        judged = judge_window(spec, UNTIL.to_pydatetime() + 2 * WEEK, evidence, Memory())
        judged.to_json()  # NaN and infinity would raise
        table.add_row(name, judged.status, judged.action, judged.sentence)
    return table


def _numbers(rows: pd.DataFrame) -> list[str]:
    kept = (EVENT_TIME, LABEL, PREDICTION)
    return [
        str(name)
        for name in rows.columns
        if name not in kept and pd.api.types.is_float_dtype(rows[name])
    ]
