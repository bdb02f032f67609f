"""KServe's own server over scikit-learn pipelines; runs in KServe's environment.

The same as its sklearnserver does: a model reads instances as a frame and predicts probabilities.
"""

import sys
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
from kserve import Model, ModelServer

FOLDER = Path(sys.argv.pop(1))


class Pipeline(Model):
    """One model."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.model = joblib.load(FOLDER / name / "model.joblib")
        self.ready = True

    async def predict(
        self,
        payload: dict[str, Any],
        headers: object = None,  # noqa: ARG002 - as KServe calls it
        response_headers: object = None,  # noqa: ARG002
    ) -> dict[str, list[float]]:
        """Predict an instance a row."""
        frame = pd.DataFrame(payload["instances"])
        return {"predictions": self.model.predict_proba(frame)[:, 1].tolist()}


if __name__ == "__main__":
    ModelServer().start([Pipeline(place.name) for place in sorted(FOLDER.glob("bench-*"))])
