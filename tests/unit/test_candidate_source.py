"""Estimators are written as source that makes them again, or refused."""

import ast

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tenantry.candidate_source import write_candidate

COLUMNS = ColumnTransformer(
    [
        ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["wind", "distance"]),
        ("places", OneHotEncoder(handle_unknown="ignore"), ["origin"]),
    ]
)


@pytest.mark.parametrize(
    ("estimator", "imported"),
    [
        (LogisticRegression(C=0.02), {"LogisticRegression"}),
        (HistGradientBoostingClassifier(max_iter=7), {"HistGradientBoostingClassifier"}),
        (
            make_pipeline(COLUMNS, LogisticRegression()),
            {"Pipeline", "ColumnTransformer", "SimpleImputer", "StandardScaler", "OneHotEncoder"},
        ),
        (
            VotingClassifier([("one", LogisticRegression(C=0.1)), ("two", LogisticRegression())]),
            {"VotingClassifier", "LogisticRegression"},
        ),
    ],
    ids=["linear", "trees", "a pipeline with columns of its own", "several"],
)
def test_the_source_makes_the_estimator_again(estimator, imported):
    source = write_candidate("mine", estimator).function
    names = {
        alias.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.module.startswith("sklearn")
        for alias in node.names
    }
    assert imported <= names
    (assigned,) = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assign)]
    space = {}
    exec("\n".join(line for line in source.splitlines() if line.startswith("from sklearn")), space)
    assert repr(eval(ast.unparse(assigned.value), space)) == repr(estimator)
    assert 'fit_estimator("mine", material, estimator)' in source
    assert "._" not in source.split("estimator =")[0], "classes come from where they are meant to"


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(random_state=np.random.RandomState(7)),
        ColumnTransformer([("own", "passthrough", lambda frame: list(frame)[:2])]),
    ],
    ids=["a state", "a function"],
)
def test_what_has_no_literal_form_is_refused(estimator):
    with pytest.raises(ValueError, match="cannot be written as source"):
        write_candidate("mine", estimator)


@pytest.mark.parametrize("module", ["", "a-b", "os;x", "1a", "a..b"])
def test_what_is_no_module_is_refused(module):
    with pytest.raises(ValueError, match="is no module's name"):
        write_candidate("mine", LogisticRegression(), module=module)


def test_what_is_written_says_where_it_belongs():
    written = str(write_candidate("mine", LogisticRegression(), module="acme.recipes"))
    titles = [line for line in written.splitlines() if line.startswith("# ---")]
    assert titles == [
        "# --- acme/recipes.py, installed where models are trained",
        "# --- the spec of a product or a tenant",
        "# --- the platform's list of recipes, TENANTRY_RECIPES",
    ]
