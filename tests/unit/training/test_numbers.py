"""What is fitted to an array of numbers is what scikit-learn fits to a frame of them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer

from tenantry.models.archive import pack
from tenantry.training.numbers import (
    NUMBERS,
    fit_columns,
    fitted_to_names,
    learn_names,
    scaled,
)

NAMES = ["hour", "wind", "distance"]


@pytest.fixture(scope="module")
def rows():
    """Rows with a missing number, and a column in which all are the same."""
    values = np.random.default_rng(5).normal(size=(40, 3))
    values[3, 1], values[:, 2] = np.nan, 7.0
    return pd.DataFrame(values, columns=NAMES)


@pytest.mark.parametrize("part", ["passthrough", scaled()])
def test_a_step_of_numbers_is_fitted_as_scikit_learn_does(part, rows):
    label = np.arange(40.0) % 2
    expected = ColumnTransformer([(NUMBERS, part, NAMES)])
    fed = expected.fit_transform(rows, label)
    for _ in range(2):  # what was learnt of the names is not what the last rows left there
        found, mine = fit_columns(ColumnTransformer([(NUMBERS, part, NAMES)]), rows, label)
        assert pack({"own": found}) == pack({"own": expected})
        np.testing.assert_array_equal(mine, fed)
        fit_columns(ColumnTransformer([(NUMBERS, part, NAMES)]), rows * 2, label)


def test_a_step_that_drops_all_columns_knows_their_names(rows):
    expected = ColumnTransformer([("none", "drop", NAMES)])
    expected.fit(rows)
    assert pack({"own": fitted_to_names("none", "drop", tuple(NAMES))}) == pack({"own": expected})


def test_an_infinite_number_is_refused(rows):
    columns = ColumnTransformer([(NUMBERS, scaled(), NAMES)])
    with pytest.raises(ValueError, match="infinity"):
        fit_columns(columns, rows.assign(wind=np.inf), np.zeros(40))


def test_names_that_were_learnt_before_cost_no_fit(rows):
    fitted_to_names.cache_clear()
    learn_names([tuple(NAMES), tuple(NAMES)])
    learnt = fitted_to_names.cache_info().misses
    for part in ("passthrough", scaled()):
        fit_columns(ColumnTransformer([(NUMBERS, part, NAMES)]), rows, np.zeros(40))
    assert fitted_to_names.cache_info().misses == learnt
