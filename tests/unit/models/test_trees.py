"""Trees laid into one array come back as they were, and broken ones never reach scikit-learn."""

from copy import copy

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline

from tenantry.errors import ModelFileError
from tenantry.models.archive import pack
from tenantry.models.fitted import link_scores
from tenantry.models.trees import with_packed_trees, with_whole_trees
from tests.unit.models.pipelines import fitted
from tests.unit.tiny_fleet import make_table


@pytest.fixture(scope="module")
def table():
    return make_table(rows=400)


@pytest.fixture(scope="module", params=["trees", "tree_values", "encoded"])
def pipeline(request, table):
    return fitted(request.param, table)


def trees_of(pipeline):
    return [tree for iteration in pipeline["estimator"]._predictors for tree in iteration]


def broken(packed, **changes):
    estimator = copy(packed["own"]["estimator"])
    estimator._predictors = packed["own"]["estimator"]._predictors | changes
    return {"own": Pipeline([("columns", packed["own"]["columns"]), ("estimator", estimator)])}


def test_packing_and_unpacking_change_nothing(pipeline, table):
    whole = with_whole_trees(with_packed_trees({"own": pipeline, "weight": 0.5, "pooled": None}))
    assert (whole["weight"], whole["pooled"]) == (0.5, None)
    np.testing.assert_array_equal(link_scores(whole["own"], table), link_scores(pipeline, table))
    for one, other in zip(trees_of(whole["own"]), trees_of(pipeline), strict=True):
        np.testing.assert_array_equal(one.nodes, other.nodes)


def test_the_model_in_hand_stays_whole(pipeline, table):
    before = link_scores(pipeline, table)
    with_packed_trees({"own": pipeline})
    np.testing.assert_array_equal(link_scores(pipeline, table), before)


def test_the_trees_are_few_files(table):
    assert len(pack({"own": fitted("trees", table)})) < 20_000


def test_what_has_no_trees_is_left_alone(table):
    content = {"own": fitted("logistic", table), "recipe": "logistic"}
    assert with_packed_trees(content) == content
    assert with_whole_trees(content) == content


@pytest.mark.parametrize(
    "harm", ["child", "above", "feature", "no feature", "category", "size", "no nodes", "negative"]
)
def test_broken_trees_are_refused(table, harm):
    packed = with_packed_trees({"own": fitted("trees", table)})
    arrays = packed["own"]["estimator"]._predictors
    nodes, sizes = arrays["nodes"].copy(), arrays["sizes"].copy()
    if harm == "child":
        nodes["left"][np.flatnonzero(nodes["is_leaf"] == 0)[0]] = 10_000
    elif harm == "above":
        nodes["right"][np.flatnonzero(nodes["is_leaf"] == 0)[1]] = 0
    elif harm == "feature":
        nodes["feature_idx"][0] = 1000
    elif harm == "no feature":
        nodes["feature_idx"][0] = -1
    elif harm == "category":
        nodes["is_categorical"][0] = 1
    elif harm == "size":
        sizes[0] += 1
    elif harm == "no nodes":
        nodes = nodes[:0]
    else:
        sizes[0], sizes[1] = -1, sizes[0] + sizes[1] + 1
    with pytest.raises(ValueError, match="tree"):
        with_whole_trees(broken(packed, nodes=nodes, sizes=sizes))


def test_native_categories_are_refused(table):
    rows = table[table["label"].notna()]
    codes = rows[["dest"]].astype("category").apply(lambda column: column.cat.codes)
    trees = HistGradientBoostingClassifier(categorical_features=[0], max_iter=3)
    pipeline = Pipeline([("columns", "passthrough"), ("estimator", trees)]).fit(
        codes, rows["label"]
    )
    with pytest.raises(ModelFileError, match="native categories"):
        pack({"own": pipeline})
