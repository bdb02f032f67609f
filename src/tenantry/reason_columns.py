"""Reasons of many rows, chosen and put in words by column: an Arrow array of lists."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from tenantry.columns import TENANT
from tenantry.features.recipe import table_features
from tenantry.metrics import Floats
from tenantry.reasons import number_in_words, title, value_in_words
from tenantry.specs.features import CategoricalFeature, Feature
from tenantry.specs.model import Spec

REASON = pa.struct(
    {
        "feature": pa.string(),
        "title": pa.string(),
        "value": pa.string(),
        "contribution": pa.float64(),
    }
)
"""As `reasons.Reason`."""


def reason_array(  # noqa: PLR0913 - what reasons are made of
    contributions: pd.DataFrame,
    table: pd.DataFrame,
    spec: Spec,
    *,
    top: int,
    words: Mapping[str, Sequence[str]] = MappingProxyType({}),
    asked: NDArray[np.bool_] | None = None,
) -> pa.ListArray:
    """Choose the reasons that weigh most, for every row.

    Args:
        contributions: n rows, one column a feature; from `explain.contributions`.
        table: The n rows of the feature table that they explain, in the same order.
        spec: The tenant's spec: titles and units.
        top: How many at most; what contributes nothing is no reason.
        words: Text → for each row the words that weigh most: they are its value.
        asked: Of all rows whether they are among the n; all are when None.

    Returns:
        A list of `REASON` for each of all rows, missing where it was not asked for: the largest
        absolute contribution first; ties by the order of the columns.
    """
    names = [str(name) for name in contributions.columns]
    features = table_features(spec)
    chosen = _choose(contributions.to_numpy(), top)
    said: list[str] = []
    codes = np.empty(len(chosen.row), dtype=np.int64)
    for place, name in enumerate(names):
        picked = chosen.place == place
        rows = chosen.row[picked]
        if name in words:
            values: Any = np.array(words[name], dtype=object)[rows]
        elif name in table.columns:
            values = table[name].array[rows]
        else:
            values = np.full(len(rows), spec.tenant if name == TENANT else "", dtype=object)
        codes[picked], more = _in_words(values, features.get(name), len(said))
        said += more
    titles = [title(name, features.get(name)) for name in names]
    parts = [
        pa.array(names, pa.string()).take(pa.array(chosen.place)),
        pa.array(titles, pa.string()).take(pa.array(chosen.place)),
        pa.array(said, pa.string()).take(pa.array(codes)),
        pa.array(chosen.weight),
    ]
    reasons = pa.StructArray.from_arrays(parts, fields=list(REASON))
    return _in_lists(reasons, chosen.row, len(contributions), asked)


class _Chosen(NamedTuple):
    """The chosen reasons, row behind row: row, column and weight of each."""

    row: NDArray[np.int64]
    place: NDArray[np.int64]
    weight: Floats


def _choose(weights: Floats, top: int) -> _Chosen:
    rows, columns = weights.shape
    top, left = min(top, columns), np.abs(weights)
    places = np.empty((rows, top), dtype=np.int64)
    for rank in range(top):
        places[:, rank] = left.argmax(axis=1)
        np.put_along_axis(left, places[:, rank : rank + 1], -1.0, axis=1)
    found = np.take_along_axis(weights, places, axis=1)
    kept = np.nonzero(found)
    return _Chosen(kept[0], places[kept], found[kept])


def _in_words(
    values: Any,  # noqa: ANN401 - of any type
    feature: Feature | None,
    first: int,
) -> tuple[NDArray[np.int64], list[str]]:
    """Put values into words, each different one once; return each value's place and the words."""
    codes, different = pd.factorize(values)
    is_number = values.dtype.kind == "f" and not isinstance(feature, CategoricalFeature)
    say = number_in_words if is_number else value_in_words
    told = [say(value, feature) for value in different.tolist()]
    told.append(value_in_words(None, feature))
    return first + np.where(codes < 0, len(told) - 1, codes), told


def _in_lists(
    reasons: pa.StructArray, row: NDArray[np.int64], rows: int, asked: NDArray[np.bool_] | None
) -> pa.ListArray:
    counts = np.bincount(row, minlength=rows)
    if asked is None:
        asked = np.ones(rows, dtype=np.bool_)
    spread = np.zeros(len(asked), dtype=np.int64)
    spread[asked] = counts
    offsets = np.concatenate([[0], np.cumsum(spread)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), reasons, mask=pa.array(~asked))
