"""Text in models: TF-IDF of a bounded vocabulary for linear models, a score of it for trees."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold

from tenantry.models.card import Task

Floats = NDArray[np.float64]

C = 1.0
"""Inverse strength of the ridge penalty on words."""

_FOLDS = 5


class Words(TfidfVectorizer):  # type: ignore[misc] # scikit-learn has no types
    """scikit-learn's TF-IDF of lower-case words of two letters or more, as models keep it.

    A file of it holds no address and plain numbers only, so that equal ones have equal bytes.

    Attributes:
        scale: Factor of all values: with a ridge penalty of inverse strength c, a scale of
            ``sqrt(C / c)`` penalises words as strongly as `C` says.
    """

    def __init__(self, *, max_features: int = 500, min_df: int = 5, scale: float = 1.0) -> None:
        super().__init__(max_features=max_features, min_df=min_df, sublinear_tf=True)
        self.scale = scale

    def fit_transform(self, raw_documents: "pd.Series[str]", y: object = None) -> Any:  # noqa: ANN401
        """Learn the vocabulary and return the texts' values, a sparse matrix."""
        return super().fit_transform(raw_documents, y) * self.scale

    def transform(self, raw_documents: "pd.Series[str]") -> Any:  # noqa: ANN401
        """Return the texts' values, a sparse matrix."""
        return super().transform(raw_documents) * self.scale

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(super().__getstate__())
        state.pop("_stop_words_id", None)
        if "vocabulary_" in state:
            words = sorted(state["vocabulary_"].items())
            state["vocabulary_"] = {word: int(place) for word, place in words}
        return state


class WordScore(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """What a linear model of a text's words says: one column for trees.

    The scores that the trees are fitted on are cross-fitted, as scikit-learn's TargetEncoder does
    it: a text's own label is not in them.

    Attributes:
        max_features: Words at most.
        min_df: Texts that a word must be in.
        task: What is predicted.
        classes: How many classes; a column each where there are more than two.
        seed: Of the folds.
    """

    def __init__(
        self,
        *,
        max_features: int = 500,
        min_df: int = 5,
        task: Task = "classification",
        classes: int = 0,
        seed: int = 0,
    ) -> None:
        self.max_features = max_features
        self.min_df = min_df
        self.task = task
        self.classes = classes
        self.seed = seed

    @property
    def width(self) -> int:
        """How many columns it makes of a text."""
        return self.classes if self.task == "multiclass" else 1

    def fit(self, texts: "pd.Series[str]", label: Floats) -> Self:
        """Fit the words and the linear model on all texts."""
        self.words_ = Words(max_features=self.max_features, min_df=self.min_df)
        self.estimator_ = self._fitted(self.words_.fit_transform(texts), np.asarray(label))
        return self

    def fit_transform(self, texts: "pd.Series[str]", label: Floats, **_: object) -> Floats:
        """Fit, and return what models of the other folds say of each text, shape (n, width)."""
        self.fit(texts, label)
        values, label = self.words_.transform(texts), np.asarray(label)
        scores = np.zeros((len(label), self.width))
        folds = KFold(min(_FOLDS, len(label)), shuffle=True, random_state=self.seed)
        for others, fold in folds.split(values):
            if len(np.unique(label[others])) > 1:
                fitted = self._fitted(values[others], label[others])
                scores[fold] = _scores(fitted, values[fold])
        return scores

    def transform(self, texts: "pd.Series[str]") -> Floats:
        """Return the score of each text, shape (n, width)."""
        return _scores(self.estimator_, self.words_.transform(texts))

    def _fitted(self, values: Any, label: Floats) -> LogisticRegression | Ridge:  # noqa: ANN401
        if self.task == "regression":
            return Ridge(alpha=1 / C).fit(values, label)
        if self.task == "classification":
            return LogisticRegression(C=C).fit(values, label)
        # a text without words a class, so that each is known; together they count as one row
        empty = sparse.csr_array((self.classes, values.shape[1]))
        weights = np.append(np.ones(len(label)), np.full(self.classes, 1 / self.classes))
        padded = sparse.vstack([values, empty], format="csr")
        known = np.append(label, np.arange(self.classes))
        return LogisticRegression(C=C).fit(padded, known, sample_weight=weights)


def has_words(texts: "pd.Series[str]", min_df: int) -> bool:
    """Return whether any word is in at least `min_df` of the texts."""
    try:
        Words(max_features=1, min_df=min_df).fit_transform(texts)
    except ValueError:  # an empty vocabulary
        return False
    return True


def _scores(estimator: LogisticRegression | Ridge, values: Any) -> Floats:  # noqa: ANN401
    if isinstance(estimator, Ridge):
        return np.asarray(estimator.predict(values), dtype=np.float64)[:, None]
    scores = np.asarray(estimator.decision_function(values), dtype=np.float64)
    return scores if scores.ndim == 2 else scores[:, None]
