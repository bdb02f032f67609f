"""The bare script: pandas and scikit-learn read, build features, predict and write, nothing else.

It has no contract, no snapshot, no receipts and no reasons. Features and fits are those of the
bare script of benchmarks/scale, for more groups than that one can number in microseconds. A model
is fitted first, which is not measured.

``python -m benchmarks.scoring.bare FLIGHTS OUT RECIPE TRAINED`` prints CPU-seconds as JSON.
"""

import json
import resource
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.scale.bare import ROUTE, boosted, logistic, say

DAY = 1440
"""Minutes; moments are counted in them."""

FITS = {"logistic": logistic, "boosted": boosted}


def main(source: Path, out: Path, recipe: str, trained: pd.Timestamp) -> dict[str, float]:
    """Fit a model by what is known at a moment, then score all flights week by week."""
    head = pd.read_parquet(source, filters=[("date", "<", trained)])
    head["origin"] = head["origin"].astype(str)
    table = build_features(head)
    model = FITS[recipe](table[table["date"] + pd.Timedelta("1D") <= trained])
    del head, table
    began = _cpu()
    flights = pd.read_parquet(source)
    flights["origin"] = flights["origin"].astype(str)
    read = _cpu()
    table = build_features(flights)
    built = _cpu()
    weeks = (table["date"] - pd.Timestamp("2001-01-01", tz="UTC")).dt.days // 7
    for week, rows in table.groupby(weeks):
        scored = rows[["number", "date"]].assign(probability=say(model, rows))
        scored.to_parquet(out / f"{week}.parquet")
    ended = _cpu()
    return {
        "read": read - began,
        "features": built - read,
        "score and write": ended - built,
        "total": ended - began,
        "rows": len(table),
    }


def build_features(flights: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with their features: each sees what was known a week before it."""
    local = flights["date"].dt
    flights["label"] = (flights["delay"] > 15).astype(float)
    flights["hour"] = local.hour.astype(float)
    flights["weekday"] = local.weekday.astype(float)
    flights["minute_of_day"] = local.hour * 60.0 + local.minute
    event = flights["date"].dt.tz_localize(None).to_numpy("datetime64[m]").astype(np.int64)
    route = flights.groupby(ROUTE).ngroup().to_numpy(dtype=np.int64)
    by_hour = route * 24 + flights["hour"].to_numpy(dtype=np.int64)
    by_weekday = route * 7 + flights["weekday"].to_numpy(dtype=np.int64)
    late, delay = flights["label"].to_numpy(), flights["delay"].to_numpy(dtype=float)
    for name, group, values, days in (
        ("late_2d", route, late, 2),
        ("late_7d", route, late, 7),
        ("late_28d", route, late, 28),
        ("delay_7d", route, delay, 7),
        ("hour_delay_28d", by_hour, delay, 28),
        ("weekday_late_28d", by_weekday, late, 28),
    ):
        flights[name] = past_mean(group, event, values, days)
    return flights


def past_mean(
    group: NDArray[Any], event: NDArray[np.int64], values: NDArray[np.float64], days: int
) -> NDArray[np.float64]:
    """Return each row's mean of its group over so many days, as known a week before the row."""
    learned = event + DAY
    span = np.int64(1) << 40
    key = group * span + learned
    order = np.argsort(key, kind="stable")
    key, sums = key[order], np.concatenate([[0.0], np.cumsum(values[order])])
    asked = group * span + event - 7 * DAY
    stop = np.searchsorted(key, asked, side="right")
    start = np.searchsorted(key, asked - days * DAY, side="right")
    start = np.maximum(start, np.searchsorted(key, group * span))
    count = np.maximum(stop - start, 0)
    with np.errstate(invalid="ignore"):
        return np.where(count > 0, (sums[stop] - sums[start]) / count, np.nan)


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    told = main(Path(sys.argv[1]), folder, sys.argv[3], pd.Timestamp(sys.argv[4], tz="UTC"))
    sys.stdout.write(f"{json.dumps(told)}\n")
