"""A model's appraisal: its curves on the holdout, and what drives its predictions."""

import pandas as pd

from tenantry.curves import Confusion, Curves, Driver, ReliabilityBin, Residuals, RocPoint
from tenantry.explain import drivers
from tenantry.features.recipe import table_features
from tenantry.metrics import (
    Floats,
    all_scores,
    confusion,
    confusion_of_classes,
    measure,
    reliability,
    residual_shares,
    roc_auc,
    roc_points,
)
from tenantry.models.fitted import FittedModel
from tenantry.reasons import title
from tenantry.specs.model import Spec

RESIDUAL_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Shares of the rows at which residuals are told."""


def appraise(  # noqa: PLR0913 - what an appraisal needs
    version: str,
    model: FittedModel,
    *,
    label: Floats,
    predicted: Floats,
    table: pd.DataFrame,
    spec: Spec,
    threshold: float | None = None,
) -> Curves:
    """Appraise a model.

    Args:
        version: Its version.
        model: The model as it is shipped.
        label: Labels of the holdout, shape (n,).
        predicted: What it said of them when it had not seen them, shape (n,); NaN when there was
            no such model then.
        table: The tenant's feature table, for the drivers; trees are only taken apart when the
            spec asks for reasons.
        spec: The tenant's spec.
        threshold: The probability from which the decision is yes; None for regression.
    """
    curves = Curves(version=version, metric=spec.model.metric, rows=len(label))
    if spec.predict.explain.rows != "none" and spec.predict.explain.top:
        curves = curves.model_copy(update={"drivers": _drivers(model, table, spec)})
    known = pd.notna(predicted)
    if not len(label) or not known.all():
        return curves
    return curves.model_copy(update=_quality(label, predicted, threshold, spec))


def _quality(
    label: Floats, predicted: Floats, threshold: float | None, spec: Spec
) -> dict[str, object]:
    if predicted.ndim == 2:
        bins = reliability((predicted.argmax(axis=1) == label) * 1.0, predicted.max(axis=1))
    else:
        bins = reliability(label, predicted)
    found: dict[str, object] = {
        "score": measure(spec.model.metric, label, predicted),
        "scores": all_scores(spec.model.metric, label, predicted),
        "reliability": tuple(
            ReliabilityBin(predicted=said, observed=was, rows=rows) for said, was, rows in bins
        ),
    }
    if predicted.ndim == 2:
        found["classes"] = spec.classes
        found["class_confusion"] = confusion_of_classes(label, predicted)
        return found
    if threshold is None:
        quantiles = residual_shares(label, predicted, RESIDUAL_SHARES)
        found["residuals"] = Residuals(shares=RESIDUAL_SHARES, quantiles=quantiles)
        return found
    cells = confusion(label, predicted, threshold)
    names = ("true_negatives", "false_positives", "false_negatives", "true_positives")
    found["confusion"] = Confusion(threshold=threshold, **dict(zip(names, cells, strict=True)))
    auc = roc_auc(label, predicted)
    if auc is not None:
        found["auc"] = auc
        found["roc"] = tuple(
            RocPoint(threshold=at, false_positive_rate=false, true_positive_rate=true)
            for at, false, true in roc_points(label, predicted)
        )
    return found


def _drivers(model: FittedModel, table: pd.DataFrame, spec: Spec) -> tuple[Driver, ...]:
    features = table_features(spec)
    return tuple(
        Driver(feature=name, title=title(name, features.get(name)), weight=weight)
        for name, weight in drivers(model, table, spec).items()
    )
