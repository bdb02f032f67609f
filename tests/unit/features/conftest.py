"""Small rows frames and specs for the tests of features."""

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter

from tenantry.specs.features import Feature
from tenantry.specs.model import Spec

FEATURES = TypeAdapter(dict[str, Feature])


def parse_features(declared):
    """Read features as a spec would."""
    return FEATURES.validate_python(declared)


def make_spec(features, *, pooled=None, **changes):
    """Make a spec of a small product with these features."""
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
            "features": features,
            "model": {"candidates": {"logistic": {}}, "validation": "28d"},
            "train": {"every": "28d", "history": "365d"},
            "gate": {"holdout": "28d"},
            "predict": {"window": "7d", "start": "2013-09-03"},
            "pooled": {"every": "28d", "features": pooled or {}},
            **changes,
        }
    )


def make_rows(minutes, *, known=None, learned=None, **columns):
    """Make a rows frame; times are minutes after the start of 2013, NaN for a missing one."""
    size = len(minutes)
    known = minutes if known is None else known
    learned = [minute + 36 * 60 for minute in minutes] if learned is None else learned
    return pd.DataFrame(
        {
            "number": np.arange(size, dtype=np.float64),
            "event_time": as_times(minutes),
            "known_at": as_times(known),
            "label_known_at": as_times(learned),
            "label": np.full(size, np.nan),
        }
        | columns
    )


def as_times(minutes):
    """Return minutes after the start of 2013 as a column of times."""
    after = pd.to_timedelta(pd.Series(minutes, dtype="float64"), unit="m")
    return (pd.Timestamp("2013-01-01", tz="UTC") + after).astype("datetime64[us, UTC]")


@pytest.fixture
def flights():
    """A few hundred rows with ties, missing values and labels not yet known."""
    random = np.random.default_rng(11)
    size = 400
    minutes = np.sort(random.integers(0, 20 * 1440, size) // 30 * 30)
    delay = np.where(random.random(size) < 0.1, np.nan, random.integers(-20, 90, size))
    dest = pd.Series(random.choice(["LAX", "SFO", "ORD"], size), dtype="str")
    return make_rows(
        minutes,
        learned=minutes + random.integers(60, 36 * 60, size),
        label=np.where(np.isnan(delay), np.nan, delay > 15).astype(np.float64),
        arr_delay=delay,
        origin=pd.Series(random.choice(["EWR", "JFK"], size), dtype="str"),
        dest=dest.where(random.random(size) < 0.95),
        temp=np.where(random.random(size) < 0.2, np.nan, random.normal(50, 10, size).round(1)),
    )
