"""Which words of a text weigh most in what a model says of it."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.pipeline import Pipeline

from tenantry.features.recipe import pooled_features
from tenantry.models.fitted import FittedModel
from tenantry.models.words import Words, WordScore
from tenantry.specs.model import Spec

Codes = NDArray[np.int64]

MOST = 3
"""Words that a reason names at most."""

LEAST = 0.1
"""Share of the heaviest word's weight that another one must have."""

_LONGEST = 30
"""Characters of a word that are shown."""


def leading_words(
    model: FittedModel, rows: pd.DataFrame, contributions: pd.DataFrame, spec: Spec
) -> dict[str, list[str]]:
    """Name the words that push each text's contribution the way it goes, the heaviest first.

    A linear model's words weigh what they contribute; trees see a linear model's score of the text,
    and its words weigh what they add to that score. Of a blend or a stack both count.

    Args:
        model: The model.
        rows: n rows of the tenant's feature table.
        contributions: What each column of the table contributes to the rows' scores.
        spec: The tenant's spec.

    Returns:
        Column of the table → for each row up to three words, joined by commas; empty where no word
        is in the model.
    """
    weighed: dict[str, list[tuple[Sequence[str], sparse.csr_array]]] = {}
    said = np.zeros(len(rows), dtype=np.int64)
    if model.task == "multiclass" and len(rows):
        said = model.score(rows, spec).argmax(axis=1)
    for column, words, values in _parts(model, rows, said, spec):
        weighed.setdefault(column, []).append((words, values))
    return {
        column: _named(parts, contributions[column].to_numpy())
        for column, parts in weighed.items()
        if column in contributions
    }


def _parts(
    model: FittedModel, rows: pd.DataFrame, said: Codes, spec: Spec
) -> Iterator[tuple[str, Sequence[str], sparse.csr_array]]:
    """Yield column of the table, words, and what each adds to each row's score."""
    own = {name: name for name in spec.features}
    pooled = {name: column for column, name in _pooled_names(spec).items()}
    weight = model.weight if model.form == "blend" else 1.0
    if model.own is not None:
        yield from _pipeline_parts(model.own, rows, own, said, weight)
    if model.pooled is not None:
        rest = 1 - weight if model.form == "blend" else 1.0
        yield from _pipeline_parts(model.pooled, rows, pooled, said, rest)


def _pooled_names(spec: Spec) -> dict[str, str]:
    return dict(zip(pooled_features(spec), spec.pooled.features, strict=True))


def _pipeline_parts(
    pipeline: Pipeline,
    rows: pd.DataFrame,
    columns: Mapping[str, str],
    said: Codes,
    weight: float,
) -> Iterator[tuple[str, Sequence[str], sparse.csr_array]]:
    encoder = pipeline["columns"]
    coefficients = _slopes(pipeline["estimator"])
    for name, transformer, feature in encoder.transformers_:
        if isinstance(transformer, Words) and coefficients.size:
            words, slopes = transformer, coefficients[:, encoder.output_indices_[name]]
        elif isinstance(transformer, WordScore):
            words, slopes = transformer.words_, _slopes(transformer.estimator_)
        else:
            continue
        values = sparse.csr_array(words.transform(rows[columns[feature]]))
        row = np.repeat(np.arange(len(rows)), np.diff(values.indptr))
        values.data = values.data * weight * slopes[said[row], values.indices]
        yield columns[feature], words.get_feature_names_out(), values


def _slopes(estimator: object) -> NDArray[np.float64]:
    """Return the slopes of a linear model, (1, words), or (K, words) less their mean; else none."""
    slopes = np.atleast_2d(getattr(estimator, "coef_", np.zeros((1, 0))))
    return slopes - slopes.mean(axis=0) if len(slopes) > 1 else slopes


def _named(
    parts: Sequence[tuple[Sequence[str], sparse.csr_array]], contribution: np.ndarray
) -> list[str]:
    return [
        ", ".join(_heaviest(parts, row, float(np.sign(contribution[row]))))
        for row in range(len(contribution))
    ]


def _heaviest(
    parts: Sequence[tuple[Sequence[str], sparse.csr_array]], row: int, sign: float
) -> Iterator[str]:
    weights: dict[str, float] = {}
    for words, values in parts:
        start, end = values.indptr[row], values.indptr[row + 1]
        for place, value in zip(values.indices[start:end], values.data[start:end], strict=True):
            word = str(words[place])
            weights[word] = weights.get(word, 0.0) + sign * float(value)
    heaviest = sorted(weights.items(), key=lambda item: (-item[1], item[0]))[:MOST]
    bar = LEAST * heaviest[0][1] if heaviest else 0.0
    return (word[:_LONGEST] for word, weight in heaviest if weight > max(bar, 0.0))
