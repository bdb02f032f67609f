"""History: a statistic of the tenant's own past, of what was known when the row became known."""

import numpy as np
import pandas as pd

from tenantry.columns import KNOWN_AT, LABEL_KNOWN_AT
from tenantry.features.calendar import local_part
from tenantry.features.windows import Floats, Timeline, groups_of, moments_of, sum_spans
from tenantry.specs.features import HistoryFeature


def past_statistic(rows: pd.DataFrame, feature: HistoryFeature, timezone: str) -> Floats:
    """Compute a history feature.

    For a row known at ``k`` the rows that count are those that

    - are alike in the columns `by` (missing values are alike), and happen in the same local hour
      or on the same weekday where `same` says so,
    - have ``k - over < label_known_at ≤ k``: what people would have learned in that span,
    - have a finite value in the column `of`, whatever column that is: it is taken to be known when
      the row's label is,
    - are not the row itself.

    Args:
        rows: A rows frame; `known_at` is never missing.
        feature: What to compute.
        timezone: Of `same`, an IANA name.

    Returns:
        One value a row. A mean of fewer than `min_rows` rows is NaN; a count is never NaN.
    """
    values = np.asarray(rows[feature.of], dtype=np.float64)
    learned, asked = moments_of(rows[LABEL_KNOWN_AT]), moments_of(rows[KNOWN_AT])
    counted = np.isfinite(values) & rows[LABEL_KNOWN_AT].notna().to_numpy()
    part = local_part(rows, feature.same, timezone) if feature.same else None
    groups = groups_of(rows, feature.by, part)
    past = Timeline.of(groups, learned, counted)
    over = int(feature.over.total_seconds() * 1_000_000)
    start, stop = past.ends(groups, asked - over), past.ends(groups, asked)
    own = past.places_in_order(len(rows))
    inside = (own >= start) & (own < stop)
    count = (stop - start - inside).astype(np.float64)
    if feature.statistic == "count":
        return count
    before = np.where(inside, own, stop)
    past_values = values[past.order]
    total = sum_spans(past_values, start, before)
    total[inside] += sum_spans(past_values, own[inside] + 1, stop[inside])
    mean = np.full(len(rows), np.nan)
    np.divide(total, count, out=mean, where=count >= feature.min_rows)
    return mean
