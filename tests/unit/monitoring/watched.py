"""A small tenant to watch: spec, a feature table of fourteen weeks, predictions of its windows."""

import io
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from tenantry.digests import sha256
from tenantry.predictions import PredictionFile, Receipt, prediction_folder
from tenantry.specs.model import Spec
from tenantry.times import Window

TRAINED = datetime(2013, 10, 1, tzinfo=UTC)
AS_OF = datetime(2013, 11, 1, tzinfo=UTC)
WINDOWS = tuple(
    Window(TRAINED + timedelta(days=7 * n), TRAINED + timedelta(days=7 * n + 7)) for n in range(4)
)
MODEL = "20131001T000000Z-aaaaaaaaaaaa"


def make_spec(**changes):
    """Make the spec of a small product with two numbers and a category."""
    return Spec.model_validate(
        {
            "product": "arrival-delay",
            "tenant": "ua",
            "sources": {
                "rows": [{"name": "rows", "connection": "here", "kind": "csv", "path": "rows.csv"}]
            },
            "row_filter": {"pattern": "(?P<carrier>[a-z0-9]{2})", "case": "upper"},
            "key": ["number"],
            "times": {"event_time": "departs", "label_known_at": {"delay": "36h"}},
            "contract": {"columns": {"number": {"type": "integer"}}},
            "label": {"column": "arr_delay", "above": 15},
            "features": {
                "distance": {"kind": "numeric"},
                "temp": {"kind": "numeric"},
                "origin": {"kind": "categorical"},
            },
            "model": {"candidates": {"logistic": {}}, "validation": "28d"},
            "train": {"every": "28d", "history": "365d"},
            "gate": {"holdout": "28d"},
            "predict": {"window": "7d", "start": "2013-09-03"},
            "pooled": {"every": "28d"},
            **changes,
        }
    )


def make_table(start=datetime(2013, 7, 23, tzinfo=UTC), end=AS_OF, every="10min", seed=1):
    """Make a feature table: a row every ten minutes; a fifth of the labels are 1."""
    rng = np.random.default_rng(seed)
    when = pd.date_range(start, end, freq=every, inclusive="left").as_unit("us")
    size = len(when)
    return pd.DataFrame(
        {
            "number": np.arange(size, dtype=np.float64),
            "event_time": when,
            "known_at": when,
            "label_known_at": when + pd.Timedelta("36h"),
            "label": (rng.random(size) < 0.2).astype(float),
            "distance": rng.normal(1000, 200, size),
            "temp": rng.normal(60, 10, size),
            "origin": rng.choice(["EWR", "JFK", "LGA"], size),
        }
    )


def make_rows(table, window, probability=0.2):
    """Give the rows of a window a prediction."""
    inside = (table["event_time"] >= window.start) & (table["event_time"] < window.end)
    return table[inside].assign(prediction=probability).reset_index(drop=True)


def make_receipt(window=WINDOWS[0], **changes):
    """Make the receipt of a window's predictions."""
    fields = {
        "product": "arrival-delay",
        "tenant": "ua",
        "window": window.id,
        "model": MODEL,
        "model_digest": "d" * 64,
        "trained_until": TRAINED,
        "snapshot": "5" * 64,
        "features": "f" * 64,
        "as_of": AS_OF,
        "rows": 0,
        "decided": 0,
        "threshold": 0.5,
        "mean_probability": None,
        "in_sample": False,
    }
    return Receipt(**(fields | changes))


def predict(store, table, window, probability=0.2, **changes):
    """Store predictions of a window's rows and their receipt."""
    rows = make_rows(table, window, probability)
    frame = rows[["number", "event_time"]].assign(probability=rows["prediction"], decision=False)
    sink = io.BytesIO()
    frame.to_parquet(sink)
    folder = prediction_folder("arrival-delay", "ua", window, model=MODEL, snapshot="5" * 64)
    files = ()
    if len(rows):
        key = f"{folder}part-0.parquet"
        store.put(key, sink.getvalue())
        files = (PredictionFile(key=key, sha256=sha256(sink.getvalue()), rows=len(rows)),)
    receipt = make_receipt(window, **{"rows": len(rows), "files": files} | changes)
    store.put_if_absent(f"{folder}receipt.json", receipt.to_json())
    return receipt
