"""What a model's ``metrics.json`` holds, and how the Kubeflow UI is given a shard's curves."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from pydantic import Field

from tenantry import layout
from tenantry.errors import ObjectMissingError
from tenantry.figures import TITLES
from tenantry.ledger import Ledger
from tenantry.records import Record
from tenantry.store.contract import ObjectStore

SHOWN_POINTS = 50
"""Points of a curve in the Kubeflow UI."""


class RocPoint(Record):
    """A point of a ROC curve: the rates of saying yes at the threshold or above."""

    threshold: float
    false_positive_rate: float
    true_positive_rate: float


class ReliabilityBin(Record):
    """Rows of similar predictions: what was said on average, and what happened."""

    predicted: float
    observed: float
    rows: int


class Confusion(Record):
    """How often the decision was right and wrong."""

    threshold: float
    true_negatives: int
    false_positives: int
    false_negatives: int
    true_positives: int


class Residuals(Record):
    """How far the label lies from the prediction: label less prediction, in the label's unit.

    Attributes:
        shares: Shares of the rows, rising.
        quantiles: So many of the rows' residuals are not above this; one a share.
    """

    shares: tuple[float, ...]
    quantiles: tuple[float, ...]


class Driver(Record):
    """A feature and how much it moves the tenant's predictions."""

    feature: str
    title: str
    weight: float


class Curves(Record):
    """How good a model was on the holdout, and what drives it.

    Attributes:
        version: The model's version.
        metric: The spec's metric.
        rows: Labelled rows of the holdout.
        score: The metric on the holdout; None without rows.
        scores: All metrics of the task there.
        auc: Area under the ROC curve; None for regression or with one class.
        roc: The ROC curve; empty where `auc` is None.
        reliability: In bins of equal numbers of rows, predictions rising; for regression this is
            predicted against actual; of several classes the probability of the most probable one
            against how often it was right.
        residuals: Of regression; None for classification.
        confusion: At the spec's threshold; None for regression.
        classes: Of a multi-class model.
        class_confusion: Rows by class, one line each, and by the most probable class.
        drivers: Features by their mean absolute contribution (log-odds, or the label's unit),
            largest first; empty when the spec asks for no reasons.
        not_packed: Why the model has no ``packed.bin``; empty where it has one, or never reigned.
    """

    version: str
    metric: str
    rows: int
    score: float | None = None
    scores: dict[str, float] = Field(default_factory=dict)
    auc: float | None = None
    roc: tuple[RocPoint, ...] = ()
    reliability: tuple[ReliabilityBin, ...] = ()
    residuals: Residuals | None = None
    confusion: Confusion | None = None
    classes: tuple[str, ...] = ()
    class_confusion: tuple[tuple[int, ...], ...] = ()
    drivers: tuple[Driver, ...] = ()
    not_packed: str = ""


def curves_key(product: str, tenant: str, version: str) -> str:
    """Return the key of a model's ``metrics.json``."""
    return f"{layout.model_folder(product, tenant, version)}metrics.json"


def read_curves(store: ObjectStore, product: str, tenant: str, version: str) -> Curves | None:
    """Read a model's curves; None when it has none."""
    key = curves_key(product, tenant, version)
    try:
        return Curves.from_json(store.get(key).content, key)
    except ObjectMissingError:
        return None


def read_shard_curves(ledger: Ledger, store: ObjectStore) -> list[Curves]:
    """Read the curves of a shard's challengers, by tenant."""
    found = []
    for entry in ledger.entries:
        version = entry.fact("train", "challenger")
        if isinstance(version, str):
            curves = read_curves(store, ledger.header.product, entry.tenant, version)
            found += [curves] if curves else []
    return found


def shown_metrics(ledger: Ledger, curves: Sequence[Curves] = ()) -> dict[str, float]:
    """Return the numbers for a Kubeflow Metrics artifact: one shard, all its tenants.

    Args:
        ledger: The shard's ledger: what the gate measured, by tenant.
        curves: Of its challengers: the mean of each metric of the task is shown.
    """
    shown: dict[str, float] = {}
    outcomes = {entry.tenant: entry.outcome("promote") for entry in ledger.entries}
    done = {tenant: outcome.facts for tenant, outcome in outcomes.items() if outcome}
    for tenant, facts in sorted(done.items()):
        for name in ("challenger_score", "rival_score", "gain"):
            value = facts.get(name)
            if isinstance(value, float):
                shown[f"{tenant}: {name.replace('_', ' ')}"] = round(value, 4)
    for name in sorted({name for one in curves for name in one.scores}):
        values = [one.scores[name] for one in curves if name in one.scores]
        shown[f"mean {TITLES.get(name, name.replace('_', ' '))}"] = round(
            sum(values) / len(values), 4
        )
    shown["promoted"] = float(sum(facts.get("promoted") is True for facts in done.values()))
    return shown


def shown_curves(curves: Sequence[Curves]) -> dict[str, Any]:
    """Return the metadata of a Kubeflow ClassificationMetrics artifact for a shard.

    The ROC curve is the mean over the shard's challengers at equal thresholds, the confusion
    matrix their sum; without a challenger that has both (regression has neither), nothing. Of
    several classes there is the matrix alone, of the challengers with the first one's classes.
    """
    several = [one for one in curves if one.class_confusion]
    if several:
        return {"confusionMatrix": _matrix_of_classes(several)}
    found = [one for one in curves if one.roc and one.confusion]
    if not found:
        return {}
    return {"confidenceMetrics": _mean_roc(found), "confusionMatrix": _confusion_matrix(found)}


def _matrix_of_classes(curves: Sequence[Curves]) -> dict[str, Any]:
    classes = curves[0].classes
    alike = [one.class_confusion for one in curves if one.classes == classes]
    rows = [
        {"row": [sum(cells) for cells in zip(*lines, strict=True)]}
        for lines in zip(*alike, strict=True)
    ]
    return {"annotationSpecs": [{"displayName": name} for name in classes], "rows": rows}


def _mean_roc(curves: Sequence[Curves]) -> list[dict[str, float]]:
    thresholds = [1 - step / (SHOWN_POINTS - 1) for step in range(SHOWN_POINTS)]
    points = []
    for threshold in thresholds:
        rates = [_rates_at(threshold, one.roc) for one in curves]
        points.append(
            {
                "confidenceThreshold": threshold,
                "falsePositiveRate": sum(rate[0] for rate in rates) / len(rates),
                "recall": sum(rate[1] for rate in rates) / len(rates),
            }
        )
    return points


def _rates_at(threshold: float, roc: Sequence[RocPoint]) -> tuple[float, float]:
    """Return the rates of the last point whose threshold is not below this one."""
    place = bisect_right(roc, -threshold, key=lambda point: -point.threshold)
    point = roc[max(place - 1, 0)]
    return point.false_positive_rate, point.true_positive_rate


def _confusion_matrix(curves: Sequence[Curves]) -> dict[str, Any]:
    counts = [one.confusion for one in curves if one.confusion]
    no = [sum(c.true_negatives for c in counts), sum(c.false_positives for c in counts)]
    yes = [sum(c.false_negatives for c in counts), sum(c.true_positives for c in counts)]
    names = ({"displayName": "no"}, {"displayName": "yes"})
    return {"annotationSpecs": list(names), "rows": [{"row": no}, {"row": yes}]}
