"""A small product with every kind of feature, its rows and its serving record, for tests."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from tenantry.contract import check_rows
from tenantry.features.recipe import build_features, table_features
from tenantry.models.card import Card
from tenantry.rules import settle_rules
from tenantry.serving.publish import make_record
from tests.unit.features.conftest import make_spec

START = datetime(2013, 3, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

FEATURES = {
    "temp": {"kind": "numeric"},
    "seats": {"kind": "numeric"},
    "dest": {"kind": "categorical"},
    "gate": {"kind": "categorical"},
    "remark": {"kind": "text"},
    "hour": {"kind": "calendar", "part": "hour"},
    "weekday": {"kind": "calendar", "part": "weekday"},
    "minute": {"kind": "calendar", "part": "minute_of_day"},
    "no_temp": {"kind": "missing", "column": "temp"},
    "late": {"kind": "history", "of": "label", "over": "1d"},
    "route": {"kind": "history", "of": "label", "by": ["origin", "dest"], "over": "3d",
              "min_rows": 2},
    "delay": {"kind": "history", "of": "arr_delay", "by": ["gate"], "over": "2d"},
    "cost": {"kind": "history", "of": "cost", "by": ["dest"], "same": "hour", "over": "5d"},
    "flown": {"kind": "history", "of": "label", "by": ["origin"], "same": "weekday",
              "statistic": "count", "over": "4d"},
    "busy": {"kind": "congestion", "by": ["origin"], "over": "3h"},
    "near": {"kind": "congestion", "over": "30m"},
}  # fmt: skip

POOLED = {
    "temp": {"kind": "numeric"},
    "hour": {"kind": "calendar", "part": "minute_of_day"},  # under another name in the table
    "busy": {"kind": "congestion", "by": ["origin"], "over": "3h"},
}

COLUMNS = {
    "carrier": {"type": "category", "required": True},
    "number": {"type": "integer", "required": True},
    "departs": {"type": "time", "required": True},
    "origin": {"type": "category", "categories": ["EWR", "JFK"]},
    "dest": {"type": "category"},
    "gate": {"type": "number", "min": 0, "max": 100},
    "temp": {"type": "number", "min": -60, "max": 130},
    "seats": {"type": "integer"},
    "remark": {"type": "text"},
    "arrived": {"type": "time"},
    "arr_delay": {"type": "number"},
    "cost": {"type": "number"},
}


def a_spec(features=FEATURES, **changes):
    """The product's spec for the tenant `ua`."""
    settings = {
        "key": ["carrier", "number", "departs"],
        "timezone": "America/New_York",
        "times": {"event_time": "departs", "label_known_at": {"column": "arrived"}},
        "contract": {"columns": COLUMNS, "max_quarantined_share": 1},
        "serving": {"enabled": True, "back": "1d"},
    }
    return make_spec(features, pooled=changes.pop("pooled", POOLED), **settings | changes)


def a_card(spec, **fields):
    """A card of a model of this spec that stands on a pooled one."""
    given = {
        "product": spec.product,
        "tenant": spec.tenant,
        "version": "20130301T000000Z-abcdefabcdef",
        "as_of": START,
        "trained_until": START,
        "recipe": "blended",
        "task": spec.label.task,
        "form": "blend",
        "weight": 0.5,
        "pooled": {"zone": "default", "version": "v", "digest": "p"},
        "file_digest": "m",
        "training_digest": "t",
        "spec_digest": "s",
        "snapshot": "s",
        "features": "f",
        "seed": 7,
        "code_version": "test",
        "rows": 100,
        "metric": "log_loss",
    }
    return Card.model_validate(given | fields)


def a_record(spec, **fields):
    """The serving record of that model."""
    return make_record(spec, a_card(spec, **fields), settle_rules(spec, None), packed="")


def make_flights(random, size, *, days=12.0):
    """Raw rows of some days: ties, missing values, labels that come late or never."""
    minutes = np.sort(random.integers(0, int(days * 1440), size) // 15 * 15)
    departs = [START + int(minute) * MINUTE for minute in minutes]
    delay = random.integers(-20, 90, size).astype(float)
    flight = random.integers(20, 2000, size)
    arrived = [at + int(after) * MINUTE for at, after in zip(departs, flight, strict=True)]
    never = random.random(size) < 0.1
    return pd.DataFrame(
        {
            "carrier": "UA",
            "number": np.arange(size) % 97,
            "departs": [at.isoformat() for at in departs],
            "origin": _some(random, ["EWR", "JFK", None], size),
            "dest": _some(random, ["LAX", "SFO", "ORD", None], size),
            "gate": _some(random, [1.0, 2.5, 15.0, None], size),
            "temp": _some(random, [31.5, 50.0, -7.25, None], size),
            "seats": _some(random, [150, 180, None], size),
            "remark": _some(random, ["fog at dawn", "", None], size),
            "arrived": [
                None if gone else at.isoformat() for gone, at in zip(never, arrived, strict=True)
            ],
            "arr_delay": np.where(never, np.nan, delay),
            "cost": np.where(never, np.nan, random.normal(100, 30, size)),
        }
    )


def _some(random, values, size):
    return [values[place] for place in random.integers(0, len(values), size)]


def as_built(checked, raw, spec, at):
    """The row of the feature table that the batch builds when this raw row is one of its rows."""
    far = datetime(2100, 1, 1, tzinfo=UTC)
    row = check_rows(pd.DataFrame([{**dict.fromkeys(COLUMNS), **raw}]), spec, far).rows
    row["known_at"] = row["known_at"].clip(upper=pd.Timestamp(at)).dt.as_unit("us")
    key = list(spec.key)
    others = checked.rows.merge(row[key], on=key, how="left", indicator=True)
    others = checked.rows[(others["_merge"] == "left_only").to_numpy()]
    frame = pd.concat([others, row.astype(others.dtypes.to_dict())], ignore_index=True)
    table = build_features(frame, table_features(spec), spec)
    same = (table[key].to_numpy(dtype=object) == row[key].to_numpy(dtype=object)).all(axis=1)
    (found,) = table[same].to_dict("records")
    return found
