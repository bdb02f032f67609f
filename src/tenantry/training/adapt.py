"""Adapting the pooled trees to a tenant: the same splits, leaf values nearer to its own rows."""

import numpy as np
from sklearn.pipeline import Pipeline

from tenantry.errors import TrainingError
from tenantry.metrics import Floats
from tenantry.models.card import Task
from tenantry.models.leaves import Fallen, has_single_trees, node_rows, node_values
from tenantry.models.link import from_link


def adapt_leaves(
    pipeline: Pipeline, fallen: Fallen, label: Floats, *, task: Task, row_weight: float
) -> Floats:
    """Return leaf values of the pooled trees for a tenant.

    The trees are gone through in the order in which they were boosted. In each, the tenant's rows
    ask for a step of their own: Newton's, from what the adapted trees before it say, scaled by the
    learning rate as the pooled one was (Friedman, 2001, "Greedy function approximation", §4). A
    leaf's new value is the mean of the pooled step, weighed by the pooled rows in the leaf, and the
    tenant's, weighed by `row_weight` times its rows there. So a leaf that no row of the tenant
    falls into stays as it was, and without rows the pooled model comes out: as if the pooled model
    had been trained with more copies of the tenant's rows, at a thousandth of the cost.

    Args:
        pipeline: The pooled model; one that can be adapted.
        fallen: Where n rows of the tenant fall in its trees.
        label: Their labels.
        task: What is predicted.
        row_weight: How many pooled rows one of the tenant's counts for.

    Returns:
        One value a node, as `models.leaves.with_node_values` takes them.
    """
    values, shared = node_values(pipeline), node_rows(pipeline)
    if not len(label):
        return values
    rate = pipeline[-1].learning_rate
    scores = np.full(len(label), fallen.baseline)
    for place in fallen.places:
        gap, curvature = _gap(scores, label, task)
        start = place.min()
        node = place - start
        rows = np.bincount(node)
        there = np.flatnonzero(rows)
        step = rate * np.bincount(node, gap)[there] / np.bincount(node, curvature)[there]
        leaf, own = start + there, row_weight * rows[there]
        values[leaf] += own / (shared[leaf] + own) * (step - values[leaf])
        scores += values[place]
    return values


def can_adapt(pipeline: Pipeline, task: Task) -> bool:
    """Return whether the pooled model is boosted trees with one output, which can be adapted."""
    return task != "multiclass" and has_single_trees(pipeline)


def check_adaptable(pipeline: Pipeline, task: Task) -> None:
    """Refuse a pooled model that cannot be adapted.

    Raises:
        TrainingError: It is no boosted trees with one output.
    """
    if not can_adapt(pipeline, task):
        msg = "only a pooled model of boosted trees with one output can be adapted"
        raise TrainingError(msg)


def _gap(scores: Floats, label: Floats, task: Task) -> tuple[Floats, Floats]:
    """Return by how much labels are above what is predicted, and the loss's second derivative."""
    predicted = from_link(scores, task)
    if task == "regression":
        return label - predicted, np.ones(len(label))
    return label - predicted, np.maximum(predicted * (1 - predicted), 1e-6)
