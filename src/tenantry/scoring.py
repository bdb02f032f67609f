"""Predictions of rows: a probability, a decision and, for the rows that ask, the reasons.

Packed models are scored without scikit-learn, which then is not imported either.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from tenantry.columns import EVENT_TIME, POOLED_SCORE, TENANT
from tenantry.errors import ScoringError
from tenantry.explain import contributions
from tenantry.features.recipe import table_features
from tenantry.metrics import Floats
from tenantry.packed.frames import pooled_view
from tenantry.packed.model import PackedModel, Part
from tenantry.predictions import DECISION, HIGH, LOW, PROBABILITIES, PROBABILITY, REASONS
from tenantry.reason_columns import REASON, reason_array
from tenantry.rules import Rules, settle_rules
from tenantry.specs.features import texts_of
from tenantry.specs.model import Spec

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from tenantry.models.fitted import FittedModel


def predict_rows(model: FittedModel | PackedModel, rows: pd.DataFrame, spec: Spec) -> Floats:
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
        predicted = _predict(model, rows, spec)
    except ValueError:
        msg = "a feature is of another type in its spec than in the model"
        raise ScoringError(msg) from None
    if isinstance(model, PackedModel):
        return predicted
    return _aligned(predicted, model.classes, spec.classes)


def _predict(model: FittedModel | PackedModel, rows: pd.DataFrame, spec: Spec) -> Floats:
    if isinstance(model, PackedModel):
        return model.predict(rows, pooled_view(rows, spec))
    return model.predict(rows, spec)


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


def _lacking(model: FittedModel | PackedModel, spec: Spec) -> list[str]:
    """Return the features that a model reads and a spec does not have."""
    lacking: set[str] = set()
    if model.own is not None:
        lacking |= {*_features(model.own)} - {*spec.features, POOLED_SCORE}
    if model.pooled is not None:
        lacking |= {*_features(model.pooled)} - {*spec.pooled.features, TENANT}
    return sorted(lacking)


def _features(part: Part | Pipeline) -> Iterable[str]:
    return part.features if isinstance(part, Part) else map(str, part.feature_names_in_)


def score_rows(
    model: FittedModel | PackedModel, rows: pd.DataFrame, spec: Spec, rules: Rules | None = None
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
    columns: dict[str, Any] = {name: rows[name] for name in (*spec.key, EVENT_TIME)}
    columns |= _told(probability, rules, spec)
    if spec.predict.interval is not None:
        columns |= _ends(probability, rules)
    reasons = _reasons(model, rows, spec, _decided(columns[DECISION]))
    columns[REASONS] = pd.arrays.ArrowExtensionArray(reasons)
    return pd.DataFrame(columns, index=rows.index, copy=False)


def is_decided(scored: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which scored rows have a decision: yes, or a class."""
    return _decided(scored[DECISION])


def _decided(decision: Any) -> NDArray[np.bool_]:  # noqa: ANN401 - any column
    return np.asarray(decision if decision.dtype == bool else ~pd.isna(decision), dtype=bool)


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
    model: FittedModel | PackedModel, rows: pd.DataFrame, spec: Spec, decision: NDArray[np.bool_]
) -> pa.ListArray:
    """Return each row's reasons, largest first; missing for the rows that do not ask."""
    rules = spec.predict.explain
    asks = {"all": np.ones_like(decision), "decided": decision, "none": np.zeros_like(decision)}
    asked = asks[rules.rows]
    asking = rows if asked.all() else rows[asked]
    if not rules.top or asking.empty:
        return pa.nulls(len(rows), pa.list_(REASON))
    parts = contributions(model, asking, spec).contributions
    words = {}
    if not isinstance(model, PackedModel) and texts_of(table_features(spec)):
        from tenantry.wording import leading_words

        words = leading_words(model, asking, parts, spec)
    return reason_array(parts, asking, spec, top=rules.top, words=words, asked=asked)
