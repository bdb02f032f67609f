"""The measures of quality that selection, gate and monitor share; lower is better, except ROC AUC.

Every metric is the mean of a loss a row, so that it can be resampled by blocks; only the root of
the mean squared error takes one more step, `from_mean`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_EDGE = 1e-15
"""A probability of 0 or 1 that is wrong costs 34.5, not infinity."""


def row_losses(metric: str, label: Floats, predicted: Floats) -> Floats:
    """Return each row's loss.

    Args:
        metric: A key of `figures.TITLES`.
        label: Labels, 0 or 1 for classification, codes of classes; shape (n,), no NaN.
        predicted: Probabilities (or values), shape (n,), of K classes (n, K), no NaN.

    Returns:
        n losses; their mean, passed through `from_mean`, is the metric.
    """
    if predicted.ndim == 2:
        return _class_losses(metric, label, predicted)
    if metric == "log_loss":
        sure = np.clip(predicted, _EDGE, 1 - _EDGE)
        return np.asarray(-(label * np.log(sure) + (1 - label) * np.log1p(-sure)))
    error = predicted - label
    return np.asarray(np.abs(error) if metric == "mae" else error**2)


def _class_losses(metric: str, label: Floats, predicted: Floats) -> Floats:
    """Return the losses of probabilities of classes, shape (n, K): log loss, or Brier's score."""
    truth = label.astype(np.int64)
    if metric == "log_loss":
        told = predicted[np.arange(len(truth)), truth]
        return np.asarray(-np.log(np.clip(told, _EDGE, 1)))
    return np.asarray(((predicted - np.eye(predicted.shape[1])[truth]) ** 2).sum(axis=1))


def from_mean(metric: str, mean: Floats) -> Floats:
    """Turn means of `row_losses` into values of the metric, whatever the shape."""
    return np.asarray(np.sqrt(mean) if metric == "rmse" else mean)


def measure(metric: str, label: Floats, predicted: Floats) -> float:
    """Return the metric over n rows, n ≥ 1; arguments as for `row_losses`."""
    return float(from_mean(metric, row_losses(metric, label, predicted).mean()))


def all_scores(metric: str, label: Floats, predicted: Floats) -> dict[str, float]:
    """Return the metrics of a task that go with `metric`, those that are defined for these rows.

    Args:
        metric: A key of `figures.TITLES`; says what the task is.
        label: Labels, shape (n,), n ≥ 1, no NaN.
        predicted: Predictions, shape (n,), of K classes (n, K), no NaN.

    Returns:
        `log_loss`, `brier` and, with both classes, `roc_auc`; for regression `mae`, `rmse` and,
        where labels differ, `r2`; of several classes `log_loss`, `brier`, `accuracy` and, as means
        over the classes that are there, `macro_f1` and `macro_auc` (each against the rest).
    """
    if predicted.ndim == 2:
        scores = {name: measure(name, label, predicted) for name in ("log_loss", "brier")}
        return scores | class_scores(label, predicted)
    if metric in ("mae", "rmse"):
        scores = {name: measure(name, label, predicted) for name in ("mae", "rmse")}
        share = r_squared(label, predicted)
        return scores if share is None else scores | {"r2": share}
    scores = {name: measure(name, label, predicted) for name in ("log_loss", "brier")}
    area = roc_auc(label, predicted)
    return scores if area is None else scores | {"roc_auc": area}


def class_scores(label: Floats, predicted: Floats) -> dict[str, float]:
    """Return accuracy, macro F1 and macro AUC of probabilities of classes, shape (n, K).

    The means are over the classes that occur among the labels; an AUC is each class's against the
    rest, and is left out when there is one class only.
    """
    said = predicted.argmax(axis=1)
    f1, areas = [], []
    for code in np.unique(label).astype(np.int64):
        is_class, is_said = label == code, said == code
        hits = 2.0 * float((is_class & is_said).sum())
        f1.append(hits / float(is_class.sum() + is_said.sum()))
        areas.append(roc_auc(is_class.astype(np.float64), predicted[:, code]))
    known = [area for area in areas if area is not None]
    scores = {"accuracy": float((said == label).mean()), "macro_f1": float(np.mean(f1))}
    return scores | ({"macro_auc": float(np.mean(known))} if known else {})


def r_squared(label: Floats, predicted: Floats) -> float | None:
    """Return the share of the labels' variance that is explained; None when they are all equal."""
    spread = float(((label - label.mean()) ** 2).sum())
    return 1 - float(((label - predicted) ** 2).sum()) / spread if spread else None


def residual_shares(label: Floats, predicted: Floats, shares: Sequence[float]) -> tuple[float, ...]:
    """Return the quantiles of label less prediction at these shares, each between 0 and 1."""
    return tuple(np.quantile(label - predicted, shares).tolist())


def roc_auc(label: Floats, predicted: Floats) -> float | None:
    """Return the area under the ROC curve, ties counted half; None with one class only."""
    positive = label > 0.5
    positives = int(positive.sum())
    negatives = len(label) - positives
    if not positives or not negatives:
        return None
    _, place, count = np.unique(predicted, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]
    area = rank[positive].sum() - positives * (positives + 1) / 2
    return float(area / (positives * negatives))


def roc_points(
    label: Floats, predicted: Floats, most: int = 50
) -> list[tuple[float, float, float]]:
    """Return at most `most` points of the ROC curve, evenly along it, both ends included.

    Args:
        label: Labels, 0 or 1, shape (n,); both classes.
        predicted: Probabilities, shape (n,).
        most: How many points, at least 2.

    Returns:
        (threshold, false positive rate, true positive rate), thresholds falling from 1; the rates
        are those of saying yes at the threshold or above.
    """
    order = np.argsort(-predicted, kind="stable")
    last = np.flatnonzero(np.append(np.diff(predicted[order]) != 0, True))
    positives = np.cumsum(label[order] > 0.5)[last]
    negatives = last + 1 - positives
    points = [(1.0, 0.0, 0.0)]
    chosen = np.unique(np.linspace(0, len(last) - 1, min(most - 1, len(last))).round().astype(int))
    for place in chosen:
        threshold = float(predicted[order][last[place]])
        rates = negatives[place] / negatives[-1], positives[place] / positives[-1]
        points.append((threshold, float(rates[0]), float(rates[1])))
    return points


def reliability(label: Floats, predicted: Floats, bins: int = 10) -> list[tuple[float, float, int]]:
    """Compare predicted and observed means in bins of as equal numbers of rows as can be.

    Returns:
        (mean prediction, mean label, rows) of each bin, predictions rising.
    """
    order = np.argsort(predicted, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return [(float(predicted[p].mean()), float(label[p].mean()), len(p)) for p in parts]


def confusion_of_classes(label: Floats, predicted: Floats) -> tuple[tuple[int, ...], ...]:
    """Count rows by class, one line each, and by the class that is most probable."""
    number = predicted.shape[1]
    cells = label.astype(np.int64) * number + predicted.argmax(axis=1)
    counts = np.bincount(cells, minlength=number**2).reshape(number, number)
    return tuple(tuple(line) for line in counts.tolist())


def confusion(label: Floats, predicted: Floats, threshold: float) -> tuple[int, int, int, int]:
    """Count true negatives, false positives, false negatives and true positives."""
    yes, positive = predicted >= threshold, label > 0.5
    pairs = ((~yes & ~positive), (yes & ~positive), (~yes & positive), (yes & positive))
    counts = [int(pair.sum()) for pair in pairs]
    return counts[0], counts[1], counts[2], counts[3]
