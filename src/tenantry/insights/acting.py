"""What acting from a probability on would have meant, on outcomes that are known."""

import numpy as np
import pandas as pd

from tenantry.columns import EVENT_TIME, LABEL
from tenantry.insights.ratios import measure_ratios, number_days, sum_by_day
from tenantry.insights.record import Action
from tenantry.insights.segments import estimate_share
from tenantry.metrics import confusion
from tenantry.monitoring.streams import PREDICTION
from tenantry.specs.model import Spec
from tenantry.specs.operation import Costs

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""What is told besides the threshold in use."""


def weigh_actions(rows: pd.DataFrame, spec: Spec, current: float | None) -> tuple[Action, ...]:
    """Count hits, false alarms and misses at several thresholds.

    Args:
        rows: The rows whose outcome is known: `event_time`, `label` 0 or 1, `prediction`.
        spec: The tenant's spec: what mistakes cost.
        current: The threshold in use.

    Returns:
        The lowest threshold first; thresholds that nothing reaches are left out, save the one in
        use.
    """
    most = rows[PREDICTION].max()
    told = {one for one in THRESHOLDS if one <= most}
    told |= {current} if current is not None else set()
    return tuple(_weigh(rows, spec, one, is_current=one == current) for one in sorted(told))


def _weigh(rows: pd.DataFrame, spec: Spec, threshold: float, *, is_current: bool) -> Action:
    label = rows[LABEL].to_numpy(dtype=np.float64)
    predicted = rows[PREDICTION].to_numpy(dtype=np.float64)
    _, false_alarms, missed, hits = confusion(label, predicted, threshold)
    acted = (predicted >= threshold).astype(np.float64)
    costs = spec.predict.threshold
    day = number_days(rows[EVENT_TIME])
    daily = sum_by_day(acted, day)
    precision = measure_ratios(sum_by_day(acted * label, day), daily)
    came_true = hits + missed
    return Action(
        threshold=threshold,
        is_current=is_current,
        acted=hits + false_alarms,
        hits=hits,
        false_alarms=false_alarms,
        missed=missed,
        precision=estimate_share(precision, 0, daily.sum(axis=0)) if acted.any() else None,
        recall=hits / came_true if came_true else None,
        cost=false_alarms * costs.false_positive + missed * costs.false_negative
        if isinstance(costs, Costs)
        else None,
    )
