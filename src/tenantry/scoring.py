"""Predictions of rows: a probability, a decision and, for the rows that ask, the reasons."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from tenantry.columns import EVENT_TIME, POOLED_SCORE
from tenantry.errors import ScoringError
from tenantry.explain import contributions
from tenantry.features.recipe import TENANT, table_features
from tenantry.metrics import Floats
from tenantry.models.fitted import FittedModel
from tenantry.predictions import DECISION, HIGH, LOW, PROBABILITIES, PROBABILITY, REASONS
from tenantry.reasons import top_reasons
from tenantry.rules import Rules, settle_rules
from tenantry.specs.features import texts_of
from tenantry.specs.model import Spec
from tenantry.wording import leading_words

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
        predicted = model.predict(rows, spec)
    except ValueError:
        msg = "a feature is of another type in its spec than in the model"
        raise ScoringError(msg) from None
    return _aligned(predicted, model.classes, spec.classes)


def _aligned(predicted: Floats, classes: tuple[str, ...], wanted: tuple[str, ...]) -> Floats:
    """Put probabilities into another order of classes; one that the model does not know gets 0."""
    if classes == wanted:
        return predicted
    known = {name: predicted[:, place] for place, name in enumerate(classes)}
    nothing = np.zeros(len(predicted))
    columns = np.stack([known.get(name, nothing) for name in wanted], axis=1)
    total = columns.sum(axis=1, keepdims=True)
    known_share = np.divide(
        columns, total, out=np.full_like(columns, 1 / len(wanted)), where=total > 0
    )
    return np.asarray(known_share, dtype=np.float64)


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
        n rows: the key columns, `event_time`, `probability` (the value for regression; of several
        classes the most probable one's), `decision` (whether the probability reaches the threshold;
        never for regression; of several classes the most probable one, missing where it does not
        reach it), `probabilities` (only of several classes: one a class), `low` and `high`
        (only for a regression whose spec asks for an interval; missing where the model's holdout
        was too small for one) and `reasons` (an Arrow list of structures as `Reason`; missing for
        a row that does not ask).

    Raises:
        ScoringError: The spec has changed what the model reads.
    """
    probability = predict_rows(model, rows, spec)
    rules = rules or settle_rules(spec, None)
    columns = list(dict.fromkeys((*spec.key, EVENT_TIME)))
    scored = rows[columns].assign(**_told(probability, rules, spec))
    decision = is_decided(scored)
    if spec.predict.interval is not None:
        scored = scored.assign(**_ends(probability, rules))
    reasons = pa.array(_reasons(model, rows, spec, decision), type=pa.list_(_REASON))
    return scored.assign(**{REASONS: pd.arrays.ArrowExtensionArray(reasons)})


def is_decided(scored: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which scored rows have a decision: yes, or a class."""
    decision = scored[DECISION]
    decided = decision if decision.dtype == bool else decision.notna()
    return np.asarray(decided, dtype=bool)


def _told(predicted: Floats, rules: Rules, spec: Spec) -> dict[str, Any]:
    """Return the columns that tell a prediction and the decision that follows from it."""
    if predicted.ndim == 1:
        threshold = np.inf if rules.threshold is None else rules.threshold
        return {PROBABILITY: predicted, DECISION: predicted >= threshold}
    names = pd.array(list(spec.classes), dtype="str")
    surest = predicted.max(axis=1)
    decision = pd.Series(names.take(predicted.argmax(axis=1)))
    parts = [pa.array(predicted[:, place]) for place in range(len(names))]
    struct = pa.StructArray.from_arrays(parts, names=list(spec.classes))
    return {
        PROBABILITY: surest,
        DECISION: decision.where(surest >= (rules.threshold or 0.0)).array,
        PROBABILITIES: pd.arrays.ArrowExtensionArray(pa.chunked_array([struct])),
    }


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
