"""What drives a tenant's predictions, by the reasons that they were given, and what changed."""

import numpy as np
import pandas as pd

from tenantry.insights.ratios import Ratios, adjust, measure_ratios, subtract
from tenantry.insights.record import Driver, Drivers
from tenantry.insights.segments import estimate
from tenantry.reasons import title
from tenantry.specs.model import Spec

CHANGED = 0.1
"""So large a share of the changes that are told is false, on average, at most."""

_ASKED = {
    "decided": "only those at or above the threshold in use get some",
    "all": "all get some, but few were made in the last 28 days",
    "none": "the spec asks for none",
}

MIN_ROWS = 30
"""Predictions with reasons below which a span says little."""


def weigh_reasons(now: pd.DataFrame, before: pd.DataFrame, spec: Spec) -> Drivers:
    """Weigh the reasons of one span, and compare them with those of the span before.

    A feature's share is its part of the absolute contributions of all reasons given; errors are
    of whole days.

    Args:
        now: One line a reason: `row`, `day`, `feature`, `contribution`.
        before: The same of the span before.
        spec: The tenant's spec: titles.
    """
    rows, rows_before = now["row"].nunique(), before["row"].nunique()
    told = {"rows": rows, "rows_before": rows_before}
    if rows < MIN_ROWS:
        asked = spec.predict.explain.rows
        return Drivers(**told, note=f"Too few predictions have reasons to tell: {_ASKED[asked]}.")
    names = sorted({*now["feature"], *before["feature"]})
    shares = _shares(now, names)
    raising = now[now["contribution"] > 0].groupby("feature")["contribution"].sum()
    weight = now["contribution"].abs().groupby(now["feature"]).sum()
    changes, changed = None, np.zeros(len(names), dtype=bool)
    if rows_before >= MIN_ROWS:
        earlier = _shares(before, names)
        changes = subtract(shares, earlier)
        changed = adjust(changes.p_values()) <= CHANGED
    drivers = [
        Driver(
            feature=name,
            title=title(name, spec.features.get(name)),
            share=float(shares.value[place]),
            raises=float(raising.get(name, 0.0) / weight[name]) if weight.get(name) else 0.0,
            before=float(earlier.value[place]) if changes else None,
            change=estimate(changes, place) if changes else None,
            has_changed=bool(changed[place]),
        )
        for place, name in enumerate(names)
    ]
    return Drivers(
        **told, drivers=tuple(sorted(drivers, key=lambda one: (-one.share, one.feature)))
    )


def _shares(reasons: pd.DataFrame, names: list[str]) -> Ratios:
    weights = reasons["contribution"].abs().rename("weight")
    table = pd.concat([reasons[["day", "feature"]], weights], axis=1).pivot_table(
        index="day", columns="feature", values="weight", aggfunc="sum", fill_value=0.0
    )
    daily = table.reindex(columns=names, fill_value=0.0).to_numpy(dtype=np.float64)
    whole = np.repeat(daily.sum(axis=1, keepdims=True), len(names), axis=1)
    return measure_ratios(daily, whole)
