"""Columns as numbers, categories and flags."""

import numpy as np
import pandas as pd
import pytest

from tenantry.features.plain import as_category, as_missing_flag, as_number


@pytest.mark.parametrize(
    ("values", "dtype", "texts"),
    [
        (["LAX", None, ""], "str", ["LAX", "", ""]),
        ([15.0, np.nan, 0.5, -2.0], "float64", ["15", "", "0.5", "-2"]),
        ([1e20, 123456789.0], "float64", ["100000000000000000000", "123456789"]),
        ([], "str", []),
        ([], "float64", []),
    ],
)
def test_categories_are_text_without_missing_values(values, dtype, texts):
    found = as_category(pd.Series(values, dtype=dtype))
    assert found.dtype == "str"
    assert found.tolist() == texts


def test_numbers_and_flags():
    column = pd.Series([1.5, np.nan])
    np.testing.assert_array_equal(as_number(column), [1.5, np.nan])
    assert as_missing_flag(column).tolist() == [0.0, 1.0]
    assert as_missing_flag(pd.Series(["x", None], dtype="str")).tolist() == [0.0, 1.0]
