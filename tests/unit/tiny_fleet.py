"""Specs and feature tables of a small made-up product, for tests of models and training."""

import zlib
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from tenantry.specs.load import Fleet
from tenantry.specs.model import Spec

AS_OF = datetime(2013, 10, 1, tzinfo=UTC)

FEATURES = {
    "hour": {"kind": "calendar", "part": "hour"},
    "wind": {"kind": "numeric"},
    "distance": {"kind": "numeric"},
    "dest": {"kind": "categorical"},
    "origin": {"kind": "categorical"},
}

CANDIDATES = {
    "prior": {},
    "pooled": {},
    "logistic": {},
    "boosted": {"max_iter": 10},
    "stacked": {},
    "blended": {"max_weight": 0.6, "half_weight_rows": 500},
}


def make_spec(tenant="ua", *, candidates=None, model=None, **changes):
    """Make a spec; `model` changes its model part, `changes` its other parts."""
    parts = {"candidates": candidates or CANDIDATES, "validation": "28d", "min_rows": 100}
    return Spec.model_validate(
        {
            "product": "arrival-delay",
            "tenant": tenant,
            "sources": {
                "rows": [{"name": "rows", "connection": "here", "kind": "csv", "path": "rows.csv"}]
            },
            "row_filter": {"pattern": "(?P<carrier>[a-z0-9]{2})", "case": "upper"},
            "key": ["number"],
            "times": {"event_time": "departs", "label_known_at": {"delay": "36h"}},
            "contract": {"columns": {"number": {"type": "integer"}}},
            "label": {"column": "arr_delay", "above": 15},
            "features": FEATURES,
            "model": parts | (model or {}),
            "train": {"every": "28d", "history": "365d"},
            "gate": {"holdout": "28d"},
            "predict": {"window": "7d", "start": "2013-09-03"},
            "pooled": {"every": "28d", "features": FEATURES, "parameters": {"max_iter": 20}},
        }
        | changes
    )


def make_fleet(specs):
    """Make the fleet of some specs by name."""
    (first, *_) = specs.values()
    return Fleet(
        product=first.product,
        title="Late",
        description="",
        specs=specs,
        pooled=first.pooled,
        retention=first.retention,
        retire_max_share=1.0,
        tenants_may_set=(),
    )


def make_table(tenant="ua", *, rows=1500, seed=0, task="classification", days=200):
    """Make a feature table whose label hangs on hour, wind and destination.

    Rows are spread over the `days` before `AS_OF`; labels known later than that are missing.
    """
    random = np.random.default_rng([seed, zlib.crc32(tenant.encode())])
    ages = np.sort(random.uniform(0, days * 1440, rows).round())[::-1]
    event = pd.Series(pd.Timestamp(AS_OF) - pd.to_timedelta(ages, unit="m"))
    hour = event.dt.hour.astype("float64")
    wind = random.normal(10, 4, rows)
    dest = random.choice(["LAX", "SFO", "ORD", "BOS", "ANC"], rows, p=[0.4, 0.3, 0.2, 0.09, 0.01])
    logit = -2.2 + 0.12 * (hour - 10) + 0.12 * (wind - 10) + 0.8 * (dest == "ORD")
    logit = logit + 0.4 * random.standard_normal()
    chance = random.random(rows)
    label = (chance < 1 / (1 + np.exp(-logit))).astype("float64")
    if task == "regression":
        label = 10 * logit + random.normal(0, 5, rows)
    known = event + pd.Timedelta("36h")
    return pd.DataFrame(
        {
            "number": np.arange(rows, dtype="float64"),
            "event_time": event.astype("datetime64[us, UTC]"),
            "known_at": event.astype("datetime64[us, UTC]"),
            "label_known_at": known.astype("datetime64[us, UTC]"),
            "label": np.where(known <= pd.Timestamp(AS_OF), label, np.nan),
            "hour": hour,
            "wind": np.where(random.random(rows) < 0.05, np.nan, wind),
            "distance": random.uniform(100, 2500, rows),
            "dest": pd.Series(dest, dtype="str"),
            "origin": pd.Series(random.choice(["EWR", "JFK", "LGA"], rows), dtype="str"),
        }
    )
