"""Leaves of boosted trees: where rows fall, and trees with other values in the same nodes."""

import numpy as np
import pytest

from tenantry.models.fitted import FittedModel, link_scores
from tenantry.models.leaves import (
    has_single_trees,
    leaf_places,
    node_rows,
    node_values,
    with_node_values,
)
from tests.unit.models.pipelines import fitted
from tests.unit.tiny_fleet import make_table

TABLE = make_table(rows=500)
ROWS = make_table(rows=80, seed=3)
TREES = ["trees", "encoded", "tree_values"]


@pytest.mark.parametrize("name", TREES)
def test_the_values_at_the_places_add_up_to_the_score(name):
    pipeline = fitted(name, TABLE)
    values, places = node_values(pipeline), leaf_places(pipeline, ROWS)
    baseline = float(np.ravel(pipeline[-1]._baseline_prediction)[0])
    total = baseline + sum(values[place] for place in places)
    np.testing.assert_allclose(total, link_scores(pipeline, ROWS), atol=1e-12)
    assert len(node_rows(pipeline)) == len(values)


@pytest.mark.parametrize("name", TREES)
def test_other_values_score_otherwise_and_leave_the_pipeline_alone(name):
    pipeline = fitted(name, TABLE)
    before = link_scores(pipeline, ROWS)
    baseline = float(np.ravel(pipeline[-1]._baseline_prediction)[0])
    doubled = with_node_values(pipeline, 2 * node_values(pipeline))
    expected = baseline + 2 * (before - baseline)
    np.testing.assert_allclose(link_scores(doubled, ROWS), expected, atol=1e-12)
    np.testing.assert_array_equal(link_scores(pipeline, ROWS), before)
    np.testing.assert_array_equal(node_values(doubled), 2 * node_values(pipeline))


def test_values_that_do_not_fit_are_refused():
    pipeline = fitted("trees", TABLE)
    values = node_values(pipeline)
    for wrong in (values[1:], np.full_like(values, np.nan)):
        with pytest.raises(ValueError, match="do not fit the pooled model's"):
            with_node_values(pipeline, wrong)


def test_only_boosted_trees_have_such_leaves():
    assert has_single_trees(fitted("encoded", TABLE))
    assert not has_single_trees(fitted("logistic", TABLE))


def test_leaves_without_pooled_trees_are_refused():
    own = fitted("logistic", TABLE)
    with pytest.raises(ValueError, match="need the pooled trees"):
        FittedModel("any", "classification", "own", own=own, leaves=np.zeros(3))
