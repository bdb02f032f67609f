"""What is looked up is what scikit-learn says."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer

from tenantry.models.encode import encode
from tenantry.training.numbers import scaled
from tenantry.training.pipelines import Trees, fit_trees
from tests.unit.models.pipelines import CATEGORIES, NUMBERS, fitted
from tests.unit.tiny_fleet import make_table

TABLE = make_table(rows=500)
NAMES = NUMBERS + CATEGORIES


@pytest.fixture(scope="module")
def rows():
    """Rows with missing numbers, and categories that no fit has seen, before and after all."""
    rows = make_table(rows=80, seed=3)[NAMES].reset_index(drop=True)
    rows.loc[3, "wind"] = np.nan
    for place, strange in enumerate(("", "new", "\U0001f600", "AAA")):
        rows.loc[10 + place, "dest"] = strange
    return rows


@pytest.mark.parametrize(
    "name", ["logistic", "ridge", "trees", "encoded", "encoded_values", "tree_values", "base"]
)
def test_every_pipeline_is_encoded_as_by_scikit_learn(name, rows):
    columns = fitted(name, TABLE)["columns"]
    for part in (rows, rows[:1]):
        expected = columns.transform(part)
        np.testing.assert_array_equal(encode(columns, part), expected)


def test_a_missing_category_counts_as_average(rows):
    columns = fitted("encoded", TABLE)["columns"]
    missing = rows.assign(dest=pd.Series([None] * len(rows), dtype="str"))
    expected = columns.transform(missing)
    np.testing.assert_array_equal(encode(columns, missing), expected)


def test_a_category_by_itself_is_a_column(rows):
    known = TABLE[TABLE["label"].notna()]
    pipeline = fit_trees(
        known[["dest"]],
        known["label"].to_numpy(float),
        task="classification",
        trees=Trees(max_iter=1),
        seed=1,
    )
    columns = pipeline["columns"]
    expected = columns.transform(rows[["dest"]])
    np.testing.assert_array_equal(encode(columns, rows[["dest"]]), expected)


def test_scaled_numbers_are_encoded_as_by_scikit_learn(rows):
    columns = ColumnTransformer([("numbers", scaled(), NUMBERS)]).fit(TABLE[NUMBERS])
    for part in (rows[NUMBERS], rows[NUMBERS][:1]):
        expected, found = columns.transform(part), encode(columns, part)
        np.testing.assert_array_equal(found, expected)
        assert found.flags.f_contiguous == expected.flags.f_contiguous  # sums depend on it


def test_columns_that_are_not_named_go_the_way_of_scikit_learn(rows):
    columns = ColumnTransformer([("numbers", scaled(), slice(0, 2)), ("none", scaled(), [])])
    columns.fit(TABLE[NUMBERS])
    np.testing.assert_array_equal(encode(columns, rows[NUMBERS]), columns.transform(rows[NUMBERS]))
