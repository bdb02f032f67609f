"""Which words of a text weigh most in what a model says of it."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.pipeline import Pipeline

from tenantry.features.recipe import pooled_features
from tenantry.models.fitted import FittedModel
from tenantry.models.words import Words, WordScore
from tenantry.specs.model import Spec

MOST = 3
"""Words that a reason names at most."""

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
    for column, words, values in _parts(model, rows, spec):
        weighed.setdefault(column, []).append((words, values))
    return {
        column: _named(parts, contributions[column].to_numpy())
        for column, parts in weighed.items()
        if column in contributions
    }


def _parts(
    model: FittedModel, rows: pd.DataFrame, spec: Spec
) -> Iterator[tuple[str, Sequence[str], sparse.csr_array]]:
    """Yield column of the table, words, and what each adds to each row's score."""
    own = {name: name for name in spec.features}
    pooled = {name: column for column, name in _pooled_names(spec).items()}
    weight = model.weight if model.form == "blend" else 1.0
    if model.own is not None:
        yield from _pipeline_parts(model.own, rows, own, weight)
    if model.pooled is not None:
        rest = 1 - weight if model.form == "blend" else 1.0
        yield from _pipeline_parts(model.pooled, rows, pooled, rest)


def _pooled_names(spec: Spec) -> dict[str, str]:
    return dict(zip(pooled_features(spec), spec.pooled.features, strict=True))


def _pipeline_parts(
    pipeline: Pipeline, rows: pd.DataFrame, columns: Mapping[str, str], weight: float
) -> Iterator[tuple[str, Sequence[str], sparse.csr_array]]:
    encoder = pipeline["columns"]
    coefficients = np.ravel(getattr(pipeline["estimator"], "coef_", np.zeros(0)))
    for name, transformer, feature in encoder.transformers_:
        if isinstance(transformer, Words) and len(coefficients):
            words, slope = transformer, coefficients[encoder.output_indices_[name]]
        elif isinstance(transformer, WordScore):
            words, slope = transformer.words_, np.ravel(transformer.estimator_.coef_)
        else:
            continue
        values = sparse.csr_array(words.transform(rows[columns[feature]]))
        weighed = sparse.csr_array(values.multiply(weight * slope))
        yield columns[feature], words.get_feature_names_out(), weighed


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
    heaviest = sorted(weights.items(), key=lambda item: (-item[1], item[0]))
    return (word[:_LONGEST] for word, weight in heaviest[:MOST] if weight > 0)
