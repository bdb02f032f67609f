"""Predictions of rows: a probability, a decision and, for the rows that ask, the reasons."""

from dataclasses import asdict

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from tenantry.columns import EVENT_TIME
from tenantry.errors import ScoringError
from tenantry.explain import contributions
from tenantry.features.recipe import TENANT, table_features
from tenantry.metrics import Floats
from tenantry.models.fitted import POOLED_SCORE, FittedModel
from tenantry.reasons import top_reasons
from tenantry.rules import Rules, settle_rules
from tenantry.specs.features import texts_of
from tenantry.specs.model import Spec
from tenantry.wording import leading_words

PROBABILITY, DECISION, REASONS = "probability", "decision", "reasons"

LOW, HIGH = "low", "high"
"""The ends of the interval, where the spec asks for one; as in `monitoring.judge`."""

_REASON = pa.struct(
    {
        "feature": pa.string(),
        "title": pa.string(),
        "value": pa.string(),
        "contribution": pa.float64(),
    }
)


def predict_rows(model: FittedModel, rows: pd.DataFrame, spec: Spec) -> Floats:
    """Predict rows of the feature table: probabilities, or values.

    Args:
        model: The model.
        rows: n rows of the tenant's feature table.
        spec: The tenant's spec, maybe a later one than the model's.

    Raises:
        ScoringError: The spec has changed what the model reads. What scikit-learn says of it is
            left out: it quotes values.
    """
    lacking = _lacking(model, spec)
    if lacking:
        msg = f"its spec has no more {', '.join(lacking)}, which the model reads"
        raise ScoringError(msg)
    try:
        return model.predict(rows, spec)
    except ValueError:
        msg = "a feature is of another type in its spec than in the model"
        raise ScoringError(msg) from None


def _lacking(model: FittedModel, spec: Spec) -> list[str]:
    """Return the features that a model reads and a spec does not have."""
    lacking: set[str] = set()
    if model.own is not None:
        lacking |= {*model.own.feature_names_in_} - {*spec.features, POOLED_SCORE}
    if model.pooled is not None:
        lacking |= {*model.pooled.feature_names_in_} - {*spec.pooled.features, TENANT}
    return sorted(lacking)


def score_rows(
    model: FittedModel, rows: pd.DataFrame, spec: Spec, rules: Rules | None = None
) -> pd.DataFrame:
    """Predict rows of the feature table.

    Args:
        model: The model.
        rows: n rows of the tenant's feature table.
        spec: The tenant's spec: which rows ask for reasons and how many.
        rules: Threshold and interval; settled without the model's holdout when None.

    Returns:
        n rows: the key columns, `event_time`, `probability` (the value for regression), `decision`
        (whether the probability reaches the threshold; never for regression), `low` and `high`
        (only for a regression whose spec asks for an interval; missing where the model's holdout
        was too small for one) and `reasons` (an Arrow list of structures as `Reason`; missing for
        a row that does not ask).

    Raises:
        ScoringError: The spec has changed what the model reads.
    """
    probability = predict_rows(model, rows, spec)
    rules = rules or settle_rules(spec, None)
    decision = np.zeros(len(rows), dtype=bool)
    if rules.threshold is not None:
        decision = probability >= rules.threshold
    columns = list(dict.fromkeys((*spec.key, EVENT_TIME)))
    scored = rows[columns].assign(**{PROBABILITY: probability, DECISION: decision})
    if spec.predict.interval is not None:
        scored = scored.assign(**_ends(probability, rules))
    reasons = pa.array(_reasons(model, rows, spec, decision), type=pa.list_(_REASON))
    return scored.assign(**{REASONS: pd.arrays.ArrowExtensionArray(reasons)})


def _ends(predicted: Floats, rules: Rules) -> dict[str, Floats]:
    interval = rules.interval
    low, high = (interval.low, interval.high) if interval else (np.nan, np.nan)
    return {LOW: predicted + low, HIGH: predicted + high}


def _reasons(
    model: FittedModel, rows: pd.DataFrame, spec: Spec, decision: NDArray[np.bool_]
) -> list[list[dict[str, object]] | None]:
    """Return each row's reasons, largest first; None for the rows that do not ask."""
    rules = spec.predict.explain
    asks = {"all": np.ones_like(decision), "decided": decision, "none": np.zeros_like(decision)}
    asking = rows[asks[rules.rows]]
    if not rules.top or asking.empty:
        return [None] * len(rows)
    parts = contributions(model, asking, spec).contributions
    words = leading_words(model, asking, parts, spec) if texts_of(table_features(spec)) else {}
    found = iter(top_reasons(parts, asking, spec, top=rules.top, words=words))
    return [[asdict(one) for one in next(found)] if asked else None for asked in asks[rules.rows]]
