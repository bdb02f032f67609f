"""A tenant of which something can be told; `python -m tests.unit.insights.told FILE` writes it."""

import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from tenantry.digests import sha256
from tenantry.insights.gather import gather_insights
from tenantry.insights.record import PeerFigure, Peers
from tenantry.parquet import to_parquet
from tenantry.predictions import PredictionFile, prediction_folder
from tenantry.times import Window
from tests.unit.memory_store import MemoryStore
from tests.unit.monitoring.watched import MODEL, make_receipt, make_spec

START = pd.Timestamp("2013-10-01", tz="UTC").to_pydatetime()
AS_OF = START + timedelta(days=70)
WINDOWS = tuple(
    Window(START + timedelta(days=7 * n), START + timedelta(days=7 * n + 7)) for n in range(10)
)
FEATURES = {
    "origin": {"kind": "categorical", "title": "from"},
    "dest": {"kind": "categorical", "title": "to"},
    "hour": {"kind": "calendar", "part": "hour", "title": "hour of departure"},
    "weekday": {"kind": "calendar", "part": "weekday", "title": "day of the week"},
    "wind": {"kind": "numeric", "title": "wind", "unit": "mph"},
    "route_late_7d": {
        "kind": "history", "of": "label", "by": ["origin", "dest"], "over": "7d",
        "title": "late flights on this route in the last 7 days", "unit": "share",
    },
}  # fmt: skip


def spec_of(**changes):
    """Make the spec: routes, hours and weekdays; half of the rows ask for reasons."""
    label = {"column": "arr_delay", "above": 15, "title": "arrives more than 15 minutes late"}
    return make_spec(**({"features": FEATURES, "label": label} | changes))


def make_rows(seed=1, days=70, each_day=60, effect=0.3):
    """Make rows whose outcome is likelier on one route, by `effect`, and shares a day's weather."""
    rng = np.random.default_rng(seed)
    size = days * each_day
    when = pd.date_range(START, periods=size, freq=timedelta(days=1) / each_day).as_unit("us")
    origin, dest = rng.choice(["EWR", "JFK"], size), rng.choice(["ATL", "ORD", "SFO"], size)
    weather = np.repeat(rng.normal(0, 0.05, days), each_day)
    bad = (origin == "EWR") & (dest == "ORD")
    chance = np.clip(0.2 + weather + effect * bad, 0.01, 0.99)
    return pd.DataFrame(
        {
            "number": np.arange(size, dtype=np.float64),
            "event_time": when,
            "known_at": when,
            "label_known_at": when + pd.Timedelta("3h"),
            "label": (rng.random(size) < chance).astype(float),
            "origin": origin,
            "dest": dest,
            "hour": when.hour.astype(float),
            "weekday": when.weekday.astype(float),
            "wind": rng.normal(10, 3, size),
            "route_late_7d": 0.2,
            "prediction": np.clip(chance + rng.normal(0, 0.05, size), 0.02, 0.98),
        }
    )


def make_reasons(rows, seed=2):
    """Give every second row two reasons; wind weighs more in the last four weeks."""
    rng = np.random.default_rng(seed)
    late = (rows["event_time"] >= AS_OF - timedelta(days=28)).to_numpy()

    def reasons(place):
        if place % 2:
            return None
        names = {"wind": 1.0 if late[place] else 0.2, "route_late_7d": 0.8}
        return [
            {
                "feature": name,
                "title": name,
                "value": "1",
                "contribution": weight * sign * rng.uniform(0.8, 1.2),
            }
            for name, weight in names.items()
            if (sign := 1 if rng.random() < 0.7 else -1)
        ]

    kinds = [("feature", pa.string()), ("title", pa.string()), ("value", pa.string())]
    kind = pa.list_(pa.struct([*kinds, ("contribution", pa.float64())]))
    told = pa.array([reasons(place) for place in range(len(rows))], type=kind)
    return pd.arrays.ArrowExtensionArray(told)


def store_of(rows, windows=WINDOWS, **changes):
    """Store predictions of the windows' rows with reasons."""
    store = MemoryStore()
    kept = [name for name in ("number", "event_time", "probabilities") if name in rows]
    shown = rows[kept].assign(
        probability=rows["prediction"], decision=rows["prediction"] >= 0.4,
        reasons=make_reasons(rows),
    )  # fmt: skip
    for window in windows:
        inside = (rows["event_time"] >= window.start) & (rows["event_time"] < window.end)
        content = to_parquet(shown[inside].reset_index(drop=True))
        folder = prediction_folder("arrival-delay", "ua", window, model=MODEL, snapshot="5" * 64)
        file = PredictionFile(key=f"{folder}part-0.parquet", sha256=sha256(content), rows=1)
        store.put(file.key, content)
        fields = {"files": (file,), "threshold": 0.4, "as_of": AS_OF} | changes
        store.put(f"{folder}receipt.json", make_receipt(window, **fields).to_json())
    return store


def make_insights(rows=None, *, spec=None, as_of=AS_OF, **changes):
    """Gather what can be told of the tenant."""
    rows = make_rows() if rows is None else rows
    table = rows.drop(columns=["prediction", "probabilities"], errors="ignore")
    return gather_insights(store_of(rows, **changes), spec or spec_of(), table, as_of)


def of_classes(rows):
    """Return the spec of a label of two classes, and rows with a probability of each."""
    columns = {"queue": {"type": "category", "categories": ["calm", "busy"]}}
    spec = spec_of(
        label={"column": "queue", "task": "multiclass"},
        contract={"columns": {"number": {"type": "integer"}, **columns}},
    )
    busy = rows["prediction"].to_numpy()
    parts = pa.StructArray.from_arrays([pa.array(1 - busy), pa.array(busy)], ["calm", "busy"])
    told = pd.arrays.ArrowExtensionArray(pa.chunked_array([parts]))
    return spec, rows.assign(probabilities=told, prediction=np.maximum(busy, 1 - busy))


def with_peers(told):
    """Add peers, as the command line does."""
    figures = (
        PeerFigure(name="outcome", title="share that came true", own=0.25, low=0.17, median=0.2,
                   high=0.23),
        PeerFigure(name="auc", title="ROC AUC", own=0.71, low=0.66, median=0.7, high=0.74),
    )  # fmt: skip
    return told.model_copy(update={"peers": Peers(tenants=7, figures=figures)})


if __name__ == "__main__":
    from tenantry.report.insights_page import render_insights_page

    page = render_insights_page(with_peers(make_insights()))
    Path(sys.argv[1]).write_text(page, encoding="utf-8")
