"""Models without a packed form: scored by scikit-learn, a row in milliseconds."""

from typing import Any

import pandas as pd
from sklearn.pipeline import Pipeline

from tenantry.models.fitted import FittedModel
from tenantry.models.link import from_link
from tenantry.packed.columns import Row

_PARTS = ("recipe", "task", "form", "weight", "slope", "intercept")


class FittedScorer:
    """Scores single rows by a fitted model."""

    def __init__(self, model: FittedModel) -> None:
        self._model = model

    @staticmethod
    def model_of(content: dict[str, Any], pooled: Pipeline | None) -> FittedModel:
        """Return the model of an opened file; see `models.files.load_model`."""
        parts = {name: content[name] for name in _PARTS}
        return FittedModel(
            **parts,
            classes=tuple(content.get("classes", ())),
            own=content["own"],
            pooled=pooled,
            leaves=content.get("leaves"),
        )

    def predict_row(self, own: Row, pooled: Row) -> float | list[float]:
        """Return the probability, or value, of one row; of several classes one a class."""
        frames = pd.DataFrame([own]), pd.DataFrame([pooled])
        (told,) = from_link(self._model.score_frames(*frames), self._model.task).tolist()
        return told  # type: ignore[no-any-return] # a number, or a list of them
