"""Plain features: a column as a number, as a category, or whether it is missing."""

import numpy as np
import pandas as pd

from tenantry.features.windows import Floats


def as_number(column: pd.Series) -> Floats:
    """Return a column of numbers as it is; missing is NaN."""
    return np.asarray(column, dtype=np.float64)


def as_category(column: pd.Series) -> pd.Series:
    """Return a column as text; missing is the empty text, a number the shortest text that names it.

    Args:
        column: Text, or numbers (15.0 becomes ``15``).

    Returns:
        A str column without missing values.
    """
    if not pd.api.types.is_numeric_dtype(column):
        return column.astype("str").fillna("")
    codes, values = pd.factorize(column)
    texts = [np.format_float_positional(value, trim="-") for value in values]
    return pd.Series(pd.array([*texts, ""], dtype="str").take(codes), index=column.index)


def as_missing_flag(column: pd.Series) -> Floats:
    """Return 1 where the column is missing, else 0."""
    return np.asarray(column.isna(), dtype=np.float64)


def count_words(column: pd.Series) -> Floats:
    """Return how many words each text has, split at white space; missing where it has none."""
    counts = np.array([len(text.split()) for text in column], dtype=np.float64)
    return np.where(counts == 0, np.nan, counts)
