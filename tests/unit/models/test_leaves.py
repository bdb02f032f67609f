"""Leaves of boosted trees: where rows fall, and trees with other values in the same nodes."""

import numpy as np
import pytest

from tenantry.models.fitted import FittedModel, link_scores
from tenantry.models.leaves import (
    fall,
    has_single_trees,
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
def test_the_values_of_the_leaves_that_rows_fall_into_are_the_score(name):
    pipeline = fitted(name, TABLE)
    fallen, values = fall(pipeline, ROWS), node_values(pipeline)
    np.testing.assert_array_equal(fallen.scores(values), link_scores(pipeline, ROWS))
    other = with_node_values(pipeline, values / 3)
    np.testing.assert_array_equal(fallen.scores(values / 3), link_scores(other, ROWS))
    assert len(node_rows(pipeline)) == len(values)


def test_some_of_the_rows_fall_as_they_do_among_all():
    pipeline = fitted("encoded", TABLE)
    some = (ROWS["hour"] > 12).to_numpy()
    np.testing.assert_array_equal(
        fall(pipeline, ROWS).only(some).places, fall(pipeline, ROWS[some]).places
    )
    assert fall(pipeline, ROWS[:0]).scores(node_values(pipeline)).shape == (0,)


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
