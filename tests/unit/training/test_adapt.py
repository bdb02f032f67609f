"""Adapted trees: the pooled model without rows, the tenant's own with very many."""

import numpy as np
import pytest

from tenantry.errors import TrainingError
from tenantry.features.recipe import pooled_frame
from tenantry.metrics import measure
from tenantry.models.fitted import link_scores
from tenantry.models.leaves import fall, node_values, with_node_values
from tenantry.training.adapt import adapt_leaves, check_adaptable
from tests.unit.models.pipelines import fitted
from tests.unit.tiny_fleet import AS_OF, make_spec, make_table
from tests.unit.training.chains import make_chain


@pytest.fixture(scope="module")
def pooled():
    return make_chain().before(AS_OF)


def rows_of(tenant, rows=800, task="classification"):
    table = make_table(tenant, rows=rows, task=task)
    table = table[table["label"].notna()].reset_index(drop=True)
    return pooled_frame(table, make_spec(tenant)), table["label"].to_numpy()


def adapted(pooled, frame, label, weight=4.0, task="classification"):
    values = adapt_leaves(pooled, fall(pooled, frame), label, task=task, row_weight=weight)
    return with_node_values(pooled, values)


def test_a_weight_of_zero_gives_the_pooled_model(pooled):
    frame, label = rows_of("ua")
    values = adapt_leaves(pooled, fall(pooled, frame), label, task="classification", row_weight=0)
    np.testing.assert_array_equal(values, node_values(pooled))


def test_no_rows_give_the_pooled_model(pooled):
    frame, label = rows_of("ua")
    values = adapt_leaves(
        pooled, fall(pooled, frame[:0]), label[:0], task="classification", row_weight=4
    )
    np.testing.assert_array_equal(values, node_values(pooled))


def test_the_more_rows_count_the_better_they_are_fitted(pooled):
    frame, _ = rows_of("zz")
    label = (frame["wind"].fillna(0) < 10).to_numpy(dtype="float64")  # the others' other way round
    losses = [
        measure("log_loss", label, 1 / (1 + np.exp(-link_scores(model, frame))))
        for model in (pooled, *(adapted(pooled, frame, label, w) for w in (0.1, 1, 10, 1000)))
    ]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.5 * losses[0]


def test_leaves_that_no_row_falls_into_stay_as_they_were(pooled):
    frame, label = rows_of("ua", rows=30)
    values = adapt_leaves(pooled, fall(pooled, frame), label, task="classification", row_weight=4)
    moved = np.flatnonzero(values != node_values(pooled))
    assert set(moved) <= set(fall(pooled, frame).places.ravel())
    assert len(moved)


def test_the_order_of_rows_does_not_matter(pooled):
    frame, label = rows_of("ua")
    turned = adapted(pooled, frame[::-1], label[::-1])
    np.testing.assert_allclose(
        node_values(turned), node_values(adapted(pooled, frame, label)), rtol=0, atol=1e-12
    )


def test_values_are_adapted_too():
    pooled = make_chain(task="regression").before(AS_OF)
    frame, label = rows_of("ua", task="regression")
    shifted = label + 20
    before = measure("rmse", shifted, link_scores(pooled, frame))
    after = link_scores(adapted(pooled, frame, shifted, 1000, "regression"), frame)
    assert measure("rmse", shifted, after) < 0.7 * before


def test_what_is_no_boosted_trees_cannot_be_adapted():
    with pytest.raises(TrainingError, match="only a pooled model of boosted trees"):
        check_adaptable(fitted("logistic", make_table()), "classification")
